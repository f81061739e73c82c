"""Measure a model, or anybody's predictions, by labelled images."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.classes import MONUSAC, OTHER, ClassScheme
from seg_core.errors import DataError, StainError
from seg_core.evaluation.metrics import (
    BOOTSTRAP_SAMPLES,
    BOOTSTRAP_SEED,
    DETECTION_RADIUS_UM,
    FEW_PATIENTS,
    ImageScore,
    figures_of,
    intervals_of,
    score_image,
)
from seg_core.evaluation.metrics.instance import MATCH_IOU
from seg_core.evaluation.prediction import (
    Prediction,
    predict_image,
    read_prediction,
    write_prediction,
)
from seg_core.evaluation.reference import CLASS_NAMES, Reference, References, read_references
from seg_core.model import find_model, make_engine
from seg_core.nuclei.ternary import RIM_PX
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide, StainMethod, find_tissue, fit_stain

DEFAULT_MPP = 0.25
"""µm per pixel of labelled images where no model says otherwise: a scan at 40x."""


def evaluate(
    data: Path,
    model: str | None,
    settings: AnalysisSettings,
    *,
    mpp: float | None = None,
    classes: str = "monusac",
    edge_um: float = 0.0,
    only: Collection[str] = (),
    predictions: Path | None = None,
    report: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Measure a model by labelled images.

    Images are taken at their own pixels, counted as the model's, without tissue mask. What the
    files say of their pixel size is recorded, not used: MoNuSAC's say 0.1945 µm/px, for example,
    yet networks are trained and compared on the pixels as they are. Where the settings ask for it
    each image's stain is normalised as if it were a slide.

    Parameters
    ----------
    data : Path
        Folder of labelled images in either layout, see `read_references`.
    model : str or None
        Name or file; None is the default model.
    settings : AnalysisSettings
    mpp : float, optional
        µm per pixel of the images, where they are not at the model's resolution.
    classes : str
        What the ids of class masks mean, a key of `CLASS_NAMES`.
    edge_um : float
        Width of the frame along each image's edges that is left out, on both sides.
    only : collection of str
        Names of the images to measure by; all where none is named.
    predictions : Path, optional
        Folder to write the predictions to, see `write_prediction`.
    report : callable, optional
        Called with the number of images done and of all images.

    Returns
    -------
    result : dict
        Ready for JSON. ``figures_of`` says what is what, ``protocol`` what was counted.

    Raises
    ------
    DataError, ModelError, ExportError
        If the data, the model or the place for predictions is not as it should be.
    """
    card, weights = find_model(model)
    references = read_references(data, card.scheme, CLASS_NAMES[classes])
    if only:
        references = references.only(only)
    engine = make_engine(card, weights, settings)
    image_mpp = mpp or card.mpp
    warnings: list[str] = []

    def predicted(reference: Reference) -> Prediction:
        image = reference.image
        if settings.stain != "none":
            try:
                image = _normalised(image, image_mpp, settings.stain)
            except StainError as error:
                warnings.append(f"{reference.name}: {error}")
        prediction = predict_image(image, image_mpp, card.mpp, engine, settings, card.scheme)
        if predictions is not None:
            write_prediction(prediction, predictions, reference.name)
        return prediction

    # the boundary is as thick in µm as the one the model was taught
    rim_px = max(1, round(RIM_PX * card.mpp / image_mpp))
    result = _measure(references, predicted, card.scheme, image_mpp, rim_px, edge_um, report)
    return result | {
        "model": {"name": card.name, "sha256": card.sha256},
        "engine": engine.name,
        "precision": engine.precision,
        "settings": settings.to_json(),
        "warnings": warnings,
    }


def evaluate_predictions(
    data: Path,
    predictions: Path,
    scheme: ClassScheme = MONUSAC,
    *,
    mpp: float = DEFAULT_MPP,
    classes: str = "monusac",
    edge_um: float = 0.0,
) -> dict[str, Any]:
    """Measure predictions that lie in a folder, ours or another program's.

    Parameters
    ----------
    data : Path
        Folder of labelled images in either layout.
    predictions : Path
        Folder with ``inst/`` and ``class/``, see `read_prediction`; class ids are the scheme's.
    scheme : ClassScheme
    mpp : float
        µm per pixel of the images.
    classes : str
        What the ids of the *reference's* class masks mean, a key of `CLASS_NAMES`.
    edge_um : float
        Width of the frame along each image's edges that is left out, on both sides.

    Returns
    -------
    result : dict
        As `evaluate`, without what only a model has.

    Raises
    ------
    DataError
        If images, labels or predictions are not as they should be.
    """
    references = read_references(data, scheme, CLASS_NAMES[classes])
    return _measure(
        references,
        lambda each: read_prediction(predictions, each.name),
        scheme,
        mpp,
        RIM_PX,
        edge_um,
        None,
    )


def _measure(
    references: References,
    predicted: Callable[[Reference], Prediction],
    scheme: ClassScheme,
    mpp: float,
    rim_px: int,
    edge_um: float,
    report: Callable[[int, int], None] | None,
) -> dict[str, Any]:
    scores: list[ImageScore] = []
    file_mpps = set()
    for reference in references:
        prediction = predicted(reference)
        scores.append(
            _score(
                reference,
                prediction,
                scheme,
                mpp,
                references.outlines_every_nucleus,
                rim_px,
                edge_um,
            )
        )
        file_mpps.add(reference.mpp)
        if report is not None:
            report(len(scores), len(references))
    figures = figures_of(scores, scheme)
    patients = len({score.patient for score in scores})
    return {
        "images": len(scores),
        "patients": patients,
        "mpp": mpp,
        "mpp_of_files": sorted(each for each in file_mpps if each is not None),
        **_counts(figures, scheme),
        **figures,
        "interval95": intervals_of(scores, scheme),
        "bootstrap": {
            "samples": BOOTSTRAP_SAMPLES,
            "seed": BOOTSTRAP_SEED,
            "over": "patients, then their images" if patients < FEW_PATIENTS else "patients",
            "rough": patients < FEW_PATIENTS,
        },
        "protocol": _protocol(references.outlines_every_nucleus, scheme, rim_px, edge_um),
        "per_image": [
            _of_image(name, score, scheme)
            for name, score in zip(references.names, scores, strict=True)
        ],
    }


def _normalised(
    image: npt.NDArray[np.uint8], mpp: float, stain: StainMethod
) -> npt.NDArray[np.uint8]:
    """Take an image's colours to the training data's, as if it were a slide of its own."""
    slide = ArraySlide(image, mpp=mpp)
    return fit_stain(slide, find_tissue(slide), stain).normalise(image)


def _score(
    reference: Reference,
    prediction: Prediction,
    scheme: ClassScheme,
    mpp: float,
    count_other: bool,
    rim_px: int,
    edge_um: float,
) -> ImageScore:
    try:
        return score_image(
            reference.nuclei,
            prediction.nuclei,
            scheme,
            mpp=mpp,
            patient=reference.patient,
            count_other=count_other,
            class_map=prediction.class_map,
            ternary_map=prediction.ternary_map,
            ignore=reference.ignore,
            rim_px=rim_px,
            edge_um=edge_um,
        )
    except DataError as error:
        raise DataError(f"{reference.name}: {error}") from error


def _counts(figures: dict[str, Any], scheme: ClassScheme) -> dict[str, Any]:
    """Return the nuclei of each class on both sides, without those mostly in ignore areas."""
    confusion = figures["instance"]["confusion"]
    names = scheme.names_with_other
    if confusion is None:
        unknown = dict.fromkeys(names)
        return {"reference": unknown, "predicted": unknown}
    rows = confusion["counts"][:-1]
    columns = list(zip(*confusion["counts"], strict=True))[:-1]
    return {
        "reference": {name: sum(row) for name, row in zip(names, rows, strict=True)},
        "predicted": {name: sum(column) for name, column in zip(names, columns, strict=True)},
    }


def _protocol(
    every_nucleus: bool, scheme: ClassScheme, rim_px: int, edge_um: float
) -> dict[str, Any]:
    """Say in words and numbers what was counted."""
    named = ", ".join(scheme.names)
    return {
        "outlines": "every nucleus" if every_nucleus else "named classes only",
        "class_blind_predictions": "all" if every_nucleus else "named classes only",
        "explanation": (
            f"Class-blind figures (bpq, dq, sq, aji, detection_f1 and their kin) count all predicted "
            f"nuclei, {OTHER} too, because the reference outlines every nucleus."
            if every_nucleus
            else "Class-blind figures (bpq, dq, sq, aji, detection_f1 and their kin) count predicted "
            f"nuclei of the classes {named} only, because the reference outlines no others: a "
            f"nucleus called {OTHER} is "
            "not spurious, and it does not count as found where the reference has a nucleus."
        ),
        "match_iou_above": MATCH_IOU,
        "detection_radius_um": DETECTION_RADIUS_UM,
        "boundary_px": rim_px,
        "edge_um": edge_um,
    }


def _of_image(name: str, score: ImageScore, scheme: ClassScheme) -> dict[str, Any]:
    figures = figures_of([score], scheme)
    return {
        "name": name,
        "patient": score.patient,
        "class_mean_iou": figures["pixel"]["class_mean_iou"],
        **{
            key: figures["instance"][key] for key in ("bpq", "aji_plus", "detection_f1", "mpq_plus")
        },
    }
