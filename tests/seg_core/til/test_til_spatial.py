"""Measures on squares and between nuclei against other libraries and by other routes."""

import esda
import libpysal
import numpy as np
import numpy.typing as npt
import pointpats
import pytest
import scipy.stats

from seg_core.til.spatial import (
    cross_counts,
    cross_g,
    cross_k_um2,
    getis_ord_star,
    hotspots,
    morisita_horn,
    nearest_um,
    poisson_morisita_horn,
    random_labellings,
)


@pytest.fixture(scope="module")
def points() -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(4)
    return np.concatenate([rng.uniform(0, 1000, (300, 2)), rng.normal(500, 60, (200, 2))])


@pytest.fixture(scope="module")
def labels(points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    return np.random.default_rng(5).random(len(points)) < 0.4


def test_morisita_horn_is_how_often_two_nuclei_drawn_share_a_square(
    points: npt.NDArray[np.float64], labels: npt.NDArray[np.bool_]
) -> None:
    """Horn's own reading: chances of one square for a mixed pair and for the two pure ones."""
    squares = (points // 250) @ [1, 10]
    same = squares[:, None] == squares
    mixed = same[labels][:, ~labels].mean()
    pure = same[labels][:, labels].mean() + same[~labels][:, ~labels].mean()
    numbers = np.unique(squares)
    first, second = ((squares[own][:, None] == numbers).sum(axis=0) for own in (labels, ~labels))
    assert morisita_horn(first, second) == pytest.approx(2 * mixed / pure)


def test_morisita_horn_of_opposite_gradients() -> None:
    rising = np.arange(1, 5)
    assert morisita_horn(rising, rising[::-1]) == pytest.approx(20 / 30)
    assert morisita_horn(rising, rising * 7) == pytest.approx(1)
    assert morisita_horn(rising, np.zeros(4)) is None
    assert poisson_morisita_horn(0, 3) is None


@pytest.mark.parametrize("holes", [False, True])
def test_getis_ord_star_is_that_of_esda(holes: bool) -> None:
    rng = np.random.default_rng(6)
    values = rng.gamma(2, 3, 8 * 9)
    rows, columns = (each.ravel() for each in np.indices((8, 9)))
    weights = libpysal.weights.lat2W(8, 9, rook=False)
    if holes:
        kept = np.flatnonzero(rng.random(72) < 0.8)
        weights = libpysal.weights.w_subset(weights, kept.tolist(), silence_warnings=True)
        values, rows, columns = values[kept], rows[kept], columns[kept]
    weights = libpysal.weights.fill_diagonal(weights, 1.0)
    reference = esda.G_Local(values, weights, transform="B", star=None, permutations=0)
    np.testing.assert_allclose(getis_ord_star(values, rows, columns), reference.Zs, rtol=1e-9)


def test_values_without_spread_have_no_hotspots() -> None:
    z = getis_ord_star(np.full(9, 0.1), *np.divmod(np.arange(9), 3))
    assert z.tolist() == [0] * 9
    assert not hotspots(z, 0.05).any()


def test_hotspots_are_benjamini_and_hochbergs() -> None:
    z = np.random.default_rng(7).normal(0.7, 1.5, 400)
    p = scipy.stats.norm.sf(z)
    ranks = np.arange(1, len(p) + 1)
    for rate in (0.01, 0.05, 0.2):
        # the greatest k with p₍ₖ₎ ≤ k q / n
        greatest = int(ranks[np.sort(p) <= ranks * rate / len(p)].max())
        np.testing.assert_array_equal(hotspots(z, rate), scipy.stats.rankdata(p) <= greatest)
        assert hotspots(z, rate).any()


def test_cross_k_adds_up_to_the_k_of_a_library(
    points: npt.NDArray[np.float64], labels: npt.NDArray[np.bool_]
) -> None:
    """n² K = Σ nᵢ nⱼ Kᵢⱼ, nothing corrected."""
    radii = np.arange(20.0, 201, 20)
    area = np.prod(points.max(axis=0) - points.min(axis=0))
    _, whole = pointpats.k(points, support=np.concatenate([[0], radii]))
    total = np.zeros(len(radii))
    for first in (labels, ~labels):
        for second in (labels, ~labels):
            deep = np.full(len(points), np.inf)
            counts = cross_counts(points, first[:, None], second[:, None], deep, radii)
            k = cross_k_um2(counts, second.sum() / area)[:, 0]
            total += first.sum() * second.sum() * k
    np.testing.assert_allclose(total, len(points) ** 2 * whole[1:], rtol=1e-9)


def test_border_correction_and_g_are_those_of_a_plain_loop(
    points: npt.NDArray[np.float64], labels: npt.NDArray[np.bool_]
) -> None:
    depth = np.minimum(points, 1000 - points).min(axis=1)
    radii = np.array([15.0, 40.0, 130.0])
    counts = cross_counts(points, labels[:, None], ~labels[:, None], depth, radii)
    distances = np.linalg.norm(points[labels][:, None] - points[~labels], axis=2)
    for number, radius in enumerate(radii):
        inner = distances[depth[labels] > radius]
        assert counts.centres[number] == len(inner)
        assert counts.pairs[number] == (inner <= radius).sum()
        assert cross_g(counts)[number] == (inner.min(axis=1) <= radius).mean()
    nearest = nearest_um(points[labels], points[~labels])
    np.testing.assert_allclose(nearest, distances.min(axis=1))


def test_chunks_change_nothing(
    points: npt.NDArray[np.float64],
    labels: npt.NDArray[np.bool_],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    radii = np.array([15.0, 40.0])
    dealt = random_labellings(labels, 5, seed=1)
    whole = cross_counts(points, dealt, ~dealt, np.full(len(points), 30.0), radii)
    monkeypatch.setattr("seg_core.til.spatial._CHUNK", 33)
    parts = cross_counts(points, dealt, ~dealt, np.full(len(points), 30.0), radii)
    for name in ("centres", "pairs", "reached"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    assert np.isnan(cross_k_um2(whole, 1.0)[1]).all()


def test_labellings_keep_how_many_are_of_a_kind(labels: npt.NDArray[np.bool_]) -> None:
    dealt = random_labellings(labels, 7, seed=1)
    np.testing.assert_array_equal(dealt[:, 0], labels)
    assert (dealt.sum(axis=0) == labels.sum()).all()
    assert len(np.unique(dealt, axis=1).T) == 8
