"""The pixels of labelled nuclei as a list of runs: most of a picture is none of them.

A *run* is what a nucleus has of one row without a gap, some twenty pixels long. All that is counted
of whole numbers (areas, centroids, moments) is counted by runs; only what each pixel says for itself,
its class and its colours, is added up pixel by pixel.
"""

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
    starts : (R,) int64
        Where each run begins in the flat labels.
    lengths : (R,) int64
        How many pixels it has.
    owners : (R,) int64
        Its label, less 1.
    width : int
        Of the labels.
    count : int
        Number of nuclei; one of which there is no pixel has the area 0.
    """

    starts: _Integers
    lengths: _Integers
    owners: _Integers
    width: int
    count: int

    @classmethod
    def of(cls, labels: npt.NDArray[np.int32], count: int) -> "NucleusPixels":
        """List the pixels of labels (H, W), 0 none, 1 to ``count`` one a nucleus."""
        begins = np.empty(labels.shape, np.bool_)
        begins[:, :1] = True  # no run goes on in the next row
        np.not_equal(labels[:, 1:], labels[:, :-1], out=begins[:, 1:])
        starts = np.flatnonzero(begins)
        lengths = np.diff(starts, append=labels.size)
        owners = labels.reshape(-1)[starts].astype(np.int64) - 1
        is_nucleus = owners >= 0
        return cls(
            starts[is_nucleus], lengths[is_nucleus], owners[is_nucleus], labels.shape[1], count
        )

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
            self.starts[kept],
            self.lengths[kept],
            numbers[self.owners[kept]],
            self.width,
            int(np.count_nonzero(keep)),
        )

    def painted(self, shape: tuple[int, ...]) -> npt.NDArray[np.int32]:
        """Return the labels (H, W) again."""
        labels = np.zeros(shape, np.int32)
        numbers = np.repeat((self.owners + 1).astype(np.int32), self.lengths)
        labels.reshape(-1)[self.indices] = numbers
        return labels

    @cached_property
    def indices(self) -> _Integers:
        """Where all the pixels are in the flat labels, (P,)."""
        return np.arange(int(self.lengths.sum())) + np.repeat(
            self.starts - self._first_pixels, self.lengths
        )

    @cached_property
    def areas_px(self) -> _Integers:
        """Number of pixels of each nucleus, (count,)."""
        return self._whole_sums(self.lengths)

    @cached_property
    def coordinate_sums(self) -> _Integers:
        """Sums of x and of y over each nucleus, (count, 2); whole numbers are exact."""
        y, x = np.divmod(self.starts, self.width)
        sums_of_x = self.lengths * x + self.lengths * (self.lengths - 1) // 2
        sums = (self._whole_sums(each) for each in (sums_of_x, self.lengths * y))
        return np.stack(list(sums), axis=1)

    def sums(self, values: npt.NDArray[np.floating]) -> _Floats:
        """Sum a value of each pixel, (P,) in the order of ``indices``, over each nucleus."""
        if not len(self.starts):
            return np.zeros(self.count)
        by_run = np.add.reduceat(values, self._first_pixels, dtype=np.float64)
        sums = np.bincount(self.owners, weights=by_run, minlength=self.count)
        return sums.astype(np.float64, copy=False)

    def votes(
        self, choices: npt.NDArray[np.uint8], weights: npt.NDArray[np.uint8], choice_count: int
    ) -> _Integers:
        """Sum up the weights with which the pixels of each nucleus vote for each choice.

        Parameters
        ----------
        choices : (P,) uint8
            Below ``choice_count``.
        weights : (P,) uint8
        choice_count : int

        Returns
        -------
        (count, choice_count) int64
        """
        places = np.repeat(self.owners * choice_count, self.lengths)
        places += choices
        size = self.count * choice_count
        votes = np.bincount(places, weights=weights, minlength=size).astype(np.int64)
        return votes.reshape(self.count, choice_count)

    def central_moments(self) -> tuple[_Floats, _Floats, _Floats]:
        """Return the variances of x and of y, and their covariance, of each nucleus.

        Coordinates are counted from the whole pixel next to the centroid: the sums stay small,
        so they are exact, and the same wherever the nucleus lies in the array.
        """
        near_x, near_y = (self.coordinate_sums // self.areas_px[:, None]).T
        y, x = np.divmod(self.starts, self.width)
        x, y = x - near_x[self.owners], y - near_y[self.owners]
        length = self.lengths
        # of 0, 1, … length - 1
        counted = length * (length - 1) // 2
        squared = counted * (2 * length - 1) // 3
        sums_of_x = length * x + counted
        mean_x, mean_y, mean_xx, mean_yy, mean_xy = (
            self._whole_sums(each) / self.areas_px
            for each in (
                sums_of_x,
                length * y,
                length * x * x + 2 * x * counted + squared,
                length * y * y,
                sums_of_x * y,
            )
        )
        return mean_xx - mean_x**2, mean_yy - mean_y**2, mean_xy - mean_x * mean_y

    @cached_property
    def _first_pixels(self) -> _Integers:
        """The number, among all pixels, of the first one of each run."""
        return self.lengths.cumsum() - self.lengths

    def _whole_sums(self, of_runs: _Integers) -> _Integers:
        """Sum whole numbers over each nucleus; in doubles they are exact, up to 2**53."""
        sums = np.bincount(self.owners, weights=of_runs, minlength=self.count)
        return sums.astype(np.int64)
