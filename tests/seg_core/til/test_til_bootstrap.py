import numpy as np
import pytest

from seg_core.til import ratio_estimate

DRAW = {"samples": 2000, "min_blocks": 20, "seed": 1}


def test_the_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        areas = rng.uniform(0.5, 1, 60)
        found = ratio_estimate(rng.poisson(5 * areas), areas, samples=300, min_blocks=20, seed=1)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 5 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_order_of_blocks_does_not_matter_and_the_seed_does() -> None:
    rng = np.random.default_rng(3)
    top, bottom = rng.poisson(4, 50), rng.uniform(0.5, 1, 50)
    order = rng.permutation(50)
    first = ratio_estimate(top, bottom, **DRAW)
    assert ratio_estimate(top[order], bottom[order], **DRAW) == first
    assert ratio_estimate(top, bottom, **{**DRAW, "seed": 2}) != first
    scaled = ratio_estimate(top, bottom, scale=100, **DRAW)
    assert (scaled.value, scaled.low) == pytest.approx((100 * first.value, 100 * first.low))  # type: ignore[operator]


def test_blocks_without_area_are_none() -> None:
    nineteen = ratio_estimate([1.0] * 19 + [0.0] * 5, [2.0] * 19 + [0.0] * 5, **DRAW)
    assert (nineteen.value, nineteen.low) == (0.5, None)
    assert "at least 20 blocks of tissue; there are 19" in (nineteen.reason or "")
    nothing = ratio_estimate([], [], **DRAW)
    assert (nothing.value, nothing.reason) == (None, "there is no area to divide by.")
