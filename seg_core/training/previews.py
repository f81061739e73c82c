"""Pictures of what a model gets wrong: the worst images first."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.classes import OTHER_COLOUR, ClassScheme, rgb_of
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model.network import TwoHeadUnet
from seg_core.training.validation import Validation

_MAX_SIDE_PX = 1000
_GAP_PX = 8


def write_previews(
    validation: Validation, network: TwoHeadUnet, scheme: ClassScheme, folder: Path
) -> list[Path]:
    """Write one picture an image: labels on the left, answer on the right.

    Class colours are outlines; grey outlines are nuclei of no class. Files are named by rank
    (worst first), by the share of labelled pixels with the right class, and by image.

    Returns
    -------
    paths : list of Path
        Worst image first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    answered = [(image, *validation.maps(image, network)) for image in validation.images]
    ranked = sorted(answered, key=lambda each: _agreement(each[0], each[1]))
    paths = []
    for rank, (image, class_map, ternary_map) in enumerate(ranked, start=1):
        name = f"{rank:02d}_{_agreement(image, class_map):.3f}_{image.name}.png"
        picture = _side_by_side(
            _outlined(image.image, *_reference_maps(image), scheme),
            _outlined(image.image, class_map, ternary_map > 0, scheme),
        )
        cv2.imwrite(str(folder / name), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        paths.append(folder / name)
    return paths


def _agreement(image: LabelledImage, class_map: npt.NDArray[np.uint8]) -> float:
    """Return the share of pixels of labelled or answered nuclei that have the right class."""
    truth = np.concatenate([[0], image.classes])[image.instances]
    counted = ((truth > 0) | (class_map > 0)) & (truth != UNKNOWN)
    if image.ignore is not None:
        counted &= ~image.ignore
    return float((truth == class_map)[counted].mean()) if counted.any() else 1.0


def _reference_maps(
    image: LabelledImage,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    classes = np.where(image.classes == UNKNOWN, 0, image.classes)
    class_map = np.concatenate([[0], classes])[image.instances].astype(np.uint8)
    return class_map, image.instances > 0


def _outlined(
    rgb: npt.NDArray[np.uint8],
    class_map: npt.NDArray[np.uint8],
    foreground: npt.NDArray[np.bool_],
    scheme: ClassScheme,
) -> npt.NDArray[np.uint8]:
    picture = rgb.copy()
    colours = {0: rgb_of(OTHER_COLOUR), **{each.id: each.rgb for each in scheme.classes}}
    for class_id, colour in colours.items():
        mask = class_map == class_id if class_id else foreground & (class_map == 0)
        outlines, _ = cv2.findContours(
            mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE
        )
        cv2.drawContours(picture, outlines, -1, colour, 2)
    return picture


def _side_by_side(
    left: npt.NDArray[np.uint8], right: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    gap = np.full((left.shape[0], _GAP_PX, 3), 255, dtype=np.uint8)
    picture = np.concatenate([left, gap, right], axis=1)
    scale = min(1.0, _MAX_SIDE_PX / max(left.shape[:2]))
    if scale < 1:
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return picture
