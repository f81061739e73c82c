"""Measure a model, or anybody's predictions, on labelled images."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.classes import MONUSAC, ClassScheme
from seg_core.errors import DataError, StainError
from seg_core.evaluation.dots import DotScore, dot_figures, dot_intervals, score_dots
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
from seg_core.evaluation.prediction import (
    Prediction,
    predict_image,
    read_prediction,
    refuse_labels,
    write_prediction,
)
from seg_core.evaluation.result_parts import (
    differences_of,
    figures_of_image,
    nuclei_counted,
    protocol_of,
)
from seg_core.evaluation.scan import SAME_SCAN, Scan
from seg_core.labelled.data_sets import MONUSAC_DATA, DataSet, data_set_of
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.reading import LabelledImages, read_labelled
from seg_core.model import find_model, make_engine
from seg_core.nuclei.context_head import read_context_head
from seg_core.nuclei.ternary import RIM_PX
from seg_core.question import model_to_json
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide, StainMethod, find_tissue, fit_stain

DEFAULT_MPP = 0.25
"""µm per pixel of labelled images where no model says otherwise: a scan at 40x."""

Report = Callable[[int, int], None]
"""Called with the number of images done and of all images."""


@dataclass(frozen=True, eq=False)
class _Measured:
    """What a model is worth: for JSON, and image by image for what is drawn from them."""

    result: dict[str, Any]
    scores: Sequence[ImageScore] | Sequence[DotScore]
    scheme: ClassScheme


def evaluate(
    data: Path,
    model: str | None,
    settings: AnalysisSettings,
    *,
    mpp: float | None = None,
    classes: str = MONUSAC_DATA.name,
    edge_um: float | None = None,
    only: Collection[str] = (),
    scanned: Scan = SAME_SCAN,
    predictions: Path | None = None,
    beside: str | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Measure a model on labelled images, or two models on the same ones.

    Images are taken at the pixel size that the data set's description has, without tissue mask.
    What the files say of it is recorded, not used: MoNuSAC's say 0.1945 µm/px, for example, yet
    networks are trained and compared on the pixels as they are. Where pixels are twice as large as
    the model's, images and labels are enlarged (see `seg_core.labelled.resolution`), and all is
    measured on the model's pixels. Where the settings ask for it each image's stain is normalised
    as if it were a slide.

    Parameters
    ----------
    data : Path
        Folder of labelled images in any layout, see `read_labelled`.
    model : str or None
        Name or file; None is the default model.
    settings : AnalysisSettings
    mpp : float, optional
        µm per pixel of the images, instead of the data set's.
    classes : str
        Whose labels these are, a key of `DATA_SETS`.
    edge_um : float, optional
        Width of the frame along each image's edges that is left out, on both sides, instead of
        the data set's.
    only : collection of str
        Names of the images to measure on; with a ``*`` all that fit. All where none is named.
    scanned : Scan
        As what scan the images are shown.
    predictions : Path, optional
        Folder to write the model's predictions to, see `write_prediction`; another one than that
        of the labels, whose layout is the same.
    beside : str, optional
        Name or file of a second model.
    report : callable, optional
        Called with the number of images done and of all images; with two models each image counts
        twice.

    Returns
    -------
    result : dict
        Ready for JSON. ``figures_of`` says what is what, for a data set with dots ``dot_figures``;
        ``protocol`` what was counted. With a second model its result stands under ``beside``, and
        `differences_of` says what ``difference`` and ``difference95`` are.

    Raises
    ------
    DataError, ModelError, ExportError
        If the data, the model or the place for predictions is not as it should be.
    """
    if predictions is not None:
        refuse_labels(predictions, data)
    measure = partial(
        _measured,
        data,
        data_set=_data_set(classes, edge_um),
        mpp=mpp,
        only=only,
        scanned=scanned,
        settings=settings,
    )
    if beside is None:
        return measure(model=model, predictions=predictions, report=report).result
    one = measure(model=model, predictions=predictions, report=_half_of(report, 0))
    two = measure(model=beside, report=_half_of(report, 1))
    compared = differences_of(one.scores, two.scores, one.scheme, two.scheme)
    return {**one.result, "beside": two.result, **compared}


def _half_of(report: Report | None, number: int) -> Report | None:
    """Return what tells the images of one of two models as part of both."""
    return report and (lambda done, total: report(number * total + done, 2 * total))


def _measured(
    data: Path,
    *,
    model: str | None,
    data_set: DataSet,
    mpp: float | None,
    only: Collection[str],
    scanned: Scan,
    settings: AnalysisSettings,
    predictions: Path | None = None,
    report: Report | None = None,
) -> _Measured:
    card, weights = find_model(model)
    images = read_labelled(data, data_set, card.scheme, mpp=mpp)
    if only:
        images = images.only(only)
    engine = make_engine(card, weights, settings)
    head = read_context_head(card, weights)
    warnings: list[str] = []

    def predicted(labelled: LabelledImage) -> Prediction:
        image = scanned.show(labelled.image)
        if settings.stain != "none":
            try:
                image = _normalised(image, labelled.mpp, settings.stain)
            except StainError as error:
                warnings.append(f"{labelled.name}: {error}")
        prediction = predict_image(
            image, labelled.mpp, card.mpp, engine, settings, card.scheme, head=head
        )
        if predictions is not None:
            write_prediction(prediction, predictions, labelled.name)
        return prediction

    measure = _measure_dots if data_set.labels == "dots" else _measure
    measured = measure(images, predicted, card.scheme, card.mpp, report)
    return replace(
        measured,
        result=measured.result
        | {
            "scanned": scanned.to_json(),
            "model": model_to_json(card.name, card.sha256, None if head is None else head.sha256),
            "engine": engine.name,
            "precision": engine.precision,
            "settings": settings.to_json(),
            "warnings": warnings,
        },
    )


def evaluate_predictions(
    data: Path,
    predictions: Path,
    scheme: ClassScheme = MONUSAC,
    *,
    mpp: float | None = None,
    classes: str = MONUSAC_DATA.name,
    edge_um: float | None = None,
) -> dict[str, Any]:
    """Measure predictions that lie in a folder, ours or another program's.

    Parameters
    ----------
    data : Path
        Folder of labelled images in any layout.
    predictions : Path
        Folder with ``inst/`` and ``class/``, see `read_prediction`; class ids are the scheme's.
        They have the images' own pixels, or twice as many a side.
    scheme : ClassScheme
    mpp : float, optional
        µm per pixel of the images, instead of the data set's.
    classes : str
        Whose labels the *reference* has, a key of `DATA_SETS`.
    edge_um : float, optional
        Width of the frame along each image's edges that is left out, on both sides, instead of
        the data set's.

    Returns
    -------
    result : dict
        As `evaluate`, without what only a model has.

    Raises
    ------
    DataError
        If images, labels or predictions are not as they should be.
    """
    data_set = _data_set(classes, edge_um)
    images = read_labelled(data, data_set, scheme, mpp=mpp)
    measure = _measure_dots if data_set.labels == "dots" else _measure
    return measure(
        images, lambda each: read_prediction(predictions, each.name), scheme, DEFAULT_MPP, None
    ).result


def _data_set(classes: str, edge_um: float | None) -> DataSet:
    data_set = data_set_of(classes)
    return data_set if edge_um is None else replace(data_set, rim_um=edge_um)


def _pairs(
    images: LabelledImages,
    predicted: Callable[[LabelledImage], Prediction],
    model_mpp: float,
    report: Report | None,
) -> Iterator[tuple[LabelledImage, Prediction]]:
    """Yield each image, enlarged where its pixels are twice as large as the model's, answered."""
    if report is not None:
        report(0, len(images))
    for number, image in enumerate(images, start=1):
        labelled = image.at(model_mpp) if image.is_twice(model_mpp) else image
        prediction = predicted(labelled)
        if prediction.nuclei.labels.shape == image.instances.shape:
            labelled = image  # another program's answer, on the image's own pixels
        yield labelled, prediction
        if report is not None:
            report(number, len(images))


def _measure(
    images: LabelledImages,
    predicted: Callable[[LabelledImage], Prediction],
    scheme: ClassScheme,
    model_mpp: float,
    report: Report | None,
) -> _Measured:
    scores: list[ImageScore] = []
    mpps, file_mpps = set(), set()
    every, rim_px, edge_um = images.outlines_every_nucleus, RIM_PX, 0.0
    for labelled, prediction in _pairs(images, predicted, model_mpp, report):
        # the boundary is as thick in µm as the one the model was taught
        rim_px = max(1, round(RIM_PX * model_mpp / labelled.mpp))
        edge_um = labelled.data_set.rim_um
        scores.append(_score(labelled, prediction, scheme, every, rim_px))
        mpps.add(labelled.mpp)
        file_mpps.add(labelled.file_mpp)
    figures = figures_of(scores, scheme)
    result = {
        **_of_all([score.patient for score in scores], mpps, file_mpps),
        **nuclei_counted(figures, scheme),
        **figures,
        "interval95": intervals_of(scores, scheme),
        "protocol": protocol_of(every, scheme, rim_px, edge_um),
        "per_image": [
            figures_of_image(name, score, scheme)
            for name, score in zip(images.names, scores, strict=True)
        ],
    }
    return _Measured(result, scores, scheme)


def _measure_dots(
    images: LabelledImages,
    predicted: Callable[[LabelledImage], Prediction],
    scheme: ClassScheme,
    model_mpp: float,
    report: Report | None,
) -> _Measured:
    scores: list[DotScore] = []
    mpps, file_mpps = set(), set()
    for labelled, prediction in _pairs(images, predicted, model_mpp, report):
        assert labelled.dots is not None  # this data set has no other labels
        scores.append(
            score_dots(
                labelled.dots,
                prediction.nuclei,
                scheme,
                mpp=labelled.mpp,
                patient=labelled.patient,
            )
        )
        mpps.add(labelled.mpp)
        file_mpps.add(labelled.file_mpp)
    result = {
        **_of_all([score.patient for score in scores], mpps, file_mpps),
        "dots": dot_figures(scores, scheme),
        "interval95": {"dots": dot_intervals(scores, scheme)},
        "protocol": {
            "labels": "dots",
            "explanation": "a dot is found by the predicted nucleus under it or the nearest within "
            "the detection radius; nuclei without a dot count as wrongly called, although some "
            "nuclei have none.",
            "detection_radius_um": DETECTION_RADIUS_UM,
        },
        "per_image": [
            {"name": name, "patient": score.patient, **dot_figures([score], scheme)}
            for name, score in zip(images.names, scores, strict=True)
        ],
    }
    return _Measured(result, scores, scheme)


def _of_all(
    patient_of_image: Sequence[str], mpps: set[float], file_mpps: set[float | None]
) -> dict[str, Any]:
    """Return what all images together are, and how intervals are drawn from them."""
    patients = len({*patient_of_image})
    rough = patients < FEW_PATIENTS
    return {
        "images": len(patient_of_image),
        "patients": patients,
        "mpp": min(mpps),
        "mpp_of_files": sorted(each for each in file_mpps if each is not None),
        "bootstrap": {
            "samples": BOOTSTRAP_SAMPLES,
            "seed": BOOTSTRAP_SEED,
            "over": "patients, then their images" if rough else "patients",
            "rough": rough,
        },
    }


def _normalised(
    image: npt.NDArray[np.uint8], mpp: float, stain: StainMethod
) -> npt.NDArray[np.uint8]:
    """Take an image's colours to the training data's, as if it were a slide of its own."""
    slide = ArraySlide(image, mpp=mpp)
    return fit_stain(slide, find_tissue(slide), stain).normalise(image)


def _score(
    reference: LabelledImage,
    prediction: Prediction,
    scheme: ClassScheme,
    count_other: bool,
    rim_px: int,
) -> ImageScore:
    try:
        return score_image(
            reference.nuclei,
            prediction.nuclei,
            scheme,
            mpp=reference.mpp,
            patient=reference.patient,
            count_other=count_other,
            class_map=prediction.class_map,
            ternary_map=prediction.ternary_map,
            ignore=reference.not_scored,
            rim_px=rim_px,
        )
    except DataError as error:
        raise DataError(f"{reference.name}: {error}") from error
