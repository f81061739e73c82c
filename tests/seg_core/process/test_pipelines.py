import threading

import pytest

from seg_core.process.pipelines import writing_behind

WAIT_S = 10


def test_the_giver_goes_on_while_an_item_is_written() -> None:
    disk_is_free = threading.Event()
    written: list[tuple[int, str]] = []

    def write(item: int) -> None:
        assert disk_is_free.wait(WAIT_S)
        written.append((item, threading.current_thread().name))

    with writing_behind(write) as give:
        give(1)
        give(2)
        assert written == []
        disk_is_free.set()
    assert written == [(1, "map writer"), (2, "map writer")]


def test_only_a_few_items_wait() -> None:
    disk_is_free = threading.Event()
    given: list[int] = []
    three_are_given = threading.Event()

    def give_many() -> None:
        with writing_behind(lambda _: disk_is_free.wait(WAIT_S) and None) as give:
            for item in range(10):
                give(item)
                given.append(item)
                if item == 2:
                    three_are_given.set()

    giver = threading.Thread(target=give_many)
    giver.start()
    assert three_are_given.wait(WAIT_S)
    giver.join(0.1)
    assert giver.is_alive()
    assert given == [0, 1, 2]
    disk_is_free.set()
    giver.join(WAIT_S)
    assert given == list(range(10))


@pytest.mark.parametrize("items", [1, 2, 50])
def test_what_writing_raises_is_raised_and_nothing_more_is_written(items: int) -> None:
    tried: list[int] = []

    def write(item: int) -> None:
        tried.append(item)
        raise OSError("the disk is full")

    def give_all() -> None:
        with writing_behind(write) as give:
            for item in range(items):
                give(item)

    with pytest.raises(OSError, match="the disk is full"):
        give_all()
    assert tried == [0]
    assert "map writer" not in {thread.name for thread in threading.enumerate()}


def test_whoever_is_stopped_leaves_what_was_given_written() -> None:
    written: list[int] = []

    def give_until_stopped() -> None:
        with writing_behind(written.append) as give:
            give(1)
            give(2)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_until_stopped()
    assert written == [1, 2]
    assert "map writer" not in {thread.name for thread in threading.enumerate()}
