"""How long the rest of some work will take."""

import pytest

from seg_core.process.progress import Cost, Forecast


def test_a_batch_that_is_answered_at_once_is_not_taken_for_the_pace() -> None:
    """A moving average of single tiles was eight times too long after the first batch of eight."""
    forecast = Forecast()
    for batch in range(5):
        for tile in range(8):
            left = forecast.seconds_left(8.0 * (batch + 1), 8 * batch + tile + 1, 400)
    assert left == pytest.approx(360, rel=0.1)


def test_what_an_earlier_start_has_done_says_nothing_of_the_pace() -> None:
    forecast = Forecast()
    assert forecast.seconds_left(5.0, 300, 400) is None
    assert forecast.seconds_left(15.0, 310, 400) == 90.0


def test_glass_takes_no_time() -> None:
    forecast = Forecast([0.0] * 50 + [1.0] * 50)
    assert forecast.seconds_left(0.0, 0, 100) is None
    assert forecast.seconds_left(0.1, 50, 100) is None
    assert forecast.seconds_left(10.1, 60, 100) == pytest.approx(40.0, rel=0.01)


def test_what_work_has_cost_before_counts_until_this_work_is_known() -> None:
    forecast = Forecast(cost=Cost(seconds_each=1.0))
    assert forecast.seconds_left(0.0, 0, 100) == 100.0
    assert forecast.seconds_left(20.0, 10, 100) == pytest.approx(1.5 * 90)
    assert forecast.seconds_left(160.0, 80, 100) == pytest.approx(
        20 * 150 / 80
    )  # of the later half


def test_a_machine_that_gets_busy_is_noticed() -> None:
    forecast = Forecast()
    for done in range(101):
        forecast.seconds_left(float(done), done, 1000)
    for done in range(101, 201):
        left = forecast.seconds_left(100.0 + 4.0 * (done - 100), done, 1000)
    assert left == pytest.approx(4.0 * 800, rel=0.1)


def test_a_region_of_a_few_pixels_says_nothing_of_a_slide() -> None:
    """After one of 4 × 5 pixels every later analysis had hours left, whatever its pace."""
    cost = Cost(seconds_each=0.5)
    cost.learn(seconds=0.3, work=1e-5)
    cost.learn(seconds=0.1, work=0.0)
    assert cost.seconds_each == pytest.approx(0.5, rel=0.01)
    cost.learn(seconds=40.0, work=20.0)
    assert cost.seconds_each == 2.0
