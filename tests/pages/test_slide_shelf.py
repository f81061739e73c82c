"""Open slides are bounded by the memory that they take, and opened once."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from pages.shared.slide_shelf import SlideShelf
from seg_core.errors import SlideError
from seg_core.samples import sample_path
from seg_core.slide import ArraySlide, Slide, open_slide

PIXELS = (100, 100)
BYTES = 100 * 100 * 3


class Opener:
    """Opens images in memory, slowly enough for others to come meanwhile."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.opened: list[Path] = []
        self._pause_s = pause_s

    def __call__(self, path: Path, mpp: float | None) -> Slide:
        self.opened.append(path)
        time.sleep(self._pause_s)
        if path.name == "broken":
            raise SlideError("broken cannot be read; choose another.")
        return ArraySlide(np.zeros((*PIXELS, 3), np.uint8), mpp, path)


def test_images_are_kept_up_to_their_bytes_the_last_ones_longest() -> None:
    opener = Opener()
    shelf = SlideShelf(opener, most=10, most_bytes=2 * BYTES + 10)
    paths = [Path(name) for name in "abc"]
    shelf.get(paths[0], 1, None)
    shelf.get(paths[1], 1, None)
    shelf.get(paths[0], 1, None)
    shelf.get(paths[2], 1, None)
    assert shelf.bytes == 2 * BYTES
    assert opener.opened == paths
    shelf.get(paths[0], 1, None)
    assert opener.opened == paths, "asked for last, so it was kept"
    shelf.get(paths[1], 1, None)
    assert opener.opened == [*paths, paths[1]]


def test_one_that_is_larger_than_all_that_may_be_kept_is_kept_alone() -> None:
    shelf = SlideShelf(Opener(), most=10, most_bytes=BYTES // 2)
    large = shelf.get(Path("a"), 1, None)
    assert shelf.get(Path("a"), 1, None) is large
    shelf.get(Path("b"), 1, None)
    assert shelf.bytes == BYTES


def test_slides_of_files_are_bounded_by_their_number_and_opened_anew_after_an_error() -> None:
    shelf = SlideShelf(lambda path, mpp: open_slide(path, mpp=mpp), most=2, most_bytes=10**9)
    path = sample_path("cmu_small_region")
    first = shelf.get(path, 1, None)
    assert shelf.get(path, 1, None) is first
    shelf.get(path, 2, None)
    shelf.get(path, 1, 0.5)
    assert shelf.get(path, 1, None) is not first
    image = SlideShelf(Opener(), most=2, most_bytes=10**9)
    kept = image.get(Path("a"), 1, None)
    again = shelf.get(path, 1, None)
    for each in (shelf, image):
        each.forget_files()
    assert image.get(Path("a"), 1, None) is kept, "decoded once, it depends on no file"
    assert shelf.get(path, 1, None) is not again


def test_many_who_ask_at_once_have_it_opened_once() -> None:
    opener = Opener(0.05)
    shelf = SlideShelf(opener, most=10, most_bytes=10**9)
    found: list[Slide] = []
    threads = [
        threading.Thread(target=lambda: found.append(shelf.get(Path("a"), 1, None)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opener.opened == [Path("a")]
    assert len(found) == 8
    assert len(set(map(id, found))) == 1
    assert not shelf._opening


def test_what_cannot_be_opened_keeps_nothing() -> None:
    shelf = SlideShelf(Opener(), most=10, most_bytes=10**9)
    for _ in range(2):
        with pytest.raises(SlideError):
            shelf.get(Path("broken"), 1, None)
    assert shelf.bytes == 0
    assert not shelf._opening
