"""The cache of drawn tiles."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.viewer_page.server.tile_cache import TileCache


@given(st.lists(st.integers(0, 20)))
def test_it_never_takes_more_than_allowed_and_answers_what_was_asked(keys: list[int]) -> None:
    cache: TileCache[bytes] = TileCache(40, size_of=len)
    for key in keys:
        assert cache.get(key, lambda key=key: bytes([key]) * key) == bytes([key]) * key
        assert cache.bytes <= 40


def test_what_was_asked_for_last_stays() -> None:
    cache: TileCache[str] = TileCache(3, size_of=len)
    for key in "abcad":  # b is the oldest when d comes
        cache.get(key, lambda key=key: key)
    made: list[str] = []
    for key in "acdb":
        cache.get(key, lambda key=key: made.append(key) or key)
    assert made == ["b"]


def test_what_failed_is_not_kept() -> None:
    cache: TileCache[str] = TileCache(9, size_of=len)
    with pytest.raises(KeyError):
        cache.get("a", lambda: {}["nothing"])
    assert cache.get("a", lambda: "made") == "made"


def test_many_threads_leave_the_count_right() -> None:
    cache: TileCache[bytes] = TileCache(500, size_of=len)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: cache.get(n % 17, lambda: bytes(100)), range(2000)))
    assert cache.bytes == 500


def test_what_is_forgotten_is_made_again() -> None:
    cache: TileCache[str] = TileCache(9, size_of=len)
    cache.get("a", lambda: "old")
    cache.forget()
    assert cache.bytes == 0
    assert cache.get("a", lambda: "new") == "new"
