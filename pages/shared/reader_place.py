"""Where what a reader said or drew is kept, so that it comes back to them and to nobody else.

A store is shared by all who use a server, and equal files have equal ids. So what one person draws
is kept where only that person comes: with the upload, or with the browser. On the reader's own
machine the store is the reader's, but for the samples, on which everybody tries things out.
"""

from functools import cache
from pathlib import Path

from pages.shared import slide_places, uploads, visitor
from seg_core.samples import SAMPLES, sample_path
from seg_core.store import default_store


def of_slide(path: Path) -> Path | None:
    """Return where what was said of a slide is kept, None where only the session may."""
    if path in _samples():
        return _of_browser()
    return uploads.upload_folder_of(path) or of_reader()


def of_reader() -> Path | None:
    """Return where what holds for all slides is kept, None where only the session may."""
    if slide_places.reader_is_local():
        return default_store()
    return _of_browser()


def _of_browser() -> Path | None:
    name = visitor.folder_name()
    return None if name is None else default_store() / "readers" / name


@cache
def _samples() -> frozenset[Path]:
    return frozenset(sample_path(sample.name) for sample in SAMPLES)
