import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.process.pipelines import done_beside, map_in_order, read_ahead, write_behind

WAIT_S = 10

READER, WRITER = "a reader of the tests", "a writer of the tests"
HELPER = "somebody beside the tests"


class Failure(Exception):
    """What a source, a writer or a function raises here."""


def alive(name: str) -> bool:
    return any(thread.name == name for thread in threading.enumerate())


def wait_for(condition: Callable[[], bool]) -> None:
    passing = threading.Event()
    for _ in range(int(WAIT_S / 0.01)):
        if condition():
            return
        passing.wait(0.01)
    raise AssertionError("it did not come about")


class Source:
    """Counts up and says how many were taken and by which thread; may fail at one of them."""

    def __init__(self, count: int, failing_at: int | None = None) -> None:
        self.count, self.failing_at = count, failing_at
        self.taken: list[str] = []
        self.failure = Failure()

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            self.taken.append(threading.current_thread().name)
            if number == self.failing_at:
                raise self.failure
            yield number


# Reading ahead.


@given(st.integers(0, 20), st.integers(1, 5))
def test_all_is_read_in_order_by_one_thread_that_ends(count: int, depth: int) -> None:
    source = Source(count)
    with read_ahead(source, depth, name=READER) as items:
        assert list(items) == list(range(count))
    assert source.taken == [READER] * count
    assert not alive(READER)


@given(st.integers(1, 20), st.integers(1, 5), st.data())
def test_what_the_source_raises_comes_after_what_it_gave(
    count: int, depth: int, data: st.DataObject
) -> None:
    source = Source(count, failing_at=data.draw(st.integers(0, count - 1)))
    got: list[int] = []
    with pytest.raises(Failure) as caught, read_ahead(source, depth, name=READER) as items:
        got.extend(items)
    assert caught.value is source.failure
    assert got == list(range(source.failing_at or 0))
    assert not alive(READER)


@given(st.integers(0, 20), st.integers(1, 5), st.data())
def test_leaving_early_ends_the_reader_and_reads_no_further(
    count: int, depth: int, data: st.DataObject
) -> None:
    taken = data.draw(st.integers(0, count))
    source = Source(count)
    with read_ahead(source, depth, name=READER) as items:
        assert [next(items) for _ in range(taken)] == list(range(taken))
    assert not alive(READER)
    assert len(source.taken) <= taken + depth


@given(st.integers(1, 5))
def test_exactly_so_many_items_are_read_before_the_first_is_taken(depth: int) -> None:
    source = Source(100)
    with read_ahead(source, depth, name=READER):
        wait_for(lambda: len(source.taken) == depth)
        threading.Event().wait(0.005)
        assert len(source.taken) == depth


def test_a_block_that_fails_ends_the_reader_and_keeps_its_own_error() -> None:
    def fail() -> None:
        with read_ahead(Source(100), 2, name=READER):
            raise Failure

    with pytest.raises(Failure):
        fail()
    assert not alive(READER)


def test_a_consumer_in_another_thread_is_released_when_the_block_is_left() -> None:
    never = threading.Event()

    def slow() -> Iterator[int]:
        yield 0
        never.wait(WAIT_S)

    got: list[int] = []
    with read_ahead(slow(), 1, name=READER) as items:
        consumer = threading.Thread(target=lambda: got.extend(items))
        consumer.start()
        wait_for(lambda: got == [0] or not consumer.is_alive())
        never.set()
    consumer.join(WAIT_S)
    assert not consumer.is_alive()


# Writing behind.


@given(st.lists(st.none() | st.integers() | st.just(())))
def test_all_is_written_in_order_whatever_it_is(items: list[object]) -> None:
    """The end of the queue was once an empty tuple."""
    written: list[object] = []
    with write_behind(written.append, name=WRITER) as give:
        for item in items:
            give(item)
    assert written == items
    assert not alive(WRITER)


@given(st.integers(1, 20), st.data())
def test_what_writing_raises_is_raised_and_nothing_more_is_written(
    count: int, data: st.DataObject
) -> None:
    failing_at = data.draw(st.integers(0, count - 1))
    tried: list[int] = []
    failure = Failure()

    def write(item: int) -> None:
        tried.append(item)
        if item == failing_at:
            raise failure

    def give_all() -> None:
        with write_behind(write, name=WRITER) as give:
            for item in range(count):
                give(item)

    with pytest.raises(Failure) as caught:
        give_all()
    assert caught.value is failure
    assert tried == list(range(failing_at + 1))
    assert not alive(WRITER)


def test_the_giver_goes_on_while_an_item_is_written() -> None:
    disk_is_free = threading.Event()
    written: list[tuple[int, str]] = []

    def write(item: int) -> None:
        assert disk_is_free.wait(WAIT_S)
        written.append((item, threading.current_thread().name))

    with write_behind(write, name=WRITER) as give:
        give(1)
        give(2)
        assert written == []
        disk_is_free.set()
    assert written == [(1, WRITER), (2, WRITER)]


def test_only_a_few_items_are_queued() -> None:
    disk_is_free = threading.Event()
    given_items: list[int] = []

    def give_many() -> None:
        with write_behind(lambda _: disk_is_free.wait(WAIT_S), name=WRITER) as give:
            for item in range(10):
                give(item)
                given_items.append(item)

    giver = threading.Thread(target=give_many)
    giver.start()
    wait_for(lambda: len(given_items) == 3)
    giver.join(0.1)
    assert giver.is_alive()
    assert given_items == [0, 1, 2]
    disk_is_free.set()
    giver.join(WAIT_S)
    assert given_items == list(range(10))


def test_a_block_that_is_stopped_leaves_what_was_given_written() -> None:
    written: list[int] = []

    def give_until_stopped() -> None:
        with write_behind(written.append, name=WRITER) as give:
            give(1)
            give(2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_until_stopped()
    assert written == [1, 2]
    assert not alive(WRITER)


# Something beside.


def test_the_block_goes_on_meanwhile_and_ends_after_it() -> None:
    block_is_on = threading.Event()
    done: list[str] = []

    def work() -> None:
        assert block_is_on.wait(WAIT_S)
        done.append(threading.current_thread().name)

    with done_beside(work, name=HELPER):
        assert not done
        block_is_on.set()
    assert done == [HELPER]
    assert not alive(HELPER)


def test_what_is_raised_beside_the_block_is_raised_at_its_end() -> None:
    failure, went_on = Failure(), []

    def fail() -> None:
        raise failure

    def go_on() -> None:
        with done_beside(fail, name=HELPER):
            wait_for(lambda: not alive(HELPER))
            went_on.append(True)

    with pytest.raises(Failure) as caught:
        go_on()
    assert caught.value is failure
    assert went_on


def test_a_block_that_fails_raises_its_own_error_when_the_other_has_ended() -> None:
    block_has_failed, done = threading.Event(), []

    def work() -> None:
        block_has_failed.wait(0.05)
        done.append(True)
        raise Failure

    def fail() -> None:
        with done_beside(work, name=HELPER):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert done
    assert not alive(HELPER)


# Mapping in order.


@given(st.lists(st.integers()), st.integers(1, 4), st.integers(0, 4))
def test_results_come_in_the_order_of_the_items(items: list[int], workers: int, ahead: int) -> None:
    results = map_in_order(lambda item: -item, items, workers=workers, ahead=ahead)
    assert list(results) == [-i for i in items]


def test_results_that_wait_for_an_earlier_one_keep_no_thread_idle() -> None:
    others_are_done = threading.Barrier(2)
    done: list[int] = []

    def work(item: int) -> int:
        if item in (0, 3):  # the first waits for the fourth, which the other thread comes to
            others_are_done.wait(WAIT_S)
        done.append(item)
        return item

    assert list(map_in_order(work, range(6), workers=2, ahead=2)) == list(range(6))
    assert done[:2] == [1, 2]


@given(st.integers(1, 20), st.integers(1, 4), st.data())
def test_what_the_function_raises_comes_where_its_result_is_due(
    count: int, workers: int, data: st.DataObject
) -> None:
    failing_at = data.draw(st.integers(0, count - 1))
    failure = Failure()
    before = threading.active_count()

    def work(item: int) -> int:
        if item == failing_at:
            raise failure
        return item

    got: list[int] = []
    with pytest.raises(Failure) as caught:
        got.extend(map_in_order(work, range(count), workers=workers))
    assert caught.value is failure
    assert got == list(range(failing_at))
    assert threading.active_count() == before


@given(st.integers(1, 20), st.integers(1, 4), st.integers(0, 4), st.data())
def test_closing_early_ends_the_threads_and_takes_no_more_items(
    count: int, workers: int, ahead: int, data: st.DataObject
) -> None:
    taken = data.draw(st.integers(1, count))
    source = Source(count)
    before = threading.active_count()
    results = map_in_order(abs, source, workers=workers, ahead=ahead)
    assert [next(results) for _ in range(taken)] == list(range(taken))
    assert len(source.taken) <= taken + workers + ahead
    results.close()
    assert threading.active_count() == before


def test_several_items_are_worked_on_at_once() -> None:
    together = threading.Barrier(3)
    results = map_in_order(lambda _: together.wait(WAIT_S), range(6), workers=3)
    assert sorted(results) == [0, 0, 1, 1, 2, 2]
