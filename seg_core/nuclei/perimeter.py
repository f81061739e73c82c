"""The perimeter of labelled nuclei, all at once, without the bias of pixel chains.

A chain along pixels, or from side to side as the outlines of `contours` go, runs in eight directions
only: around a disc it is longer than the circle by 8(√2 - 1)/π - 1, 5.5 %, however fine the pixels.
Crofton's formula asks instead how wide the nucleus is in many directions (Cauchy: the perimeter of a
convex shape is the mean width times π; of others, what lines enter and leave is counted with it).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Direction:
    """A step (x, y) from pixel to pixel, and the angle of which it is the nearest, radians."""

    x: int
    y: int
    angle: float

    @property
    def length(self) -> float:
        return math.hypot(self.x, self.y)


def _directions() -> Iterator[_Direction]:
    # rising from 0 to below π; the steps of a knight halve the gaps between the usual four
    steps = ((1, 0), (2, 1), (1, 1), (1, 2), (0, 1), (-1, 2), (-1, 1), (-2, 1))
    angles = [math.atan2(y, x) for x, y in steps]
    before = [angles[-1] - math.pi, *angles[:-1]]
    after = [*angles[1:], angles[0] + math.pi]
    for (x, y), low, high in zip(steps, before, after, strict=True):
        yield _Direction(x, y, (high - low) / 2)


_DIRECTIONS = tuple(_directions())
_REACH = 2  # px of the longest step


def crofton_perimeters(labels: npt.NDArray[np.integer], areas_px: npt.NDArray[np.int64]) -> _Floats:
    """Return the perimeter of each nucleus, holes included, px.

    For a step v the pixels p of a nucleus for which p + v is none of its own are counted; divided
    by the length of v they are its width across v (Crofton's formula on a grid, Serra 1982). A
    step cuts the round end of a shape short: for an ellipse, whose chord along v is d at most, the
    count is too small by the share v² / (6 d²), which is put right with d = 4/π of the mean chord.
    Over all positions on the grid the mean error for ellipses of 8 px and more is below 0.5 %.

    Parameters
    ----------
    labels : (H, W) integer
        0 none, 1 to N one a nucleus, all of them there.
    areas_px : (N,) int64
        Number of pixels of each.

    Returns
    -------
    perimeters : (N,) float64

    Examples
    --------
    >>> y, x = np.mgrid[-20:21, -20:21]
    >>> disc = (np.hypot(x - 0.3, y + 0.4) <= 15).astype(int)
    >>> perimeter = crofton_perimeters(disc, np.array([disc.sum()]))[0]
    >>> round(float(perimeter / (2 * np.pi * 15)), 2)
    1.0
    """
    # a border of background, so that no step wraps to a pixel of the next row
    padded = np.pad(labels, _REACH)
    flat = padded.reshape(-1)
    near = _near_edges(padded)
    owners = flat.take(near)
    perimeters = np.zeros(len(areas_px))
    for step in _DIRECTIONS:
        ahead = step.y * padded.shape[1] + step.x
        # a mask in brackets takes four times as long
        left = owners.compress(flat.take(near + ahead) != owners)
        widths = np.bincount(left, minlength=len(areas_px) + 1)[1:] / step.length
        chords = 4 / np.pi * areas_px / widths
        perimeters += step.angle * widths / (1 - step.length**2 / (6 * chords**2))
    return perimeters


def _near_edges(labels: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return where in the flat labels the pixels of nuclei are that a step can leave them from.

    Such a pixel has beside it, or beside one of its eight neighbours, an edge to another label: a
    step of two along and one across is three steps across edges, of which the first two stay beside
    the pixel.
    """
    beside = np.zeros(labels.shape, np.bool_)
    differ = labels[1:] != labels[:-1]
    beside[1:] |= differ
    beside[:-1] |= differ
    differ = labels[:, 1:] != labels[:, :-1]
    beside[:, 1:] |= differ
    beside[:, :-1] |= differ
    near = cv2.dilate(beside.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
    near &= labels > 0
    return np.flatnonzero(near)
