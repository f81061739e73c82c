import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_core.til import Grid, ratio_estimate
from seg_core.til.interval import Estimate, _Model, _Plane
from tests.bench.interval_coverage import DENSITY_PER_MM2, PROCESSES, chosen

SIDE = 250.0


def estimate(
    top: npt.ArrayLike, bottom: npt.ArrayLike, across: int = 10, **options: float
) -> Estimate:
    rows, columns = np.divmod(np.arange(len(np.asarray(top))), across)
    return ratio_estimate(top, bottom, Grid(rows, columns, SIDE), min_squares=20, **options)


def gradient(across: int, seed: int = 0) -> npt.NDArray[np.float64]:
    """Counts that rise tenfold from one side of the tissue to the other."""
    mean = np.broadcast_to(np.geomspace(10, 100, across), (across, across))
    return np.random.default_rng(seed).poisson(mean).ravel().astype(float)


@pytest.mark.parametrize(
    ("process", "side_mm"), [("Poisson", 2), ("Thomas, σ 75 µm", 2), ("Thomas, σ 150 µm", 4)]
)
def test_the_interval_covers_as_often_as_it_says(process: str, side_mm: float) -> None:
    """Squares drawn with replacement covered the truth in 61 to 80 of 100 clustered samples.

    The whole table, by processes and sizes, is `tests.bench.interval_coverage`.
    """
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(120):
        low, high, _ = chosen(PROCESSES[process](rng, side_mm * 1000), rng)
        covered += low <= DENSITY_PER_MM2 <= high
    assert covered >= 0.9 * 120


def test_scattered_nuclei_pay_little_for_what_clusters_need() -> None:
    rng = np.random.default_rng(3)
    widths = []
    for _ in range(40):
        found = estimate(rng.poisson(30, 256), np.ones(256), across=16)
        assert found.low is not None
        assert found.high is not None
        widths.append(found.high - found.low)
    # of independent counts: 2 · 1.96 · √(30 / 256)
    assert np.median(widths) == pytest.approx(1.34, rel=0.2)


def test_the_variance_of_a_known_model_is_the_double_sum_over_squares() -> None:
    """Worked out pair by pair, without transforms."""
    rng = np.random.default_rng(4)
    places = rng.permutation(15 * 15)[:80]
    rows, columns = np.divmod(places, 15)
    area = rng.uniform(0.2, 1.0, 80)

    plane = _Plane.of(rng.normal(size=80), area, rows, columns)
    variance, independent = _Model(noise=2.0, sill=3.0, range=4.0).of_mean(plane)
    weight = area / area.sum()
    distance = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    shared = 3.0 * weight @ np.exp(-distance / 4.0) @ weight
    assert variance == pytest.approx(2.0 / 80 + shared)
    assert independent == pytest.approx(5.0 / variance)


def test_the_variogram_is_half_the_mean_squared_difference_of_pairs() -> None:
    rng = np.random.default_rng(5)
    rows, columns = np.divmod(rng.permutation(64)[:40], 8)
    value, area = rng.normal(size=40), rng.uniform(0.2, 1.0, 40)

    plane = _Plane.of(value, area, rows, columns)
    weight = area / area.sum()
    near = (np.abs(rows[:, None] - rows) == 1) & (columns[:, None] == columns)
    products = weight[:, None] * weight
    assert plane.pairs[1, 0] + plane.pairs[-1, 0] == pytest.approx((near * products).sum())
    size = weight * 40
    fit = near * (size[:, None] * size) ** 2
    expected = (fit * (value[:, None] - value) ** 2).sum() / 2
    assert plane.half_squared[1, 0] + plane.half_squared[-1, 0] == pytest.approx(expected)
    assert plane.fit_pairs[1, 0] + plane.fit_pairs[-1, 0] == pytest.approx(fit.sum())
    # the noise of a square, 1 over its size, in half the squared difference of two
    noise = (fit * (1 / size[:, None] + 1 / size)).sum() / 2
    assert plane.noise_pairs[1, 0] + plane.noise_pairs[-1, 0] == pytest.approx(noise)


@pytest.mark.parametrize("held", [0, 1, 2])
def test_a_sliver_of_tissue_at_the_edge_says_little(held: int) -> None:
    """One nucleus in a thousandth of a square once made the interval reach 10^37."""
    area, counts = np.ones(60), np.random.default_rng(8).poisson(15, 60).astype(float)
    whole = estimate(counts, area)
    area[7], counts[7] = 0.001, held
    found = estimate(counts, area)
    assert whole.low is not None
    assert whole.high is not None
    assert found.low == pytest.approx(whole.low, rel=0.05)
    assert found.high == pytest.approx(whole.high, rel=0.05)


def test_what_is_in_few_squares_has_no_interval_and_says_why() -> None:
    """Four nuclei once had an interval up to thousands."""
    counts = np.zeros(60)
    counts[[7, 21, 22, 50]] = 1
    found = estimate(counts, np.ones(60))
    assert (found.value, found.low, found.high) == (4 / 60, None, None)
    assert found.reason == (
        "it was found in only 4 of the squares of tissue; an interval needs at least 5."
    )
    counts[3] = 1
    assert estimate(counts, np.ones(60)).high is not None


def test_an_interval_that_would_say_nothing_is_a_sentence() -> None:
    """Nuclei in two corners of a small piece once had an interval from 6 to 5,505 per mm²."""
    counts = np.zeros(60)
    counts[[0, 1, 2, 10]] = 40
    counts[[50, 59]] = 1
    found = estimate(counts, np.ones(60))
    assert (found.low, found.high, found.caution) == (None, None, None)
    assert found.value == pytest.approx(162 / 60)
    assert found.reason == (
        "what is counted lies in too few places to give an interval; from these 60 squares of tissue its upper "
        "end would be more than 25 times the lower one."
    )


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 1000))
@settings(max_examples=25, deadline=None)
def test_order_place_and_unit_do_not_matter(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.divmod(rng.permutation(100)[:50], 10)
    top, bottom = rng.poisson(4, 50), rng.uniform(0.5, 1, 50)
    first = ratio_estimate(top, bottom, Grid(rows, columns, SIDE), min_squares=20)
    order = rng.permutation(50)
    moved = Grid(columns[order] + 7, rows[order] + 3, SIDE)  # and turned over
    again = ratio_estimate(top[order], bottom[order], moved, scale=scale, min_squares=20)
    for name in ("value", "low", "high"):
        assert getattr(again, name) == pytest.approx(scale * getattr(first, name), rel=1e-6)
    assert first.low < first.value < first.high  # type: ignore[operator]


def test_squares_without_area_are_none() -> None:
    nineteen = estimate([1.0] * 19 + [0.0] * 5, [2.0] * 19 + [0.0] * 5)
    assert (nineteen.value, nineteen.low) == (0.5, None)
    assert "at least 20 squares of tissue; there are 19" in (nineteen.reason or "")
    nothing = estimate([], [])
    assert (nothing.value, nothing.reason) == (None, "there is no area to divide by.")


def test_where_none_was_found_there_is_no_interval() -> None:
    none = estimate([0.0] * 30, [1.0] * 30)
    assert (none.value, none.low, none.high) == (0.0, None, None)
    assert "none was found" in (none.reason or "")


def test_a_share_stays_below_its_limit() -> None:
    found = estimate(np.tile([0.99, 0.4], 50), np.ones(100), scale=100, at_most=100)
    assert found.high is not None
    assert found.high <= 100
    assert estimate(np.full(30, 1.2), np.ones(30), scale=100, at_most=100).value == 100


def test_tissue_too_small_for_its_gradient_says_so_in_words() -> None:
    found = estimate(gradient(8), np.ones(64), across=8)
    assert found.caution is not None
    assert found.caution.startswith("the interval is a lower bound")
    assert "the tissue seen is only 2.0 mm across" in found.caution
    rng = np.random.default_rng(6)
    even = [estimate(rng.poisson(30, 256), np.ones(256), across=16).caution for _ in range(40)]
    assert sum(each is not None for each in even) <= 4


def test_ground_between_two_pieces_of_tissue_shows_nothing_of_the_landscape() -> None:
    """Two pieces far apart passed for tissue as large as from one to the other.

    Of a landscape of 0.8 mm seen on two pieces of 1.5 mm the sentence never stood, and the
    intervals held the true density in five of six samples.
    """
    across, apart = 6, 40
    rng, process = np.random.default_rng(1), PROCESSES["Cox, range 800 µm"]
    rows, columns = np.indices((across, across)).reshape(2, -1)
    grid = Grid(np.tile(rows, 2), np.concatenate([columns, columns + apart]), SIDE)
    found = []
    for _ in range(60):
        counts = np.concatenate([process(rng, across * SIDE).ravel() for _ in range(2)])
        found.append(ratio_estimate(counts, np.ones(len(counts)), grid, min_squares=20))
    said = [each.caution for each in found if each.low is not None]
    cautions = [each for each in said if each is not None]
    assert len(cautions) >= 0.6 * len(said)
    assert "no piece of tissue seen is more than 1.5 mm across" in cautions[0]


def test_many_small_pieces_are_as_many_samples_and_a_crumb_is_none() -> None:
    side, rng = 4, np.random.default_rng(7)
    rows, columns = np.indices((side, side)).reshape(2, -1)
    levels = np.geomspace(10, 100, 6)
    many = Grid(np.tile(rows, 6), np.concatenate([columns + 20 * k for k in range(6)]), SIDE)
    counts = rng.poisson(np.repeat(levels, side * side)).astype(float)
    assert ratio_estimate(counts, np.ones(len(counts)), many, min_squares=20).caution is None

    crumbs = 20 + 2 * np.arange(5)
    rows, columns = (np.append(each, crumbs) for each in np.divmod(np.arange(64), 8))
    areas = np.append(np.ones(64), np.full(5, 0.01))
    plane = _Plane.of(np.zeros(69), areas, rows, columns)
    assert (plane.piece, plane.across) == (8, 8)
    assert plane.pieces == pytest.approx(1, rel=0.01)


def test_a_crumb_far_off_leaves_the_interval_as_it_is() -> None:
    """One at the slide's other end let ranges be tried as long as the way there.

    One in seven clustered samples lost its interval, one in six even ones was said to be too small.
    """
    rng, process = np.random.default_rng(5), PROCESSES["Thomas, σ 75 µm"]
    rows, columns = (np.append(each, 80) for each in np.divmod(np.arange(64), 8))
    for _ in range(40):
        counts = process(rng, 2000).ravel()
        alone = estimate(counts, np.ones(64), across=8)
        found = ratio_estimate(
            np.append(counts, 0.2 * counts.mean()),
            np.append(np.ones(64), 0.2),
            Grid(rows, columns, SIDE),
            min_squares=20,
        )
        assert (found.low, found.high) == pytest.approx((alone.low, alone.high), rel=0.02)
        assert (found.caution is None) == (alone.caution is None)
