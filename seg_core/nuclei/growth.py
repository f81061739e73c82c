"""Grow seeds into the foreground around them, all at the same pace."""

import cv2
import numpy as np
import numpy.typing as npt

# Values of a pixel while seeds grow, in the order of "who may still take it": background (0) and
# settled labels nobody, a claim of this step only a seed with a smaller label, OPEN every seed.
# Claims round a corner stand behind those across an edge.
_OPEN = np.int32(2**31 - 1)
_CLAIM_ACROSS_EDGE = np.int32(2**30)
_CLAIM_ROUND_CORNER = np.int32(2**30 + 2**29)
_LABEL_BITS = np.int32(2**29 - 1)

# A pixel and its neighbours across an edge.
_ACROSS_EDGES = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)

_Indices = npt.NDArray[np.int64]
_Labels = npt.NDArray[np.int32]


def grow_seeds(seeds: _Labels, foreground: npt.NDArray[np.bool_], steps: int) -> _Labels:
    """Give the foreground around seeds to the seed that reaches it first.

    Seeds advance by a pixel a step, through the foreground only. Odd steps go across the edges of
    pixels; even steps also round their corners, if the pixel on the way was taken by the same seed
    in the same step. Fronts are octagons, 12 % from round at most, where steps across edges alone
    make diamonds and a nucleus would grow differently when it is turned by 45°::

        . . 2 . .          . 2 2 2 .
        . 2 1 2 .          2 2 1 2 2       the step at which a pixel is reached from the seed S:
        2 1 S 1 2          2 1 S 1 2       left across edges only, right as it is done here
        . 2 1 2 .          2 2 1 2 2
        . . 2 . .          . 2 2 2 .

    Every pixel shares an edge with one of the same seed that was reached before it, so what was
    connected stays connected. Of seeds that reach a pixel at the same step across an edge, or
    else round a corner, the one with the smaller label takes it.

    Parameters
    ----------
    seeds : (H, W) int32
        0 none, else the label.
    foreground : (H, W) bool
        Where seeds may grow.
    steps : int

    Returns
    -------
    labels : (H, W) int32

    Examples
    --------
    >>> seeds = np.array([[1, 0, 0, 0, 0, 2]], dtype=np.int32)
    >>> grow_seeds(seeds, np.array([[True, True, True, True, False, True]]), steps=2)
    array([[1, 1, 1, 0, 0, 2]], dtype=int32)
    """
    # A border of background, so that no neighbour of a pixel wraps to the next row.
    plane = np.pad(seeds, 1)
    inner = plane[1:-1, 1:-1]
    is_open = np.pad(foreground, 1)
    is_open &= plane == 0
    beside_open = cv2.dilate(is_open.view(np.uint8), _ACROSS_EDGES).view(np.bool_)
    beside_open &= plane > 0
    front = np.flatnonzero(beside_open)
    np.copyto(plane, _OPEN, where=is_open)
    flat, row = plane.reshape(-1), plane.shape[1]
    for step in range(1, steps + 1):
        if not len(front):
            break
        front = _advance(flat, front, row, round_corners=step % 2 == 0)
    np.copyto(plane, 0, where=plane == _OPEN)
    return np.ascontiguousarray(inner)


def _advance(flat: _Labels, front: _Indices, row: int, *, round_corners: bool) -> _Indices:
    """Take one step from the pixels taken in the last one; return those taken now."""
    labels = flat[front]
    claims = labels + _CLAIM_ACROSS_EDGE
    directions = (-row, -1, 1, row)
    taken = [_claim(flat, front + direction, claims) for direction in directions]
    if round_corners:
        for direction in directions:
            beside = front + direction
            on_the_way = flat.take(beside) == claims
            beside = beside.compress(on_the_way)
            corner_claims = labels.compress(on_the_way) + _CLAIM_ROUND_CORNER
            for turn in (1, -1) if abs(direction) == row else (row, -row):
                taken.append(_claim(flat, beside + turn, corner_claims))
    new_front = np.concatenate(taken)
    flat[new_front] &= _LABEL_BITS
    return new_front


def _claim(flat: _Labels, pixels: _Indices, claims: _Labels) -> _Indices:
    """Claim pixels, each named once, where nobody has a better claim; return those open so far."""
    # compress takes a quarter of the time that a mask in brackets does
    holders = flat.take(pixels)
    better = holders > claims
    pixels, holders = pixels.compress(better), holders.compress(better)
    flat[pixels] = claims.compress(better)
    return pixels.compress(holders == _OPEN)
