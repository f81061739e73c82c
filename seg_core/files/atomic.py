"""Files and folders that are written whole or not at all.

What is exported replaces nothing unless that is asked for; what a store keeps always does.
"""

import ctypes
import glob
import gzip
import hashlib
import io
import json
import os
import platform
import re
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from seg_core.errors import ExportError
from seg_core.files.disk_errors import export_errors
from seg_core.files.outputs import check_same_kind, place_of, refuse_stdout

_TRIES, _PAUSE_S = 10, 0.1

# Tells what this process writes from what one of the same number wrote before it.
_PROCESS = secrets.token_hex(4)

# How names of temporary files end: machine, process and token.
_WRITER = re.compile(
    r"\.(?P<machine>[0-9a-f]{4})-(?P<process>\d{1,20})-(?P<token>[0-9a-f]{8,16})\.tmp$", re.ASCII
)

# As `json` writes them; no text holds a line's end.
_LIST_OF_NUMBERS = re.compile(r"\[\n([\s\d.eE+,-]+)\]")

# What nobody has touched for a week nobody writes any more; the longest export takes hours.
_ABANDONED_S = 7 * 24 * 3600.0


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its place when all went well.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = Path(folder.name) / "note.txt"
    >>> with replacing(path) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> path.read_text(), [each.name for each in path.parent.iterdir()]
    ('whole', ['note.txt'])
    >>> folder.cleanup()
    """
    temporary = temporary_beside(path)
    try:
        yield temporary
        sync_file(
            temporary
        )  # else a machine that loses power may keep the name without the content
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def take_file(source: Path, target: Path) -> None:
    """Give a file a second name, in place of what has it; copy it where that cannot be.

    Both names are of one content until either is replaced. `sync_disk_of` is left to the caller.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            temporary.hardlink_to(source)
        except OSError:  # some network drives have no links
            shutil.copyfile(source, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Wait until a file is on the disk and not only in the system's memory."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_disk_of(folder: Path) -> None:
    """Wait until all files of a folder are on the disk, as quickly as the system can."""
    if sys.platform == "linux":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            if ctypes.CDLL(None).syncfs(descriptor) == 0:
                return
        finally:
            os.close(descriptor)
    for path in folder.rglob("*"):
        if path.is_file():
            sync_file(path)


def write_json(path: Path, content: Any, *, rows: bool = False) -> None:
    """Write JSON in one step, as far as a reader can see.

    Parameters
    ----------
    path : Path
    content
    rows : bool
        Write each list of numbers in one line; else each number has its own.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False)
    if rows:
        text = _LIST_OF_NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text)
    try:
        encoded = text.encode("utf-8")
    except UnicodeEncodeError:  # the name of a file may be of bytes that are no letters
        encoded = json.dumps(content, indent=1).encode("ascii")
    with replacing(path) as temporary:
        temporary.write_bytes(encoded + b"\n")


@contextmanager
def new_file(path: Path, *, force: bool) -> Iterator[Path]:
    """Give a temporary path beside ``path`` that takes its name when all is written.

    Where ``path`` is a link, the file that it leads to is written.

    Parameters
    ----------
    path : Path
    force : bool
        Replace a file of that name, if its content is of the same kind.

    Raises
    ------
    ExportError
        If there is such a file already, it is none or of another kind, or it cannot be written.
    """
    place = place_of(path)
    if path.exists() and not force:
        raise ExportError(
            f"{path} exists already; give another name, or --force to replace the file."
        )
    _remove_parts(place)
    with export_errors(path), replacing(place) as temporary:
        temporary.touch()  # what cannot be written is known before the work begins
        yield temporary
        if place.exists():
            check_same_kind(place, temporary)


@contextmanager
def new_text_file(path: Path, *, force: bool) -> Iterator[TextIO]:
    """Open a UTF-8 file that takes its name when all is written; ``.gz`` is packed by gzip.

    Parameters
    ----------
    path : Path
    force : bool
        Replace a file of that name.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    """
    with new_file(path, force=force) as temporary:
        if path.suffix.lower() != ".gz":
            with temporary.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        # neither the time nor the temporary name goes into the file: equal content, equal bytes
        with (
            temporary.open("wb") as raw,
            gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
            io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
        ):
            yield file


@contextmanager
def new_folder(path: Path, *, replaceable: Callable[[Path], bool], force: bool) -> Iterator[Path]:
    """Give the path of a folder to make, beside ``path``, whose name it takes when all is written.

    Parameters
    ----------
    path : Path
    replaceable : callable
        Tells whether a folder is of the kind that is written here.
    force : bool
        Replace a folder of that name, if it is of this kind or empty; nothing else is removed.

    Raises
    ------
    ExportError
        If there is something of that name that is not to be replaced, or it cannot be written.
    """
    refuse_stdout(path)
    if path.exists():
        if not force:
            raise ExportError(
                f"{path} exists already; give another name, or --force to replace the folder."
            )
        if not path.is_dir() or (any(path.iterdir()) and not replaceable(path)):
            raise ExportError(
                f"{path} is something else than such a folder and is not replaced; "
                "give another name."
            )
    temporary = temporary_beside(path)
    _remove_parts(path)
    with _removed_afterwards(temporary), export_errors(path):
        temporary.mkdir()  # what cannot be written is known before the work begins
        temporary.rmdir()
        yield temporary
        _take_place(temporary, path)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """Give a folder beside a file that is being written, for as long as that takes.

    Parameters
    ----------
    path : Path
        The file.
    """
    _remove_parts(path)
    folder = temporary_beside(path)
    folder.mkdir()
    with _removed_afterwards(folder):
        yield folder


@contextmanager
def _removed_afterwards(folder: Path) -> Iterator[None]:
    """Remove a folder when the block is left, however it is left."""
    try:
        yield
    except BaseException:
        # zarr's threads may be at work for a while after one of them has failed, and make the
        # folder anew
        for _ in range(_TRIES):
            shutil.rmtree(folder, ignore_errors=True)
            time.sleep(_PAUSE_S)
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def temporary_beside(path: Path) -> Path:
    """Return a name that tells which process writes there."""
    token = _PROCESS + secrets.token_hex(4)
    return path.with_name(f".{path.name}.{_machine()}-{os.getpid()}-{token}.tmp")


def _remove_parts(path: Path) -> None:
    """Remove what killed processes have left beside a file that they were writing."""
    remove_parts_in(path.parent, glob.escape(path.name))


def remove_parts_in(folder: Path, names: str = "*") -> None:
    """Remove what killed processes have left half written in a folder.

    Parameters
    ----------
    folder : Path
    names : str
        Pattern of what they were writing: names of files or folders in it.
    """
    for left in folder.glob(f".{names}.*-*-*.tmp"):
        if not _is_left(left):
            continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):
                left.unlink()


def is_being_written(part: Path) -> bool:
    """Tell whether a living process of this machine writes what `temporary_beside` has named.

    After a restart this one may have the number of the one that was killed, as in a container, where
    all processes count from 1.
    """
    found = _WRITER.search(part.name)
    if found is None or found["machine"] != _machine():
        return False
    process = int(found["process"])
    if process == os.getpid():
        return found["token"].startswith(_PROCESS)
    return _is_alive(process)


def _is_left(part: Path) -> bool:
    """Tell whether nobody writes any more what `temporary_beside` has named.

    A container that is made anew takes itself for another machine, and what a process has left may have
    the number of another one by now. So what has not been touched for long is left, too.
    """
    found = _WRITER.search(part.name)
    if found is None:
        return False
    if found["machine"] == _machine() and not is_being_written(part):
        return True
    with suppress(OSError):  # a copy has the time of its source as that of its content
        return time.time() - part.stat().st_ctime > _ABANDONED_S
    return False


def _is_alive(process: int) -> bool:
    if sys.platform == "win32":
        return True  # nobody can be asked there without being ended
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _machine() -> str:
    """Return a short name of this machine, since others may write in the same folder."""
    return hashlib.sha256(platform.node().encode("utf-8", "surrogateescape")).hexdigest()[:4]


def _take_place(folder: Path, path: Path) -> None:
    """Give a folder a name; what has it already goes when that is done, and stays otherwise."""
    if not path.exists():
        folder.rename(path)
        return
    aside = folder.with_suffix(".old")
    path.rename(aside)
    try:
        folder.rename(path)
    except OSError:
        aside.rename(path)
        raise
    shutil.rmtree(aside)
