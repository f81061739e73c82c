"""Threads that draw for all visitors in turn."""

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import wait

import pytest

from pages.viewer_page.server.fair_pool import FairPool, Places, TooManyError

WAIT_S = 60


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What is drawn waits for it."""
    event = threading.Event()
    yield event
    event.set()


def test_visitors_are_served_in_turn_however_much_one_asks_for(gate: threading.Event) -> None:
    pool = FairPool("test", threads=1, of_one=1)
    order: list[str] = []
    running = pool.submit("greedy", lambda: gate.wait(WAIT_S))
    asked = [pool.submit("greedy", lambda n=n: order.append(f"greedy {n}")) for n in range(50)]
    asked += [pool.submit("modest", lambda n=n: order.append(f"modest {n}")) for n in range(2)]
    gate.set()
    wait([running, *asked], WAIT_S)
    assert {"modest 0", "modest 1"} < set(order[:4])
    assert len(order) == 52


def test_one_visitor_never_has_all_threads(gate: threading.Event) -> None:
    pool = FairPool("test", threads=2, of_one=1)
    held = [pool.submit("greedy", lambda: gate.wait(WAIT_S)) for _ in range(8)]
    assert pool.submit("modest", lambda: "drawn").result(WAIT_S) == "drawn"
    assert not any(each.done() for each in held)


def test_what_is_cancelled_leaves_the_queue_and_is_never_done(gate: threading.Event) -> None:
    pool = FairPool("test", threads=1, of_one=1)
    done: list[int] = []
    running = pool.submit("one", lambda: gate.wait(WAIT_S))
    given_up = [pool.submit("one", lambda n=n: done.append(n)) for n in range(45)]
    for each in given_up:
        each.cancel()
    assert pool.waiting() <= 1  # the thread may not have taken the first yet
    gate.set()
    assert pool.submit("one", lambda: "next").result(WAIT_S) == "next"
    assert running.result(WAIT_S)
    assert done == []


def test_an_error_reaches_whoever_asked_and_the_thread_goes_on() -> None:
    pool = FairPool("test", threads=1, of_one=1)
    with pytest.raises(ZeroDivisionError):
        pool.submit("one", lambda: 1 / 0).result(WAIT_S)
    assert pool.submit("one", lambda: 1).result(WAIT_S) == 1


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere threads have no priority of their own"
)
def test_threads_may_have_a_lower_priority_than_the_process() -> None:
    own = os.getpriority(os.PRIO_PROCESS, 0)
    pool = FairPool("test", threads=1, of_one=1, niceness=3)
    assert pool.submit("one", lambda: os.getpriority(os.PRIO_PROCESS, 0)).result(WAIT_S) == own + 3
    assert os.getpriority(os.PRIO_PROCESS, 0) == own


def test_places_are_bounded_for_each_and_for_all() -> None:
    places = Places(2, 3)
    places.take("one")
    places.take("one")
    with pytest.raises(TooManyError, match="Your browser has asked for 2 of these at once"):
        places.take("one")
    places.take("two")
    with pytest.raises(TooManyError, match="This server is answering as much as it can at once"):
        places.take("three")
    places.give_back("one")
    places.take("three")


def test_places_of_one_page_are_fewer_than_those_of_its_visitor() -> None:
    places = Places(3, 9, of_page=2)
    places.take("one", "a page")
    places.take("one", "a page")
    with pytest.raises(TooManyError, match="Your browser has asked for 2 of these at once"):
        places.take("one", "a page")
    places.take("one", "another page")
    with pytest.raises(TooManyError, match="Your browser has asked for 3 of these at once"):
        places.take("one", "another page")
    places.give_back("one", "a page")
    places.take("one", "a page")
