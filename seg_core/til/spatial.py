"""How lymphocytes and epithelium lie to each other: on squares, and from nucleus to nucleus."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse
import scipy.spatial
import scipy.special
import scipy.stats

_Floats = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]

# Nuclei whose neighbours are looked up at a time: in dense infiltrate some 100 MB of pairs.
_CHUNK = 2000


def morisita_horn(first: npt.ArrayLike, second: npt.ArrayLike) -> float | None:
    """Return the Morisita-Horn index of two kinds of nuclei counted on the same squares.

    ``2 Σ aᵢ bᵢ / ((Σ aᵢ² / A² + Σ bᵢ² / B²) A B)`` with the totals A and B (Horn 1966; for
    lymphocytes and tumour cells Maley et al. 2015): 1 in the same proportions everywhere, 0 never
    in the same square.

    Parameters
    ----------
    first, second : (S,) int
        Counts.

    Returns
    -------
    index : float or None
        0 to 1; None where one kind is missing.

    Examples
    --------
    >>> morisita_horn([1, 2, 3], [2, 4, 6]), morisita_horn([1, 0], [0, 1])
    (1.0, 0.0)
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    if not (a.sum() > 0 and b.sum() > 0):
        return None
    a, b = a / a.sum(), b / b.sum()
    return float(2 * (a @ b) / (a @ a + b @ b))


def poisson_morisita_horn(first_mean: float, second_mean: float) -> float | None:
    """Return what Morisita-Horn tends to for two independent Poisson scatters.

    ``1 / (1 + (1/λ₁ + 1/λ₂) / 2)`` for mean counts λ a square: the ratio of the expectations, since
    E[a b] = λ₁ λ₂ and E[a²] = λ² + λ.

    Examples
    --------
    >>> poisson_morisita_horn(1.0, 1.0)
    0.5
    """
    if not (first_mean > 0 and second_mean > 0):
        return None
    return 1 / (1 + (1 / first_mean + 1 / second_mean) / 2)


def getis_ord_star(values: _Floats, rows: npt.ArrayLike, columns: npt.ArrayLike) -> _Floats:
    """Return Gi* of squares on a grid, itself and its eight neighbours weighing one each.

    ``(Σⱼ wᵢⱼ xⱼ − Wᵢ x̄) / (s √((n Σⱼ wᵢⱼ² − Wᵢ²) / (n − 1)))`` with the mean x̄ and the standard
    deviation s (with n) of all squares: a z-score (Ord and Getis 1995).

    Parameters
    ----------
    values : (S,) float
    rows, columns : (S,) int
        Place of each square; a square that is not listed is no neighbour.

    Returns
    -------
    z : (S,) float64
        0 everywhere where all values are the same.
    """
    n = len(values)
    deviation = values.std() if n > 1 else 0.0
    if not deviation > 1e-12 * max(1.0, float(np.abs(values).max(initial=0))):
        return np.zeros(n)
    weights = _neighbours(np.asarray(rows), np.asarray(columns))
    sums = weights @ (values - values.mean())
    total = weights.sum(axis=1)
    spread = deviation * np.sqrt(np.maximum(n * total - total**2, 0) / (n - 1))
    return np.divide(sums, spread, out=np.zeros(n), where=spread > 0)


def _neighbours(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> _Floats:
    tree = scipy.spatial.cKDTree(np.stack([rows, columns], axis=1))
    pairs = tree.query_pairs(1.0, p=np.inf, output_type="ndarray")
    i = np.concatenate([pairs[:, 0], pairs[:, 1], np.arange(len(rows))])
    j = np.concatenate([pairs[:, 1], pairs[:, 0], np.arange(len(rows))])
    return scipy.sparse.csr_array((np.ones(len(i)), (i, j)), shape=(len(rows), len(rows)))


def hotspots(z: _Floats, false_discovery_rate: float) -> _Mask:
    """Tell which z-scores are high, at a false discovery rate.

    One-sided p-values of the normal distribution; the greatest k with p₍ₖ₎ ≤ k q / n decides
    (Benjamini and Hochberg 1995).

    Examples
    --------
    >>> hotspots(np.array([4.0, 0.0, -4.0]), 0.05)
    array([ True, False, False])
    """
    adjusted = scipy.stats.false_discovery_control(scipy.special.ndtr(-z), method="bh")
    return np.less_equal(adjusted, false_discovery_rate)


def nearest_um(points_um: _Floats, targets_um: _Floats) -> _Floats:
    """Return how far each point is from the nearest target, in the unit of both; (N,) float64."""
    distances, _ = scipy.spatial.cKDTree(targets_um).query(points_um)
    return np.asarray(distances, dtype=np.float64)


@dataclass(frozen=True)
class CrossCounts:
    """Sums over the points of a kind that cross-type K and G are made of.

    Attributes
    ----------
    centres : (R, P) float64
        Points of the first kind that are deeper in the window than the radius.
    pairs : (R, P) float64
        Points of the second kind within the radius of those, each pair counted.
    reached : (R, P) float64
        Those that have one of the second kind within the radius.
    """

    centres: _Floats
    pairs: _Floats
    reached: _Floats


def cross_counts(
    points_um: _Floats,
    first: _Mask,
    second: _Mask,
    depth_um: _Floats,
    radii_um: _Floats,
) -> CrossCounts:
    """Count neighbours of another kind, for several labellings of the same points at once.

    Border correction ("reduced sample", Baddeley, Rubak and Turner 2015, chapter 7): a point
    is a centre only as long as the circle around it lies in the window.

    Parameters
    ----------
    points_um : (N, 2) float
    first, second : (N, P) bool
        Which points are of the first and which of the second kind, in each of P labellings.
    depth_um : (N,) float
        Distance of each point to the border of the window; infinite for no correction.
    radii_um : (R,) float
        Rising.

    Returns
    -------
    counts : CrossCounts
    """
    shape = (len(radii_um), first.shape[1])
    centres, pairs, reached = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    targets = second.astype(np.float32)
    for chunk, rings in _rings(points_um, radii_um):
        within = np.zeros((chunk.stop - chunk.start, first.shape[1]), np.float32)
        for number, (radius, ring) in enumerate(zip(radii_um, rings, strict=True)):
            within += ring @ targets
            counted = first[chunk] & (depth_um[chunk] > radius)[:, None]
            centres[number] += counted.sum(axis=0)
            pairs[number] += np.where(counted, within, 0).sum(axis=0, dtype=np.float64)
            reached[number] += (counted & (within > 0)).sum(axis=0)
    return CrossCounts(centres, pairs, reached)


def _rings(
    points_um: _Floats, radii_um: _Floats
) -> Iterator[tuple[slice, list[scipy.sparse.csr_array]]]:
    """Give, for some points at a time, who lies between each radius and the one before."""
    tree = scipy.spatial.cKDTree(points_um)
    for start in range(0, len(points_um), _CHUNK):
        chunk = slice(start, min(start + _CHUNK, len(points_um)))
        own = scipy.spatial.cKDTree(points_um[chunk])
        found = own.sparse_distance_matrix(tree, radii_um[-1], output_type="ndarray")
        found = found[found["i"] + start != found["j"]]
        ring_of = np.searchsorted(radii_um, found["v"])
        shape = (chunk.stop - chunk.start, len(points_um))
        rings = []
        for number in range(len(radii_um)):
            i, j = (found[axis][ring_of == number] for axis in ("i", "j"))
            rings.append(scipy.sparse.csr_array((np.ones(len(i), np.float32), (i, j)), shape=shape))
        yield chunk, rings


def cross_k_um2(counts: CrossCounts, second_per_um2: float) -> _Floats:
    """Return cross-type K: neighbours a centre, by the density of the second kind.

    ``K(r) = Σ pairs / (λ₂ · Σ centres)`` (Ripley 1976, cross-type: Baddeley et al. 2015, chapter
    14); π r² where the kinds lie independently.

    Parameters
    ----------
    counts : CrossCounts
    second_per_um2 : float
        λ₂, in the whole window.

    Returns
    -------
    k : (R, P) float64
        µm²; NaN where no centre is left.
    """
    return _by_centres(counts.pairs, counts) / second_per_um2


def cross_g(counts: CrossCounts) -> _Floats:
    """Return cross-type G: the share of centres that have the second kind within the radius.

    Border-corrected (Baddeley et al. 2015, chapters 8 and 14); NaN where no centre is left.
    """
    return _by_centres(counts.reached, counts)


def _by_centres(sums: _Floats, counts: CrossCounts) -> _Floats:
    missing = np.full_like(sums, np.nan)
    return np.divide(sums, counts.centres, out=missing, where=counts.centres > 0)


def random_labellings(first: _Mask, count: int, seed: int) -> _Mask:
    """Return the labelling itself, then so many with the labels dealt out anew, (N, 1 + count).

    Places stay, so gaps in the tissue cannot look like repulsion (Diggle 2013).
    """
    rng = np.random.default_rng(seed)
    dealt = [first, *(rng.permutation(first) for _ in range(count))]
    return np.stack(dealt, axis=1)
