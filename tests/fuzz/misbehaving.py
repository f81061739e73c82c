"""Readers that do what no reader may: the judge has to see each."""

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Event

from seg_core.errors import SlideError
from tests.fuzz.kinds import Kind

_numbers = count()


def _make(folder: Path) -> Path:
    path = folder / "a.txt"
    path.write_bytes(b"sound" * 20)
    return path


def _abort(_path: Path) -> object:
    os.abort()


def _hang(_path: Path) -> object:
    return all(number >= 0 for number in _numbers)


def _wait(_path: Path) -> object:
    return Event().wait()


def _grow(_path: Path) -> object:
    return len(bytearray(os.urandom(1 << 20) * 200))


def _fail(path: Path) -> object:
    return path.read_bytes()[:0].index(b"x")


def _talk(_path: Path) -> object:
    sys.stderr.write("libtiff: something is odd\n")
    sys.stderr.flush()
    return None


def _refuse(words: str) -> Callable[[Path], object]:
    def read(_path: Path) -> object:
        raise SlideError(words)

    return read


KINDS = {
    kind.name: kind
    for kind in (
        Kind("aborts", _make, _abort),
        Kind("hangs", _make, _hang),
        Kind("waits", _make, _wait),
        Kind("grows", _make, _grow),
        Kind("fails", _make, _fail),
        Kind("talks", _make, _talk),
        Kind("reads other values", _make, Path.read_bytes, agrees=True),
        Kind("says two lines", _make, _refuse("one.\ntwo.")),
        Kind("says nothing", _make, _refuse("")),
        Kind("speaks of the program", _make, _refuse("'int' object has no attribute 'x'.")),
        Kind("refuses", _make, _refuse("a.txt is damaged; download it again.")),
        Kind("opens", _make, Path.read_bytes),
    )
}
