"""What stands around each nucleus: the mean of what the network knows of the nuclei near it.

Pieces of nuclei are added up in squares of a fifth of the radius, and a disc of squares is laid
around each nucleus. The squares are anchored to the raster and sums are of whole numbers, so a nucleus
has one context in whatever window it is seen, as long as the disc lies in it.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from seg_core.classes import ClassScheme
from seg_core.maps import Pieces
from seg_core.nuclei.context_head import ContextHead
from seg_core.nuclei.instances import Instances
from seg_core.nuclei.vote import calibrated

_SQUARES_TO_A_RADIUS = 5

# Features are added up in steps of 1/256: whole numbers have one sum in whatever order.
_TO_WHOLE = 256

_Integers = npt.NDArray[np.int64]


def reach_px(head: ContextHead, mpp: float) -> int:
    """Return how far from a nucleus's centroid pieces are looked for, pixels."""
    return (_SQUARES_TO_A_RADIUS + 1) * _side_px(head.radii_um[-1], mpp)


def context_of(instances: Instances, pieces: Pieces, radius_um: float) -> npt.NDArray[np.float32]:
    """Average what the network knows over the nuclei around each nucleus, itself included.

    Parameters
    ----------
    instances : Instances
    pieces : (P,) Pieces
        At least all whose named pixel is within `reach_px` of a centroid.
    radius_um : float

    Returns
    -------
    around : (N, F) float32
        Weighted by pixels; NaN for a nucleus around which nothing is known.
    """
    side = _side_px(radius_um, instances.raster.mpp)
    pixels, corner = instances.pixels, instances.window
    areas = pixels.areas_px[:, None]
    own = (pixels.coordinate_sums // areas + (corner.x, corner.y)) // side
    count, width = len(instances), pieces["features"].shape[1]
    if not count or not len(pieces):
        return np.full((count, width), np.nan, np.float32)
    squares = np.stack([pieces["x"], pieces["y"]], axis=1) // side
    first = np.minimum(own.min(axis=0), squares.min(axis=0)) - _SQUARES_TO_A_RADIUS
    last = np.maximum(own.max(axis=0), squares.max(axis=0)) + _SQUARES_TO_A_RADIUS
    columns, rows = (last - first + 1).tolist()
    sums = _sums((squares - first) @ (1, columns), pieces, rows * columns)
    own_squares, back = np.unique((own - first) @ (1, columns), return_inverse=True)
    discs = np.zeros((len(own_squares), width + 1), np.int64)
    for offset in _disc(columns):
        discs += sums[own_squares + offset]
    total = discs[:, :1]
    means = np.where(total > 0, discs[:, 1:] / np.maximum(total, 1) / _TO_WHOLE, np.nan)
    return means.astype(np.float32)[back.reshape(-1)]


def contexts_of(
    instances: Instances, pieces: Pieces, radii_um: Sequence[float]
) -> npt.NDArray[np.float32]:
    """Return the contexts of each nucleus within several radii, (N, R, F); see `context_of`."""
    return np.stack([context_of(instances, pieces, each) for each in radii_um], axis=1)


def named_in_context(
    instances: Instances,
    features: npt.NDArray[np.floating],
    pieces: Pieces,
    head: ContextHead,
    scheme: ClassScheme,
) -> Instances:
    """Let a context head name nuclei; one of which nothing is known keeps the name of its vote.

    Parameters
    ----------
    instances : Instances
        Their shares are those of the vote as it stands.
    features : (N, F) float
        See `seg_core.nuclei.described.features_of`.
    pieces : (P,) Pieces
        As of `context_of`.
    head : ContextHead
    scheme : ClassScheme
        Calibrates what the head says, where its votes are calibrated.

    Returns
    -------
    Instances
        The same nuclei, whose shares are now probabilities.
    """
    around = contexts_of(instances, pieces, head.radii_um)
    shares = instances.class_shares.copy()
    known = np.isfinite(features).all(axis=1) & np.isfinite(around).all(axis=(1, 2))
    known &= shares.any(axis=1)
    shares[known] = head.probabilities(shares[known], features[known], around[known])
    if scheme.votes is not None:
        shares = calibrated(shares, scheme.votes)
    return instances.named(shares)


def _side_px(radius_um: float, mpp: float) -> int:
    return max(1, round(radius_um / mpp / _SQUARES_TO_A_RADIUS))


def _sums(squares: _Integers, pieces: Pieces, count: int) -> _Integers:
    """Return the pixels of each square, and what its pieces know of them, (count, 1 + F)."""
    pixels = pieces["pixels"].astype(np.int64)
    whole = np.rint(np.nan_to_num(pieces["features"].astype(np.float32)) * _TO_WHOLE)
    counted = np.concatenate([np.ones((len(pieces), 1), np.int64), whole.astype(np.int64)], axis=1)
    ends = np.arange(len(pieces) + 1)
    owners = sparse.csc_array((pixels, squares, ends), shape=(count, len(pieces)))
    return np.asarray(owners @ counted)


def _disc(columns: int) -> list[int]:
    """Return the places of a disc's squares, counted from its middle in rows of so many columns."""
    reach = range(-_SQUARES_TO_A_RADIUS, _SQUARES_TO_A_RADIUS + 1)
    return [
        y * columns + x for y in reach for x in reach if math.hypot(x, y) <= _SQUARES_TO_A_RADIUS
    ]
