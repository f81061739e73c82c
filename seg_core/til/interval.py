"""How far a ratio could be off by which part of the tissue was seen.

Neighbouring nuclei resemble each other, so a thousand of them say less than a thousand independent
ones would. How much less is read off the data: squares that lie further apart differ more, up to
the distance at which they have nothing to do with each other. Their *variogram*, half the mean
squared difference by distance, is described by noise of each square and an exponential rise; what
follows from the description is the variance of the ratio over all squares (Cressie 1993, sections
2.4 and 5.1). Squares drawn with replacement, as in earlier versions, took neighbours for
independent, and their 95 % intervals covered the truth in 20 to 96 % of samples, these in 92 % and
more unless the landscape is nearly as large as the tissue (``docs/intervals.md``).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.stats import t as student_t

from seg_core.errors import there_are

_Floats = npt.NDArray[np.float64]

_RANGES = 40
"""How many ranges are tried for the exponential rise."""

_LEAST_INDEPENDENT = 5.0
"""Fewer would make intervals of small samples span all there is, and cover no more (simulated)."""

_LEAST_FILLED = 5
"""What was found in fewer squares tells nothing of how it changes from one to the next."""

_PRACTICAL = 3.0
"""An exponential correlation is down to 5 % at so many times its range (Cressie 1993)."""

_NEAR, _CHANCE = 0.7, 3.0
"""The tissue is too small where squares are alike over more than this share of it, and their
likeness is so many times what chance alone makes."""

_CRUMB = 0.05
"""A piece with less than this share of the tissue does not make it larger, wherever it lies."""

WIDEST = 25.0
"""Upper end by lower end from which an interval says nothing: five times less to five times more."""

INTERVAL_METHOD = (
    "The 95 % interval takes into account that neighbouring tissue is alike: how squares of {side:g} "
    "µm differ by the distance between them (their variogram, with an exponential model) tells how "
    "much independent information there is; the interval is symmetric on a log scale, with Student's "
    "t (Cressie 1993). It tells how much the figure depends on which part of the tissue was seen, "
    "not whether the network is right. With fewer than {least} squares of tissue there is none, "
    f"nor where its upper end would be more than {WIDEST:g} times the lower one."
)
"""In words, for pages and reports; with the side of the squares and the fewest of them."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval, or the reason why it, or its interval, is missing."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    caution: str | None = None
    """Why the interval is too narrow, where it is known to be."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the squares that a ratio is summed over lie.

    Attributes
    ----------
    rows, columns : (S,) int
        Of each square; no two have the same.
    side_um : float
    """

    rows: npt.NDArray[np.integer]
    columns: npt.NDArray[np.integer]
    side_um: float


def ratio_estimate(
    numerators: npt.ArrayLike,
    denominators: npt.ArrayLike,
    grid: Grid,
    *,
    scale: float = 1.0,
    at_most: float = np.inf,
    min_squares: int,
) -> Estimate:
    """Estimate the ratio of two sums over squares of a plane, with an interval.

    ``scale · Σ numerator / Σ denominator``. The order of the squares does not matter.

    Parameters
    ----------
    numerators, denominators : (S,) float
        A square each; squares without denominator are none.
    grid : Grid
    scale : float
        For percent or another unit.
    at_most : float
        No value and no end of an interval can be above this.
    min_squares : int
        With fewer there is no interval.

    Returns
    -------
    estimate : Estimate
        Without a value where there is no square at all.

    Examples
    --------
    >>> rows, columns = np.divmod(np.arange(25), 5)
    >>> grid = Grid(rows, columns, side_um=250.0)
    >>> ratio_estimate([1.0] * 25, [4.0] * 25, grid, min_squares=20)
    Estimate(value=0.25, low=0.25, high=0.25, reason=None, caution=None)
    >>> one = Grid(rows[:1], columns[:1], side_um=250.0)
    >>> ratio_estimate([1.0], [4.0], one, min_squares=20).reason
    'an interval needs at least 20 squares of tissue; there is 1.'
    """
    top, bottom = np.asarray(numerators, float), np.asarray(denominators, float)
    held = bottom > 0
    top, bottom = top[held], bottom[held]
    if not len(bottom):
        return Estimate(None, reason="there is no area to divide by.")
    ratio = float(top.sum() / bottom.sum())
    value = min(scale * ratio, at_most)
    if len(bottom) < min_squares:
        return Estimate(
            value,
            reason=f"an interval needs at least {min_squares} squares of tissue; "
            f"{there_are(len(bottom))}.",
        )
    if ratio == 0:
        return Estimate(
            value, reason="none was found, so nothing tells how the number changes over the tissue."
        )
    filled = int(np.count_nonzero(top))
    if filled < _LEAST_FILLED:
        return Estimate(
            value,
            reason=f"it was found in only {filled} of the squares of tissue; an interval needs at "
            f"least {_LEAST_FILLED}.",
        )
    plane = _Plane.of(top / bottom - ratio, bottom, grid.rows[held], grid.columns[held])
    model = _fitted(plane)
    variance, independent = model.of_mean(plane)
    reach = float(student_t.ppf(0.975, independent - 1)) * np.sqrt(variance) / ratio
    if 2 * reach > np.log(WIDEST):
        return Estimate(
            value,
            reason=f"what is counted lies in too few places to give an interval; from these {len(bottom)} squares of "
            f"tissue its upper end would be more than {WIDEST:g} times the lower one.",
        )
    return Estimate(
        value,
        float(scale * ratio * np.exp(-reach)),
        float(min(scale * ratio * np.exp(reach), at_most)),
        caution=_caution(model, plane, grid.side_um),
    )


@dataclass(frozen=True, slots=True)
class _Plane:
    """What is left of each square's ratio without the mean, in an array, and sums over pairs.

    Lags are differences of rows and columns, in the order of a discrete Fourier transform.
    """

    squares: int
    across: int
    """Rows or columns from the first square to the last, whichever are more; crumbs do not count."""

    piece: int
    """The same of the piece of tissue where they are most; squares that touch, at a corner too, are
    of one piece."""

    pieces: float
    """How many pieces there are, as many as of equal size would be as even: a crumb is none."""

    distances: _Floats
    """(2 H, 2 W) of each lag, squares."""

    pairs: _Floats
    """(2 H, 2 W) sum of the products of both denominators over the pairs of each lag."""

    fit_pairs: _Floats
    """(2 H, 2 W) the same of the products of their squares: a ratio over little tissue says little,
    and a single nucleus in a sliver at the edge would else be the whole variogram."""

    half_squared: _Floats
    """(2 H, 2 W) half the squared differences, weighted as ``fit_pairs``."""

    noise_pairs: _Floats
    """(2 H, 2 W) what noise of 1 for a square of mean size adds to ``half_squared``: a square's
    noise goes by the inverse of its denominator, as that of counts does."""

    @classmethod
    def of(
        cls,
        left: _Floats,
        weights: _Floats,
        rows: npt.NDArray[np.integer],
        columns: npt.NDArray[np.integer],
    ) -> "_Plane":
        rows, columns = rows - rows.min(), columns - columns.min()
        shape = (int(rows.max()) + 1, int(columns.max()) + 1)
        weight, value = np.zeros(shape), np.zeros(shape)
        weight[rows, columns] = weights / weights.sum()
        value[rows, columns] = left
        # twice the size, so that no lag goes round the edge
        size = (2 * shape[0], 2 * shape[1])
        # in squares of mean size, and to the power that the variogram is weighted by
        size_of = weight * len(weights)
        fit = size_of**2
        w, s, f, fz, fzz = (
            np.fft.rfft2(each, size) for each in (weight, size_of, fit, fit * value, fit * value**2)
        )
        pairs, fit_pairs = (np.fft.irfft2(np.abs(each) ** 2, size) for each in (w, f))
        half_squared = np.fft.irfft2((fzz * f.conj()).real - np.abs(fz) ** 2, size)
        noise_pairs = np.fft.irfft2((s * f.conj()).real, size)
        y, x = (np.minimum(np.arange(each), each - np.arange(each)) for each in size)
        across, piece, pieces = _extents(weight)
        return cls(
            squares=len(weights),
            across=across,
            piece=piece,
            pieces=pieces,
            distances=np.hypot(y[:, None], x[None, :]),
            # what is less than this is rounding of the transform
            pairs=np.where(pairs > 1e-12 * pairs.max(), pairs, 0.0),
            fit_pairs=np.where(fit_pairs > 1e-12 * fit_pairs.max(), fit_pairs, 0.0),
            half_squared=np.maximum(half_squared, 0.0),
            noise_pairs=np.maximum(noise_pairs, 0.0),
        )


def _extents(weight: _Floats) -> tuple[int, int, float]:
    """Return ``across``, ``piece`` and ``pieces`` of a `_Plane`.

    ``weight`` (H, W) sums to 1 and is 0 where no tissue is.
    """
    piece_of, _ = ndimage.label(weight > 0, np.ones((3, 3)))
    shares = np.bincount(piece_of.ravel(), weight.ravel())
    boxes = ndimage.find_objects(piece_of)
    of_piece = [max(side.stop - side.start for side in box) for box in boxes]
    # where all are crumbs, none is
    least = min(_CRUMB, shares.max())
    counted = [box for box, share in zip(boxes, shares[1:], strict=True) if share >= least]
    across = max(
        max(side.stop for side in sides) - min(side.start for side in sides)
        for sides in zip(*counted, strict=True)
    )
    return across, max(of_piece), 1 / float((shares**2).sum())


@dataclass(frozen=True, slots=True)
class _Model:
    """Noise of each square, and a part that squares share: sill · exp(-distance / range)."""

    noise: float
    sill: float
    range: float

    def of_mean(self, plane: _Plane) -> tuple[float, float]:
        """Return the variance of the mean, and how many independent squares would have it.

        Noise is that of a square of mean size; smaller ones have more and weigh less.
        """
        shared = (plane.pairs * np.exp(-plane.distances / self.range)).sum()
        variance = self.noise / plane.squares + self.sill * float(shared)
        if variance <= 0:
            return 0.0, float(plane.squares)
        independent = (self.noise + self.sill) / variance
        return variance, float(np.clip(independent, _LEAST_INDEPENDENT, plane.squares))


def _fitted(plane: _Plane) -> _Model:
    """Fit the variogram up to half the extent, lags weighted by their pairs and nearness.

    A longer range than that cannot be told from a mean that differs.
    """
    lags = np.rint(plane.distances).astype(np.intp)
    furthest = max(3, plane.across // 2)
    used = (plane.fit_pairs > 0) & (lags > 0) & (lags <= furthest)
    lag = lags[used]
    pairs, half_squared, noise, distance = (
        np.bincount(lag, each[used], minlength=furthest + 1)[1:].astype(np.float64)
        for each in (
            *(plane.fit_pairs, plane.half_squared, plane.noise_pairs),
            plane.fit_pairs * plane.distances,
        )
    )
    there = pairs > 0
    gamma, level, apart = (each[there] / pairs[there] for each in (half_squared, noise, distance))
    weights = pairs[there] / np.flatnonzero(np.append(False, there))
    tried = [
        _least_squares(gamma, level, apart, weights, each)
        for each in np.geomspace(0.5, max(0.5 * plane.across, 1.0), _RANGES)
    ]
    return min(tried, key=lambda each: each[0])[1]


def _least_squares(
    gamma: _Floats, level: _Floats, distance: _Floats, weights: _Floats, range_: float
) -> tuple[float, _Model]:
    """Return the error and the best noise and sill, neither below zero, at one range.

    ``gamma``, the variogram, is taken for ``noise · level + sill · (1 - exp(-distance / range))``.
    All are (L,), one a lag: ``level`` is what noise of 1 adds there, ``distance`` and ``range_`` are
    squares, ``weights`` how much a lag counts.
    """
    rise = 1 - np.exp(-distance / range_)
    # the normal equations of two unknowns, solved by Cramer's rule
    level2, level_rise, rise2, level_gamma, rise_gamma = (
        float(weights @ each)
        for each in (level**2, level * rise, rise**2, level * gamma, rise * gamma)
    )
    determinant = level2 * rise2 - level_rise**2
    noise, sill = level_gamma / level2, 0.0
    if determinant > 1e-12 * level2 * rise2:
        noise = (rise2 * level_gamma - level_rise * rise_gamma) / determinant
        sill = (level2 * rise_gamma - level_rise * level_gamma) / determinant
        if sill < 0:
            noise, sill = level_gamma / level2, 0.0
        elif noise < 0:
            noise, sill = 0.0, rise_gamma / rise2
    error = float(weights @ (gamma - noise * level - sill * rise) ** 2)
    return error, _Model(float(noise), float(sill), float(range_))


def _caution(model: _Model, plane: _Plane, side_um: float) -> str | None:
    """Say so where the tissue is too small for how slowly it changes.

    Ground between pieces of tissue shows nothing: pieces that each lie within one rise or fall are
    as many samples as there are pieces, however far apart.
    """
    reach = _PRACTICAL * model.range
    # among so many squares that have nothing to do with each other, chance looks like less
    real = model.sill > _CHANCE / np.sqrt(plane.squares) * (model.sill + model.noise)
    if reach < _NEAR * plane.piece or plane.pieces >= _LEAST_INDEPENDENT or not real:
        return None
    seen = (
        "the tissue seen is only"
        if plane.piece == plane.across
        else "no piece of tissue seen is more than"
    )
    return (
        "the interval is a lower bound: what is counted rises and falls over about "
        f"{_millimetres(reach * side_um)}, and {seen} {_millimetres(plane.piece * side_um)} across, so "
        "another piece of the same tumour may lie outside of it."
    )


def _millimetres(um: float) -> str:
    return f"{um / 1000:.1f} mm"
