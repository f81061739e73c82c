"""Seeds: the connected insides from which nuclei grow."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.classes import INSIDE
from seg_core.geometry import Window
from seg_core.settings import AnalysisSettings


@dataclass(frozen=True)
class Seeds:
    """The insides of nuclei, numbered in reading order.

    Attributes
    ----------
    labels : (H, W) int32
        0 none, 1 to N by first pixel: upper rows first, in a row from the left.
    bounds : (N, 4) int64
        Left, top, right and bottom of each, in pixels of ``labels``, right and bottom excluded.
    overlarge : (H, W) bool
        Connected parts of *inside* too large to be a nucleus; no seed, and none grows into them.
    speckle : (M, 4) int64
        Bounds of the connected parts too small for a seed.
    """

    labels: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int64]
    overlarge: npt.NDArray[np.bool_]
    speckle: npt.NDArray[np.int64]

    def cropped(self, window: Window) -> "Seeds":
        """Return what a window of the labels shows of the seeds; their numbers stay.

        ``bounds`` stay those of the whole seeds, in pixels of the new labels.
        """
        part = window.slices()
        corner = np.array([window.x, window.y] * 2)
        return Seeds(
            self.labels[part], self.bounds - corner, self.overlarge[part], self.speckle - corner
        )

    def reaching(self, core: Window, growth_px: int) -> npt.NDArray[np.int64]:
        """Return the rows of the seeds whose bounds, grown, share a pixel with a window."""
        left, top, right, bottom = self.bounds.T
        return np.flatnonzero(
            (left - growth_px < core.right)
            & (right + growth_px > core.x)
            & (top - growth_px < core.bottom)
            & (bottom + growth_px > core.y)
        )


def find_seeds(ternary_map: npt.NDArray[np.uint8], mpp: float, settings: AnalysisSettings) -> Seeds:
    """Find the connected parts of *inside*, four neighbours a pixel.

    Those below ``settings.min_seed_um2`` are speckle and no seeds. Those whose bounding box is
    wider or higher than ``settings.max_extent_um`` are folds and smears.

    Parameters
    ----------
    ternary_map : (H, W) uint8
    mpp : float
        Size of its pixels, µm.
    settings : AnalysisSettings

    Examples
    --------
    >>> ternary = np.array([[0, 1, 1], [2, 2, 0], [1, 1, 1]], dtype=np.uint8)
    >>> seeds = find_seeds(ternary, mpp=1.0, settings=AnalysisSettings())
    >>> seeds.labels
    array([[0, 1, 1],
           [0, 0, 0],
           [2, 2, 2]], dtype=int32)
    >>> seeds.bounds.tolist()
    [[1, 0, 3, 1], [0, 2, 3, 3]]
    """
    inside = ternary_map == INSIDE
    if not inside.any():  # most of a slide is glass
        none = np.empty((0, 4), np.int64)
        labels, overlarge = (np.zeros(inside.shape, kind) for kind in (np.int32, np.bool_))
        return Seeds(labels, none, overlarge, none)
    # OpenCV numbers by first pixel in reading order for four neighbours (not for eight); a test
    # watches that, because ties between seeds are broken by it.
    count, labels = cv2.connectedComponents(inside.view(np.uint8), connectivity=4)
    areas_px, bounds = _areas_and_bounds(inside, labels, count - 1)
    extents_px = (bounds[:, 2:] - bounds[:, :2]).max(axis=1, initial=0)
    overlarge = extents_px * mpp > settings.max_extent_um
    kept = ~overlarge & (areas_px * mpp**2 >= settings.min_seed_um2)

    is_overlarge = np.zeros(labels.shape, dtype=np.bool_)
    if not kept.all():
        pixels = np.flatnonzero(inside)
        owners = labels.reshape(-1)[pixels] - 1
        is_overlarge.reshape(-1)[pixels[overlarge[owners]]] = True
        numbers = np.where(kept, kept.cumsum(), 0).astype(np.int32)
        labels.reshape(-1)[pixels] = numbers[owners]
    return Seeds(labels, bounds[kept], is_overlarge, bounds[~kept & ~overlarge])


def _areas_and_bounds(
    inside: npt.NDArray[np.bool_], labels: npt.NDArray[np.int32], count: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return area and bounds, as in `Seeds`, of each label; seven times faster than OpenCV's.

    Only where horizontal runs begin and end is looked at.
    """
    height, width = inside.shape
    # with a column of none behind each row, runs begin and end in turns
    bordered = np.zeros((height, width + 1), np.bool_)
    bordered[:, :-1] = inside
    flat = bordered.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if len(flat) and flat[0]:
        changes = np.insert(changes, 0, 0)
    y, x = np.divmod(changes[::2], width + 1)
    lengths = changes[1::2] - changes[::2]
    owners = labels[y, x] - 1
    areas_px = np.bincount(owners, weights=lengths, minlength=count).astype(np.int64)

    bounds = np.empty((count, 4), np.int64)
    bounds[:, :2], bounds[:, 2:] = max(labels.shape), 0
    np.minimum.at(bounds[:, 0], owners, x)
    np.minimum.at(bounds[:, 1], owners, y)
    np.maximum.at(bounds[:, 2], owners, x + lengths)
    np.maximum.at(bounds[:, 3], owners, y + 1)
    return areas_px, bounds
