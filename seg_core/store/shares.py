"""How much of a coarse pixel is what.

A map that is halved by votes keeps the look of nuclei for a few levels; then small ones vanish and
dense ones run together. What a whole slide on a screen should show is a mean: the share of each
coarse pixel that a class covers. So from level 2 on (4 × 4 pixels of the raster) a run keeps, as
bytes of which 255 is all of the pixel::

    class     one plane for each class: the part of the pixel that is nuclei of the class
    ternary   two planes: the part that is inside of nuclei, and that is rim
    score     one plane: the mean of the score, counted 0 where there is no nucleus of a class,
              so that divided by the sum of the classes it is the mean score of the nuclei
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.classes import BACKGROUND, BOUNDARY, INSIDE
from seg_core.maps import MapName

FIRST_SHARE_LEVEL = 2
"""Finer levels are quickly computed from the raster when they are asked for."""

_TERNARY = (INSIDE, BOUNDARY)

_Image = npt.NDArray[np.uint8]


def share_planes(class_count: int) -> dict[MapName, slice]:
    """Return which of all planes, one after the other, are those of a map.

    Examples
    --------
    >>> share_planes(4)
    {'class': slice(0, 4, None), 'ternary': slice(4, 6, None), 'score': slice(6, 7, None)}
    """
    ternary = class_count + len(_TERNARY)
    return {
        "class": slice(0, class_count),
        "ternary": slice(class_count, ternary),
        "score": slice(ternary, ternary + 1),
    }


def class_count_of(planes: int) -> int:
    """Return how many classes all planes are of; ValueError where there cannot be any."""
    count = planes - len(_TERNARY) - 1
    if count < 1:
        raise ValueError("these are no shares")
    return count


def shares_of(maps: _Image, class_count: int, step: int) -> _Image:
    """Return the shares of all maps, step × step pixels in one.

    Parameters
    ----------
    maps : (3, H, W) uint8
        Class, ternary, score.
    class_count : int
    step : int

    Returns
    -------
    (P, ceil(H / step), ceil(W / step)) uint8
        Planes as `share_planes` tells.
    """
    classes, ternary, score = _completed(maps, step)
    covered = [
        *(_covered(classes, value, step) for value in range(1, class_count + 1)),
        *(_covered(ternary, value, step) for value in _TERNARY),
    ]
    score = np.where(classes > BACKGROUND, score, np.uint8(0))
    return np.concatenate([np.stack(covered), averaged(score[None], step)])


def _covered(values: _Image, value: int, step: int) -> _Image:
    """Return the part of each step × step pixels, 4 or 8, that has a value; 255 for all."""
    height, width = values.shape
    rows = (values == value).view(np.uint8).reshape(height // step, step, width)
    counts = rows[:, 0] + rows[:, 1]
    for number in range(2, step):
        counts += rows[:, number]
    # as one number the bytes of a row of pixels, multiplied by 1 in each byte, add up in the highest
    words = counts.view(f"u{step}")
    words *= words.dtype.type(int.from_bytes(b"\1" * step))
    words >>= words.dtype.type(8 * (step - 1))
    bytes_of_counts = np.rint(np.arange(step**2 + 1) * (255 / step**2)).astype(np.uint8)
    return bytes_of_counts[words]


def planes_of(read: Callable[[MapName], _Image], name: MapName, class_count: int) -> _Image:
    """Return the planes of a map's own pixels, each 0 or 255, the score as it is.

    Parameters
    ----------
    read : callable
        Answers a map, (H, W) uint8; asked only for what is needed.
    name : {"class", "ternary", "score"}
    class_count : int

    Returns
    -------
    (P, H, W) uint8

    Examples
    --------
    >>> planes_of(lambda name: np.array([[0, 2]], dtype=np.uint8), "class", 2).tolist()
    [[[0, 0]], [[0, 255]]]
    """
    values = read(name)
    if name == "score":
        return np.where(read("class") > BACKGROUND, values, np.uint8(0))[None]
    wanted = range(1, class_count + 1) if name == "class" else _TERNARY
    planes = np.empty((len(wanted), *values.shape), dtype=np.uint8)
    for plane, value in zip(planes, wanted, strict=True):
        np.equal(values, value, out=plane.view(np.bool_))
        np.negative(plane, out=plane)  # of bytes: 1 becomes 255
    return planes


def averaged(planes: _Image, step: int) -> _Image:
    """Average step × step pixels of each plane; an incomplete last row or column is completed.

    Parameters
    ----------
    planes : (P, H, W) uint8
    step : int

    Returns
    -------
    (P, ceil(H / step), ceil(W / step)) uint8

    Examples
    --------
    >>> averaged(np.array([[[255, 255, 0], [255, 0, 0]]], dtype=np.uint8), 2).tolist()
    [[[191, 0]]]
    """
    if step == 1:
        return planes
    whole = _completed(planes, step)
    size = (whole.shape[2] // step, whole.shape[1] // step)
    return np.stack([cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in whole])


def _completed(planes: _Image, step: int) -> _Image:
    _, height, width = planes.shape
    if not (height % step or width % step):
        return planes
    return np.pad(planes, ((0, 0), (0, -height % step), (0, -width % step)), mode="edge")
