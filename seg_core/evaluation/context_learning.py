"""Learn a context head from labelled images; see `seg_core.nuclei.context_head`.

Every data set counts alike, and of each the classes by the square root of their number: what is rare
is heard, and what is frequent stays likelier. An image taken at the model's own resolution is looked at
as it is and as if it had been scanned at half of it: at 20x the same tissue seems softer, and that alone
must not look like the tissue of another data set.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression

from seg_core.errors import DataError, counted
from seg_core.evaluation.calibration import told
from seg_core.evaluation.prediction import predict_image
from seg_core.evaluation.scan import AT_20X, SAME_SCAN
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import find_model, make_engine
from seg_core.model.beside import in_file
from seg_core.nuclei.context_head import ContextHead, distances, head_inputs
from seg_core.settings import AnalysisSettings

RADIUS_UM = 100.0

# Inverse of the regularisation, as scikit-learn counts with weights that add up to 1.
_STRENGTH = 1500.0
_LIMIT = 5.0

# The head counts alone up to the distance that one in twenty of the contexts taught is beyond, and
# not at all from so many times that distance on.
_NEAR_SHARE, _FAR = 0.95, 1.5

_CONTEXTS = 6000
"""Of each data set, for the cloud that says which contexts are known."""

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ToldNuclei:
    """Nuclei that a model has found on an image, and whose class a person has told.

    Attributes
    ----------
    data_set : str
    inputs : (N, C + 2F) float
        See `seg_core.nuclei.context_head.head_inputs`.
    truth : (N,) int
        The class told, 0 *other*.
    """

    data_set: str
    inputs: _Floats
    truth: npt.NDArray[np.intp]


def told_nuclei(
    images: Sequence[LabelledImage],
    model: str | None,
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
                context_um=RADIUS_UM,
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


def learn_context_head(
    nuclei: Iterable[ToldNuclei], classes: int, weights_sha256: str, command: str
) -> ContextHead:
    """Learn which class a nucleus has, by multinomial logistic regression.

    Parameters
    ----------
    nuclei : iterable of ToldNuclei
    classes : int
        Of the model, without *other*.
    weights_sha256, command : str
        What stands in the file beside.

    Raises
    ------
    DataError
        If there are no nuclei of every class.
    """
    parts = [each for each in nuclei if len(each.truth)]
    kinds = {int(k) for each in parts for k in np.unique(each.truth)}
    if kinds != set(range(classes + 1)):
        raise DataError(
            f"the labelled nuclei are of {counted(len(kinds), 'class', 'classes')} of the model's "
            f"{classes + 1}, other among them; give images with nuclei of every one."
        )
    inputs = np.concatenate([each.inputs for each in parts])
    truth = np.concatenate([each.truth for each in parts])
    names = np.repeat([each.data_set for each in parts], [len(each.truth) for each in parts])
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[scale < 1e-6] = 1.0
    values = np.clip((inputs - mean) / scale, -_LIMIT, _LIMIT)
    model = LogisticRegression(C=_STRENGTH, max_iter=1000, tol=1e-4)
    model.fit(values, truth, sample_weight=_importance(names, truth))
    coefficients, intercepts = model.coef_, model.intercept_
    if classes == 1:  # scikit-learn gives the log odds of the class against *other*
        coefficients, intercepts = (
            np.concatenate([np.zeros_like(each), each]) for each in (coefficients, intercepts)
        )
    return ContextHead(
        weights_sha256=weights_sha256,
        command=command,
        radius_um=RADIUS_UM,
        nuclei={name: int((names == name).sum()) for name in np.unique(names).tolist()},
        mean=in_file(mean),
        scale=in_file(scale),
        limit=_LIMIT,
        coefficients=tuple(in_file(row) for row in coefficients),
        intercepts=in_file(intercepts),
        **_known_contexts(names, inputs[:, (classes + inputs.shape[1]) // 2 :]),
    )


def _known_contexts(names: npt.NDArray[np.str_], around: _Floats) -> dict[str, Any]:
    """Return which contexts a head knows, with as many of each data set."""
    rng = np.random.default_rng(0)
    chosen = []
    for name in np.unique(names):
        own = np.flatnonzero(names == name)
        chosen.append(rng.choice(own, _CONTEXTS, replace=len(own) < _CONTEXTS))
    cloud = LedoitWolf().fit(around[np.concatenate(chosen)])
    far_off = distances(around[np.concatenate(chosen)], cloud.location_, cloud.precision_)
    near = float(np.quantile(far_off, _NEAR_SHARE))
    return {
        "middle": in_file(cloud.location_),
        "precision": tuple(map(in_file, cloud.precision_)),
        "near": round(near, 4),
        "far": round(_FAR * near, 4),
    }


def _importance(names: npt.NDArray[np.str_], truth: npt.NDArray[np.intp]) -> _Floats:
    """Return the weight of each nucleus; all of them add up to 1."""
    weights = np.zeros(len(truth))
    for name in np.unique(names):
        own = names == name
        counts = np.bincount(truth[own])
        weights[own] = 1 / np.sqrt(counts[truth[own]])
        weights[own] /= weights[own].sum()
    return weights / weights.sum()
