"""Copy-paste of rare nuclei: neutrophils and macrophages are one in a hundred (Ghiasi et al. 2021)."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.resolution import enlarge_image, enlarge_labels

MARGIN_PX = 3  # around a nucleus, where the paste fades into the crop


@dataclass(frozen=True)
class _Cutting:
    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    class_id: int


class NucleusBank:
    """Every nucleus of the rare classes, cut out.

    Parameters
    ----------
    images : sequence of LabelledImage
    class_ids : sequence of int
        Of the rare classes.
    mpp : float
        µm per pixel of the crops; nuclei of coarser images are enlarged.
    """

    def __init__(
        self, images: Sequence[LabelledImage], class_ids: Sequence[int], mpp: float
    ) -> None:
        self._by_class: dict[int, list[_Cutting]] = {}
        for image in images:
            for row in np.flatnonzero(np.isin(image.classes, class_ids)):
                x0, y0, x1, y1 = image.boxes[row]
                rows = slice(max(y0 - MARGIN_PX, 0), y1 + MARGIN_PX)
                columns = slice(max(x0 - MARGIN_PX, 0), x1 + MARGIN_PX)
                mask = image.instances[rows, columns] == row + 1
                picture = image.image[rows, columns]
                if image.factor_to(mpp) > 1:
                    picture, mask = enlarge_image(picture), enlarge_labels(mask)
                cutting = _Cutting(picture, mask, int(image.classes[row]))
                self._by_class.setdefault(cutting.class_id, []).append(cutting)

    def draw(self, rng: np.random.Generator) -> _Cutting | None:
        """Return a nucleus of a class drawn first, turned by chance; None from an empty bank."""
        if not self._by_class:
            return None
        class_id = int(rng.choice(sorted(self._by_class)))
        several = self._by_class[class_id]
        cutting = several[rng.integers(len(several))]
        turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        image, mask = np.rot90(cutting.image, turns), np.rot90(cutting.mask, turns)
        if flip:
            image, mask = image[:, ::-1], mask[:, ::-1]
        return _Cutting(np.ascontiguousarray(image), np.ascontiguousarray(mask), class_id)


def paste_nuclei(
    image: npt.NDArray[np.uint8],
    instances: npt.NDArray[np.int32],
    classes: npt.NDArray[np.uint8],
    weights: npt.NDArray[np.float32],
    bank: NucleusBank,
    rng: np.random.Generator,
    most: int = 3,
) -> tuple[
    npt.NDArray[np.uint8],
    npt.NDArray[np.int32],
    npt.NDArray[np.uint8],
    npt.NDArray[np.float32],
]:
    """Copy up to ``most`` nuclei onto background of a crop, their light fitted to the place.

    Returns
    -------
    image, instances, classes, weights
        As given, with the new nuclei; the given arrays stay as they are.
    """
    image, instances = image.copy(), instances.copy()
    size = instances.shape[0]
    for _ in range(int(rng.integers(1, most + 1))):
        cutting = bank.draw(rng)
        if cutting is None:
            break
        height, width = cutting.mask.shape
        if height >= size or width >= size:
            continue
        y, x = int(rng.integers(size - height)), int(rng.integers(size - width))
        place = np.s_[y : y + height, x : x + width]
        if instances[place][cv2.dilate(cutting.mask.astype(np.uint8), None) > 0].any():
            continue
        surround = np.median(image[place].reshape(-1, 3), axis=0)
        own = np.median(cutting.image[~cutting.mask].reshape(-1, 3), axis=0)
        light = np.clip((surround + 1) / (own + 1), 0.6, 1.5)
        alpha = cv2.GaussianBlur(cutting.mask.astype(np.float32), (0, 0), 1.0)[..., None]
        mixed = alpha * np.clip(cutting.image * light, 0, 255) + (1 - alpha) * image[place]
        image[place] = mixed.astype(np.uint8)
        instances[place][cutting.mask] = len(classes) + 1
        classes = np.append(classes, np.uint8(cutting.class_id))
        weights = np.append(weights, np.float32(1))
    return image, instances, classes, weights
