import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from seg_core.errors import ModelError
from seg_core.model.lender import EngineLender

WAIT_S = 10


class Loaded:
    """Stands for an engine."""


def test_the_engine_of_one_key_is_loaded_once() -> None:
    lender = EngineLender()
    with lender.lend("a", Loaded) as first:
        pass
    with lender.lend("a", pytest.fail) as second:
        assert second is first


def test_only_the_engine_used_last_is_kept() -> None:
    lender = EngineLender()
    engines = []
    for key in "aba":
        with lender.lend(key, Loaded) as engine:
            engines.append(engine)
    assert len(set(engines)) == 3


def test_what_loading_raises_is_passed_on_and_the_next_one_loads_again() -> None:
    lender = EngineLender()

    def missing() -> Loaded:
        raise ModelError("the weights are missing.")

    with lender.lend("a", Loaded):
        pass
    with pytest.raises(ModelError, match="are missing"), lender.lend("b", missing):
        pass
    for key in "ba":
        with lender.lend(key, Loaded) as engine:
            assert isinstance(engine, Loaded)


def test_an_error_while_it_is_lent_gives_the_engine_back() -> None:
    lender = EngineLender()
    with pytest.raises(KeyboardInterrupt), lender.lend("a", Loaded):
        raise KeyboardInterrupt
    with lender.lend("a", pytest.fail):
        pass


def test_two_threads_have_an_engine_one_after_the_other() -> None:
    """A module's dictionary was cleared by one thread between another's two looks at it."""
    lender = EngineLender()
    borrowed: list[str] = []
    most_at_once = 0

    def borrow(number: int) -> None:
        nonlocal most_at_once
        key = "ab"[number % 2]
        with lender.lend(key, Loaded):
            borrowed.append(key)
            most_at_once = max(most_at_once, len(borrowed))
            threading.Event().wait(0.002)
            borrowed.remove(key)

    with ThreadPoolExecutor(2) as threads:
        for each in [threads.submit(borrow, number) for number in range(20)]:
            each.result(WAIT_S)
    assert most_at_once == 1
