"""In which order is done what several people ask for."""

import pytest

from seg_core.errors import JobError
from seg_core.process.turns import Turns


def drain(turns: Turns[str]) -> list[str]:
    return [item for _ in range(len(turns)) if (item := turns.take()) is not None]


def test_the_second_of_one_comes_after_the_first_of_all_others() -> None:
    turns: Turns[str] = Turns()
    for item in ("a1", "a2", "a3", "b1", "b2", "c1"):
        turns.add(item, asker=item[0])
    assert list(turns) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert drain(turns) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert turns.take() is None
    assert turns.current is None


def test_what_waits_already_is_not_overtaken_by_the_first_of_who_comes_later() -> None:
    turns: Turns[str] = Turns()
    turns.add("a1", asker="a")
    assert turns.take() == turns.current == "a1"
    turns.add("a2", asker="a")
    turns.add("b1", asker="b")
    turns.add("a3", asker="a")
    assert list(turns) == ["a2", "b1", "a3"]
    assert [turns.ahead_of(item) for item in ("a1", "a2", "b1", "a3")] == [0, 1, 2, 3]


def test_what_is_put_last_comes_after_what_is_asked_later() -> None:
    turns: Turns[str] = Turns()
    for item in ("a1", "b1"):
        turns.add(item, asker=item[0])
    turns.put_last("a1")
    turns.put_last("none such")
    for item in ("b2", "a2"):
        turns.add(item, asker=item[0])
    assert drain(turns) == ["b1", "a2", "b2", "a1"]


def test_one_whose_last_is_being_done_has_a_turn_before_what_was_put_last() -> None:
    """The next one of such an asker was put behind all that waits for the others to be done."""
    turns: Turns[str] = Turns()
    turns.add("a1", asker="a")
    turns.put_last("a1")
    turns.take()
    turns.add("b1", asker="b")
    turns.put_last("b1")
    turns.add("a2", asker="a")
    assert list(turns) == ["a2", "b1"]


def test_what_is_taken_out_no_longer_waits() -> None:
    turns: Turns[str] = Turns()
    for item in ("a1", "b1"):
        turns.add(item, asker=item[0])
    assert turns.remove("a1")
    assert not turns.remove("a1")
    assert list(turns) == ["b1"]


def test_so_much_may_wait_of_each_and_of_all() -> None:
    turns: Turns[str] = Turns(each=2, most=3)
    turns.add("a1", asker="a")
    turns.add("a2", asker="a")
    with pytest.raises(JobError, match="2 of your requests are waiting already"):
        turns.add("a3", asker="a")
    turns.add("b1", asker="b")
    with pytest.raises(JobError, match="3 requests are waiting on this server"):
        turns.add("c1", asker="c")
    assert list(turns) == ["a1", "b1", "a2"]
