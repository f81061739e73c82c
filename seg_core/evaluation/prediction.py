"""What a model answers on a labelled image, and as files in the mask layout."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme
from seg_core.errors import DataError, ExportError
from seg_core.geometry import Raster
from seg_core.labelled.layouts import CLASSES, INSTANCES, read_labels
from seg_core.labelled.nuclei import Nuclei, majority_class_ids
from seg_core.model import Engine
from seg_core.nuclei.context import contexts_of, named_in_context
from seg_core.nuclei.context_head import ContextHead
from seg_core.nuclei.described import features_of
from seg_core.nuclei.instances import find_instances
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide
from seg_core.tiling.predict import gathered, predict

CLASS_MAPS, TERNARY_MAPS = "semantic", "ternary"
"""Folders of the network's own maps, beside those of the mask layout."""

_HIGHEST_LABEL = np.iinfo(np.uint16).max


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer on one image, on that image's own pixels."""

    nuclei: Nuclei

    class_map: npt.NDArray[np.uint8] | None = None
    """(H, W) the network's class of each pixel; None where only the nuclei are known."""

    ternary_map: npt.NDArray[np.uint8] | None = None
    """(H, W) the network's ternary map; None where only the nuclei are known."""

    class_shares: npt.NDArray[np.float32] | None = None
    """(N, C + 1) of the vote, or each class's probability, *other* first; row i is of label i + 1.
    None where only the nuclei are known."""

    features: npt.NDArray[np.float16] | None = None
    """(N, F) what the network knows of each nucleus, where that was asked for."""

    around: npt.NDArray[np.float32] | None = None
    """(N, R, F) what it knows of the nuclei around each, where radii were given."""


def predict_image(
    image: npt.NDArray[np.uint8],
    image_mpp: float,
    model_mpp: float,
    engine: Engine,
    settings: AnalysisSettings,
    scheme: ClassScheme,
    *,
    head: ContextHead | None = None,
    radii_um: Sequence[float] = (),
) -> Prediction:
    """Let the model find the nuclei of an image, exactly as in an analysis but without tissue mask.

    Parameters
    ----------
    image : (H, W, 3) uint8
        RGB.
    image_mpp, model_mpp : float
        µm per pixel; where they differ by more than 5 % the image is resampled for the network,
        and its answer is brought back to the image's pixels by nearest neighbour.
    engine : Engine
    settings : AnalysisSettings
    scheme : ClassScheme
    head : ContextHead, optional
        Names the nuclei, as in an analysis by a model that has one.
    radii_um : sequence of float
        Of the contexts of each nucleus, where features and contexts are wanted without a head.

    Returns
    -------
    prediction : Prediction
    """
    slide = ArraySlide(image, mpp=image_mpp)
    raster = slide.raster(model_mpp)
    described = head is not None or bool(radii_um)
    bands = predict(slide, raster, raster.window, engine, settings, with_features=described)
    maps, pieces = gathered(bands, raster)
    voted = scheme if head is None else scheme.without_votes()
    instances = find_instances(maps, raster, raster.window, settings, voted)
    features = around = None
    if pieces is not None:
        features = features_of(instances, pieces)
        if head is not None:
            instances = named_in_context(instances, features, pieces, head, scheme)
        if radii_um:
            around = contexts_of(instances, pieces, radii_um)
    seen = _pixels_of(raster, image.shape[1], image.shape[0])
    return Prediction(
        Nuclei(instances.labels[seen], instances.class_ids),
        maps.class_map[seen],
        maps.ternary_map[seen],
        instances.class_shares,
        features,
        around,
    )


def write_prediction(prediction: Prediction, folder: Path, name: str) -> None:
    """Write a prediction as PNG: ``inst/`` and ``class/`` as in the mask layout, and the maps.

    Parameters
    ----------
    prediction : Prediction
    folder : Path
        Made where it is missing; files of this name in it are replaced.
    name : str
        Stem of the image.

    Raises
    ------
    ExportError
        If a file cannot be written.
    """
    labels = prediction.nuclei.labels
    if int(labels.max(initial=0)) > _HIGHEST_LABEL:
        raise ExportError(
            f"{name} has more than {_HIGHEST_LABEL} nuclei, which a 16-bit PNG cannot number; "
            "evaluate smaller images."
        )
    images: dict[str, npt.NDArray[np.generic] | None] = {
        INSTANCES: labels.astype(np.uint16),
        CLASSES: prediction.nuclei.class_map(),
        CLASS_MAPS: prediction.class_map,
        TERNARY_MAPS: prediction.ternary_map,
    }
    for kind, image in images.items():
        if image is not None:
            _write_png(image, folder / kind / f"{name}.png")


def refuse_labels(folder: Path, data: Path) -> None:
    """Refuse to write predictions where the labels lie that they are measured by, in the same layout.

    Raises
    ------
    ExportError
        If they would take the labels' place.
    """
    if any((folder / kind).resolve() == (data / kind).resolve() for kind in (INSTANCES, CLASSES)):
        raise ExportError(
            f"{folder} holds the labels themselves, and predictions would be written over them; give "
            "another folder."
        )


def read_prediction(folder: Path, name: str) -> Prediction:
    """Read a prediction that `write_prediction`, or another program in this layout, has written.

    ``inst/`` and ``class/`` are needed; a nucleus has the class of most of its pixels. Without
    ``semantic/`` and ``ternary/`` the figures of pixels are those of the nuclei.

    Raises
    ------
    DataError
        If a mask is missing or cannot be read.
    """
    labels, class_map = (
        read_labels(folder / kind / f"{name}.png") for kind in (INSTANCES, CLASSES)
    )
    if labels.shape != class_map.shape:
        raise DataError(
            f"the masks of {name} in {INSTANCES}/ and {CLASSES}/ of {folder.name} differ in size; "
            "both must have the size of their image."
        )
    maps = {
        kind: read_labels(folder / kind / f"{name}.png").astype(np.uint8)
        for kind in (CLASS_MAPS, TERNARY_MAPS)
        if (folder / kind).is_dir()
    }
    return Prediction(
        Nuclei(labels, majority_class_ids(labels, class_map)),
        maps.get(CLASS_MAPS),
        maps.get(TERNARY_MAPS),
    )


def _pixels_of(
    raster: Raster, width: int, height: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the indices that lay a raster's map over an image's own pixels."""
    sides = []
    for length, limit, axis in ((height, raster.height, 1), (width, raster.width, 0)):
        centres = np.repeat((np.arange(length) + 0.5)[:, None], 2, axis=1)
        on_raster = np.floor(raster.from_level0(centres)[:, axis])
        sides.append(np.clip(on_raster, 0, limit - 1).astype(np.intp))
    rows, columns = np.ix_(*sides)
    return rows, columns


def _write_png(image: npt.NDArray[np.generic], path: Path) -> None:
    done, encoded = cv2.imencode(".png", image)
    assert done  # whole numbers of 8 or 16 bit always can be
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded.tobytes())
    except OSError as error:
        raise ExportError(
            f"{path} cannot be written ({error.strerror or error}); choose another place."
        ) from error
