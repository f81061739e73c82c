"""What is known of damage in a JPEG that is decoded all the same."""

import os
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np

from seg_core.process.confined import CAN_CONFINE

DAMAGED_NOTE = (
    "part of its data is damaged or missing, so that part of the picture may be grey or wrong: copy or "
    "download it again."
)
"""Of a JPEG that `is_damaged`."""

# In the words of libjpeg, which says the first thing that it comes upon and goes on. Bytes too many
# before the end of the file hide nothing of the picture.
_DAMAGE, _HARMLESS = b"Corrupt JPEG data", b"extraneous bytes before marker 0xd9"

_MOST_WORDS_BYTES = 1 << 16

# An eighth of each side: all data are read, and little is held.
_HOW = cv2.IMREAD_REDUCED_GRAYSCALE_8 | cv2.IMREAD_IGNORE_ORIENTATION


def is_damaged(path: Path) -> bool:
    """Tell whether data of a JPEG are missing or wrong, though it begins and ends as one.

    Only OpenCV's libjpeg tells, and only on the standard error output, which is taken from this
    process meanwhile: for a confined child. Where there are none, nothing is found.

    Parameters
    ----------
    path : Path
    """
    if not CAN_CONFINE:
        return False
    data = np.fromfile(path, np.uint8)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)  # who says more than fits is not to wait for ever
    before = os.dup(2)
    try:
        os.dup2(writing, 2)
        with suppress(cv2.error):
            cv2.imdecode(data, _HOW)
        os.dup2(before, 2)
        words = b""
        with suppress(BlockingIOError):
            words = os.read(reading, _MOST_WORDS_BYTES)
    finally:
        for each in (reading, writing, before):
            os.close(each)
    return _DAMAGE in words and _HARMLESS not in words
