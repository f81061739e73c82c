"""The cache of drawn tiles."""

import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.viewer_page.server.tile_cache import TileCache, size_of_key

KEY = sys.getsizeof("a")


@given(st.lists(st.integers(0, 20)))
def test_it_never_takes_more_than_allowed_and_answers_what_was_asked(keys: list[int]) -> None:
    most = 40 + 3 * sys.getsizeof(1)
    cache: TileCache[bytes] = TileCache(most, size_of=len)
    for key in keys:
        assert cache.get(key, lambda key=key: bytes([key]) * key) == bytes([key]) * key
        assert cache.bytes <= most


def test_what_was_asked_for_last_stays() -> None:
    cache: TileCache[str] = TileCache(3 * (KEY + 1), size_of=len)
    for key in "abcad":  # b is the oldest when d comes
        cache.get(key, lambda key=key: key)
    made: list[str] = []
    for key in "acdb":
        cache.get(key, lambda key=key: made.append(key) or key)
    assert made == ["b"]


def test_what_failed_is_not_kept() -> None:
    cache: TileCache[str] = TileCache(2 * KEY, size_of=len)
    with pytest.raises(KeyError):
        cache.get("a", lambda: {}["nothing"])
    assert cache.get("a", lambda: "made") == "made"


def test_what_is_larger_than_the_cache_is_answered_and_not_kept() -> None:
    cache: TileCache[bytes] = TileCache(2 * KEY, size_of=len)
    assert len(cache.get("a", lambda: bytes(9999))) == 9999
    assert cache.bytes == 0


def test_many_threads_leave_the_count_right() -> None:
    each = sys.getsizeof(1) + 100
    cache: TileCache[bytes] = TileCache(5 * each, size_of=len)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: cache.get(n % 17 + 1, lambda: bytes(100)), range(2000)))
    assert cache.bytes == 5 * each


def test_what_is_forgotten_is_made_again() -> None:
    cache: TileCache[str] = TileCache(2 * KEY, size_of=len)
    cache.get("a", lambda: "old")
    cache.forget()
    assert cache.bytes == 0
    assert cache.get("a", lambda: "new") == "new"


def test_keys_count_since_empty_tiles_are_smaller_than_theirs() -> None:
    """A cache of empty tiles once took ten times its bound, since only pictures were counted."""
    cache: TileCache[bytes] = TileCache(400_000, size_of=sys.getsizeof)
    tracemalloc.start()
    for column in range(5000):
        options = (("min_score", f"{column / 5000}"), ("til", f"{column:016x}"))
        key = (Path(f"/slides/{column}.svs"), 0.25, "nuclei", column, frozenset({1, 2}), options)
        cache.get(key, lambda: bytes(60))
    held, _ = tracemalloc.get_traced_memory()
    del cache  # what other threads have taken meanwhile stays
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.5 * 400_000 < held - left < 2.5 * 400_000


def test_the_size_of_a_key_is_that_of_all_it_holds() -> None:
    name = "a name that nobody else has"
    assert size_of_key((name, (name,))) == (
        sys.getsizeof((name, (name,))) + sys.getsizeof((name,)) + 2 * sys.getsizeof(name)
    )
