"""The nuclei that a model finds on labelled images, for a context head to learn from.

An image taken at the model's own resolution is looked at as it is and as if it had been scanned at half
of it: at 20x the same tissue seems softer, and that alone must not look like the tissue of another data
set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seg_core.evaluation.calibration import told
from seg_core.evaluation.prediction import predict_image
from seg_core.evaluation.scan import AT_20X, SAME_SCAN
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import find_model, make_engine
from seg_core.nuclei.context_head import head_inputs
from seg_core.settings import AnalysisSettings


@dataclass(frozen=True)
class ToldNuclei:
    """Nuclei that a model has found on an image, and whose class a person has told.

    Attributes
    ----------
    data_set : str
    inputs : (N, C + F + R F) float
        See `seg_core.nuclei.context_head.head_inputs`.
    truth : (N,) int
        The class told, 0 *other*.
    """

    data_set: str
    inputs: npt.NDArray[np.float64]
    truth: npt.NDArray[np.intp]


def told_nuclei(
    images: Sequence[LabelledImage],
    model: str | None,
    radii_um: Sequence[float],
    *,
    report: Callable[[int, int], None] | None = None,
) -> list[ToldNuclei]:
    """Let a model find the nuclei of labelled images, without the context head that it has.

    Parameters
    ----------
    images : sequence of LabelledImage
        Those of which nobody told classes are passed over.
    model : str, optional
        Name or file; see `seg_core.model.find_model`.
    radii_um : sequence of float
        Of their contexts.
    report : callable, optional
        Called with the number of images done and of all.
    """
    card, weights = find_model(model)
    settings = AnalysisSettings()
    engine = make_engine(card, weights, settings)
    scheme = card.scheme.without_votes()
    classed = [each for each in images if each.classed or each.dots is not None]
    found = []
    for done, each in enumerate(classed, start=1):
        image = each.at(card.mpp)
        for scan in (SAME_SCAN,) if each.is_twice(card.mpp) else (SAME_SCAN, AT_20X):
            answer = predict_image(
                scan.show(image.image),
                image.mpp,
                card.mpp,
                engine,
                settings,
                scheme,
                radii_um=radii_um,
            )
            labels, truth = told(image, answer.nuclei)
            if answer.class_shares is None or answer.around is None:
                continue  # an image without a nucleus
            assert answer.features is not None, "they are asked for together"
            inputs = head_inputs(answer.class_shares, answer.features, answer.around)[labels - 1]
            usable = np.isfinite(inputs).all(axis=1)
            found.append(ToldNuclei(each.data_set.name, inputs[usable], truth[usable]))
        if report is not None:
            report(done, len(classed))
    return found
