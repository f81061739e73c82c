"""A small picture of each slide, kept beside its run: a table of hundreds need not open the slides."""

from pathlib import Path

from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors
from seg_core.picture.encoding import encode_jpeg
from seg_core.slide import Slide
from seg_core.store import Run

THUMBNAIL_FILE = "thumbnail.jpg"
"""Name of the picture in the folder of a run."""

_LARGEST_PX = 120
_QUALITY = 75


def keep_thumbnail(run: Run, slide: Slide) -> Path:
    """Keep a small picture of the slide of a run; some three kilobytes.

    Raises
    ------
    SlideError
        If the slide cannot be read.
    StoreError
        If the disk is full or cannot be written.
    """
    path = run.path / THUMBNAIL_FILE
    content = encode_jpeg(slide.thumbnail(_LARGEST_PX), quality=_QUALITY)
    with store_errors(run.path), replacing(path) as temporary:
        temporary.write_bytes(content)
    return path
