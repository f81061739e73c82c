"""The pixels of labelled nuclei as a list: most of a picture is none of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class NucleusPixels:
    """The pixels of labelled nuclei in reading order, and sums over those of each nucleus.

    Attributes
    ----------
    indices : (P,) int64
        Where the pixels are in the flat labels.
    y, x : (P,) int64
        The same, as rows and columns.
    owners : (P,) int64
        The label of each, less 1.
    count : int
        Number of nuclei; one of which there is no pixel has the area 0.
    """

    indices: _Integers
    y: _Integers
    x: _Integers
    owners: _Integers
    count: int

    @classmethod
    def of(cls, labels: npt.NDArray[np.int32], count: int) -> "NucleusPixels":
        """List the pixels of labels (H, W), 0 none, 1 to ``count`` one a nucleus."""
        is_nucleus = labels > 0
        indices = np.flatnonzero(is_nucleus)
        y = np.repeat(np.arange(len(labels)), np.count_nonzero(is_nucleus, axis=1))
        owners = labels.reshape(-1)[indices].astype(np.int64)
        owners -= 1
        return cls(indices, y, indices - y * labels.shape[1], owners, count)

    def selected(self, keep: npt.NDArray[np.bool_]) -> "NucleusPixels":
        """Return those of some of the nuclei, numbered anew.

        Parameters
        ----------
        keep : (count,) bool
        """
        if keep.all():
            return self
        kept = keep[self.owners]
        numbers = keep.cumsum() - 1
        return NucleusPixels(
            self.indices[kept],
            self.y[kept],
            self.x[kept],
            numbers[self.owners[kept]],
            int(np.count_nonzero(keep)),
        )

    def painted(self, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
        """Return the labels (H, W) again."""
        labels = np.zeros(shape, np.int32)
        labels.reshape(-1)[self.indices] = self.owners + 1
        return labels

    @cached_property
    def areas_px(self) -> _Integers:
        """Number of pixels of each nucleus, (count,)."""
        return np.bincount(self.owners, minlength=self.count)

    @cached_property
    def coordinate_sums(self) -> _Integers:
        """Sums of x and of y over each nucleus, (count, 2); whole numbers are exact."""
        return np.stack([self.sums(self.x), self.sums(self.y)], axis=1).astype(np.int64)

    def sums(self, values: npt.ArrayLike) -> _Floats:
        """Sum a value of each pixel over each nucleus, in reading order."""
        sums = np.bincount(self.owners, weights=values, minlength=self.count)
        return sums.astype(np.float64, copy=False)

    def central_moments(self) -> tuple[_Floats, _Floats, _Floats]:
        """Return the variances of x and of y, and their covariance, of each nucleus.

        Coordinates are counted from the whole pixel next to the centroid: the sums stay small,
        so they are exact, and the same wherever the nucleus lies in the array.
        """
        near_x, near_y = (self.coordinate_sums // self.areas_px[:, None]).T
        x = (self.x - near_x[self.owners]).astype(np.float64)
        y = (self.y - near_y[self.owners]).astype(np.float64)
        mean_x, mean_y = self.sums(x) / self.areas_px, self.sums(y) / self.areas_px
        return (
            self.sums(x * x) / self.areas_px - mean_x**2,
            self.sums(y * y) / self.areas_px - mean_y**2,
            self.sums(x * y) / self.areas_px - mean_x * mean_y,
        )
