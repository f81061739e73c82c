"""How far a cohort is, from what happens."""

from typing import Any

import pytest

from seg_core.cohort.progress import CohortProgress


def event(kind: str, key: str, slide: str = "HE.svs", **facts: Any) -> dict[str, Any]:
    return {"event": kind, "key": key, "slide": slide, **facts}


def tiles(key: str, done: int, total: int) -> dict[str, Any]:
    return event("progress", key, stage="tiles", done=done, total=total, worker="0")


def test_slides_of_one_name_are_two_and_those_at_work_count_in_part() -> None:
    """The slides of two patients may both be called HE.svs."""
    progress = CohortProgress(4)
    progress.happened(event("ended", "a", state="finished"))
    progress.happened(tiles("b", 50, 100))
    progress.happened(event("ended", "c", state="failed"))
    assert progress.states == {"finished": 1, "at work": 1, "failed": 1}
    assert (progress.ended, progress.failed) == (2, 1)
    (at_work,) = progress.at_work
    assert progress.share == pytest.approx((2 + at_work.share) / 4)
    progress.happened(event("progress", "b", stage="nuclei", done=0, total=9, worker="0"))
    assert progress.at_work[0].share > at_work.share
    progress.happened(event("ended", "b", state="finished"))
    assert not progress.at_work
    assert progress.share == 0.75


def test_what_was_skipped_or_failed_says_nothing_of_how_long_the_rest_takes() -> None:
    progress = CohortProgress(10)
    assert progress.seconds_left(5.0) is None
    for key in "abcd":
        progress.happened(event("skipped", key, state="finished"))
    progress.happened(event("ended", "e", state="failed"))
    assert progress.seconds_left(5.0) is None
    progress.happened(event("ended", "f", state="finished"))
    assert progress.seconds_left(60.0) == pytest.approx(4 * 60)
    assert progress.skipped == 4


def test_a_slide_that_another_process_is_at_is_at_work_here_no_longer() -> None:
    progress = CohortProgress(1)
    progress.happened(tiles("a", 1, 2))
    progress.happened(event("waiting", "a", state="busy"))
    assert not progress.at_work
    assert progress.share == 0
    progress.happened({"event": "summary"})
    assert progress.is_summed_up
