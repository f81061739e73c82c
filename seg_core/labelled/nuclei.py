"""Labelled nuclei as arrays, whoever labelled them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from seg_core.classes import BACKGROUND
from seg_core.errors import DataError

MOST_CLASS_ID = 255
"""The highest number that a class can have in a mask."""


@dataclass(frozen=True, slots=True)
class Nuclei:
    """Labelled nuclei of one image, as the reference or a prediction has them."""

    labels: npt.NDArray[np.integer]
    """(H, W): 0 background, other numbers one a nucleus; gaps are allowed."""

    class_ids: npt.NDArray[np.integer] | None = None
    """(N,): row i is the class of label i + 1, 0 *other*; None where nobody knows the classes."""

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.dtype.kind not in "ui":
            raise DataError(
                f"a label map has two dimensions and whole numbers, not shape {self.labels.shape} "
                f"and {self.labels.dtype}."
            )
        if self.labels.size and int(self.labels.min()) < 0:
            raise DataError(f"a label map has no negative label, got {int(self.labels.min())}.")
        highest = int(self.labels.max(initial=0))
        if self.class_ids is not None and len(self.class_ids) < highest:
            raise DataError(
                f"the label map goes up to {highest}, but there are classes for "
                f"{len(self.class_ids)} nuclei only; give one class a label."
            )

    def class_map(self) -> npt.NDArray[np.uint8]:
        """Return (H, W) uint8: each nucleus painted in its class; 0 where classes are unknown."""
        if self.class_ids is None:
            return np.zeros(self.labels.shape, dtype=np.uint8)
        of_label = np.concatenate([[BACKGROUND], self.class_ids]).astype(np.uint8)
        return of_label[self.labels]


def majority_class_ids(
    labels: npt.NDArray[np.integer], class_map: npt.NDArray[np.integer]
) -> npt.NDArray[np.uint8]:
    """Return the class of most pixels of each nucleus, the smaller id where two are even.

    Parameters
    ----------
    labels : (H, W) integer
    class_map : (H, W) integer

    Returns
    -------
    class_ids : (N,) uint8
        Row i is the class of label i + 1, up to the highest label; 0 for numbers nobody has.

    Raises
    ------
    DataError
        If a nucleus has pixels of a class above `MOST_CLASS_ID`.

    Examples
    --------
    >>> majority_class_ids(np.array([[1, 1, 1, 3]]), np.array([[2, 2, 0, 4]]))
    array([2, 0, 4], dtype=uint8)
    """
    inside = labels > 0
    ids = class_map[inside]
    kinds = int(ids.max(initial=0)) + 1
    if kinds > MOST_CLASS_ID + 1:
        raise DataError(
            f"a mask of classes has the number {kinds - 1:,} on a nucleus, classes have numbers up to "
            f"{MOST_CLASS_ID}; give a mask whose pixels are numbers of classes, not of nuclei."
        )
    highest = int(labels.max(initial=0))
    codes = (labels[inside].astype(np.int64) - 1) * kinds + ids
    votes = np.bincount(codes, minlength=highest * kinds).reshape(highest, kinds)
    return votes.argmax(axis=1).astype(np.uint8)


def nuclei_at(
    labels: npt.NDArray[np.integer], points: npt.NDArray[np.float64], reach_px: float
) -> npt.NDArray[np.int32]:
    """Return the label under each point, or the nearest one within reach; 0 where there is none.

    Examples
    --------
    >>> row = np.array([[0, 0, 0, 4, 4]], np.int32)
    >>> nuclei_at(row, np.array([[4.5, 0.5], [2.5, 0.5], [0.5, 0.5]]), reach_px=2)
    array([4, 4, 0], dtype=int32)
    """
    if not len(points) or not labels.any():
        return np.zeros(len(points), dtype=np.int32)
    distances, (rows, columns) = ndimage.distance_transform_edt(labels == 0, return_indices=True)
    height, width = labels.shape
    at = np.floor(points).astype(np.intp)
    x, y = np.clip(at[:, 0], 0, width - 1), np.clip(at[:, 1], 0, height - 1)
    nearest = labels[rows[y, x], columns[y, x]]
    return np.where(distances[y, x] <= reach_px, nearest, 0).astype(np.int32)
