from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

import pytest
import streamlit as st

from pages.shared import singletons
from pages.shared.once import once
from pages.shared.run_words import _zone


def test_many_threads_are_given_one_thing() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    get = once(make)
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: get(), range(100)))
    assert found == set(made)
    assert len(made) == 1


@pytest.mark.parametrize("name", ["worker", "tile_sources", "visitors"])
def test_a_visitor_who_clears_the_caches_takes_nothing_of_the_process(name: str) -> None:
    before = getattr(singletons, name)()
    st.cache_resource.clear()
    assert getattr(singletons, name)() is before


@pytest.mark.parametrize("name", ["Etc/Unknown", "../../etc/passwd", "a\0b", "", None])
def test_a_time_zone_that_is_none_is_the_servers(name: str | None) -> None:
    assert _zone(name) is None
    assert _zone("Europe/Vienna") == ZoneInfo("Europe/Vienna")
