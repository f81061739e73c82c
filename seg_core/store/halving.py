"""Maps of half the side: votes for classes, means for scores."""

import cv2
import numpy as np
import numpy.typing as npt

_Bytes = npt.NDArray[np.uint8]


def halved(maps: _Bytes) -> _Bytes:
    """Halve the three maps.

    Parameters
    ----------
    maps : (3, H, W) uint8
        Class, ternary, score.

    Returns
    -------
    (3, ceil(H / 2), ceil(W / 2)) uint8
    """
    return np.concatenate([coarser_classes(maps[:2]), coarser_score(maps[2:])])


def coarser_classes(values: _Bytes) -> _Bytes:
    """Halve a map of classes: each 2 × 2 becomes the class that most of its nucleus pixels have.

    A 2 × 2 that is half nucleus counts as nucleus. *Any* of the four would swell nuclei by a
    pixel a level and *most* of them would let small ones vanish at once; half of them lets an edge
    move outwards by a quarter of a coarser pixel on average, and keeps a nucleus for as long as it
    measures a pixel and a half. Ties between classes go to the smaller id.

    Parameters
    ----------
    values : (…, H, W) uint8
        An odd last row or column counts twice.

    Returns
    -------
    (…, ceil(H / 2), ceil(W / 2)) uint8

    Examples
    --------
    >>> coarser_classes(np.array([[2, 2, 0, 0], [0, 3, 0, 4]], dtype=np.uint8))
    array([[2, 0]], dtype=uint8)
    """
    lowest, low, high, highest = _sorted(*_quarters(values))
    # Background, 0, comes first, so with two nucleus pixels or more the third is one. Most votes
    # has the class in the middle where it is there twice, else the highest where it is and the
    # lowest two are not one class of nuclei, which wins the tie; else all are different.
    smallest = np.where(lowest > 0, lowest, np.where(low > 0, low, high))
    paired_above = (high == highest) & ((lowest == 0) | (lowest != low))
    winner: _Bytes = np.where(low == high, low, np.where(paired_above, high, smallest))
    winner *= high > 0
    return winner


def coarser_score(values: _Bytes) -> _Bytes:
    """Halve a map of scores: each 2 × 2 becomes its mean.

    Parameters
    ----------
    values : (…, H, W) uint8
        An odd last row or column counts twice.

    Returns
    -------
    (…, ceil(H / 2), ceil(W / 2)) uint8

    Examples
    --------
    >>> coarser_score(np.array([[10, 20], [30, 41]], dtype=np.uint8))
    array([[25]], dtype=uint8)
    """
    values = _even(values)
    height, width = values.shape[-2:]
    size = (width // 2, height // 2)
    planes = values.reshape(-1, height, width)
    # of 2 × 2 bytes OpenCV rounds halves up
    halves = [cv2.resize(plane, size, interpolation=cv2.INTER_AREA) for plane in planes]
    return np.stack(halves).reshape(*values.shape[:-2], *size[::-1])


def _quarters(values: _Bytes) -> list[_Bytes]:
    """Return the four pixels of each 2 × 2."""
    values = _even(values)
    width = values.shape[-1]
    pairs = np.ascontiguousarray(values).reshape(-1, width // 2, 2)
    columns = [each.reshape(*values.shape[:-1], width // 2) for each in cv2.split(pairs)]
    return [column[..., row::2, :] for row in (0, 1) for column in columns]


def _even(values: _Bytes) -> _Bytes:
    """Let an odd last row or column be there twice."""
    height, width = values.shape[-2:]
    if not (height % 2 or width % 2):
        return values
    unpadded = [(0, 0)] * (values.ndim - 2)
    return np.pad(values, [*unpadded, (0, height % 2), (0, width % 2)], mode="edge")


def _sorted(a: _Bytes, b: _Bytes, c: _Bytes, d: _Bytes) -> tuple[_Bytes, _Bytes, _Bytes, _Bytes]:
    """Sort four values a place by a network of five exchanges."""
    a, b = np.minimum(a, b), np.maximum(a, b)
    c, d = np.minimum(c, d), np.maximum(c, d)
    a, c = np.minimum(a, c), np.maximum(a, c)
    b, d = np.minimum(b, d), np.maximum(b, d)
    return a, np.minimum(b, c), np.maximum(b, c), d
