"""Who works in a folder that several machines share.

The operating system's lock (`seg_core.files.locks.locked`) is dropped the moment a process ends,
but not every network drive carries it to other machines, and some have none. So whoever works in a
folder of a store also holds a *lease*, a file whose holder counts up in it every few seconds::

    run folder/  lock        empty; locked by the operating system
                 lease-1     {"token": …, "host": …, "beat": 0, "released": true}   done
                 lease-2     {"token": …, "host": …, "beat": 7, "released": false}  at work

- The highest number holds. The next number is taken by creating its file, which a file system lets
  only one process do, and only when the lease before was released or has stopped beating.
- Whether it beats is judged by the observer's own clock: it reads the count, waits and reads again,
  so clocks that differ between machines do no harm.
- On one machine nobody waits: where the operating system's lock is ours, a lease of the same
  machine is that of a process that has ended.
- A machine that slept past that and wakes up goes on beside the one that took over. Both write the
  same values, each file whole, so what is found stays right and only time is lost.
- Files of leases stay, since a number that comes twice would let two processes in. There is one more
  for each time that a run is taken up.
"""

import json
import platform
import secrets
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from seg_core.files.disk_errors import store_errors
from seg_core.files.locks import busy, is_locked, os_locked, remove_leftovers

BEAT_S = 5.0
"""How often a holder counts up."""

EXPIRY_S = 45.0
"""A lease that has not been counted up for so long is taken over. Linux keeps what it knows of a
file of NFS for up to 30 s unless the file is opened anew, as it is here."""

_LOOK_S = 1.0

# Written over in place, so that a beat needs no room on a disk that is full.
_RECORD_BYTES = 256


@dataclass(frozen=True, slots=True)
class _Record:
    """What stands in the file of a lease."""

    token: str
    host: str
    beat: int = 0
    released: bool = False

    def packed(self) -> bytes:
        entries = {
            "token": self.token,
            "host": self.host,
            "beat": self.beat,
            "released": self.released,
        }
        return json.dumps(entries).encode().ljust(_RECORD_BYTES - 1) + b"\n"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep every other process, on this machine or another, from working in a folder.

    The folder is made when it is not there. Where a process of another machine has gone without a
    word, this waits until its lease has expired.

    Raises
    ------
    BusyError
        If another process works in the folder.
    StoreError
        If the folder cannot be written.
    """
    with os_locked(folder) as has_locks:
        with store_errors(folder):
            path = _claimed(folder, alone_on_host=has_locks)
        with _beating(path):
            remove_leftovers(folder)
            yield


def is_held(folder: Path) -> bool:
    """Tell at once whether a process works in a folder, as far as can be seen without waiting.

    A lease of another machine counts as long as its file is not older than `EXPIRY_S` by this
    machine's clock.
    """
    if is_locked(folder):
        return True
    number = _last(folder)
    record = _read(_path(folder, number)) if number else None
    if record is None or record.released or record.host == this_host():
        return False
    with suppress(OSError):
        return time.time() - _path(folder, number).stat().st_mtime < EXPIRY_S
    return False


def _claimed(folder: Path, *, alone_on_host: bool) -> Path:
    """Create the next lease as soon as the one before has ended."""
    record = _Record(secrets.token_hex(8), this_host())
    for number in count(_last(folder) + 1):
        if number > 1 and not _has_ended(_path(folder, number - 1), alone_on_host):
            raise busy(folder)
        with suppress(FileExistsError):  # somebody was quicker; look at that one
            return _create(_path(folder, number), record)
    raise AssertionError("numbers do not end")


def _create(path: Path, record: _Record) -> Path:
    with path.open("xb") as file:
        file.write(record.packed())
    return path


def _has_ended(path: Path, alone_on_host: bool) -> bool:
    """Tell whether the holder of a lease is done or gone; waits for a beat of another machine."""
    first = _read(path)
    is_local = first is not None and first.host == this_host()
    if first is not None and (first.released or (alone_on_host and is_local)):
        return True
    until = time.monotonic() + EXPIRY_S
    while time.monotonic() < until:
        time.sleep(min(_LOOK_S, EXPIRY_S / 4))
        now = _read(path)
        if now is not None and now.released:
            return True
        if now != first:
            return False
    return True


@contextmanager
def _beating(path: Path) -> Iterator[None]:
    record = _read(path)
    assert record is not None, "it was written a moment ago"
    done = threading.Event()

    def beat() -> None:
        for number in count(1):
            if done.wait(BEAT_S):
                return
            _write(path, _Record(record.token, record.host, number))

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        _write(path, _Record(record.token, record.host, released=True))


def _write(path: Path, record: _Record) -> None:
    # What cannot be written now may be the next time; the folder may also have been removed, and
    # must not come back. Where another has made it anew, the lease of that number is not ours.
    found = _read(path)
    if found is None or found.token != record.token:
        return
    with suppress(OSError), path.open("r+b") as file:
        file.write(record.packed())


def _read(path: Path) -> _Record | None:
    """Return what stands in a lease, None while it is being written."""
    try:
        return _Record(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def _path(folder: Path, number: int) -> Path:
    return folder / f"lease-{number}"


def _last(folder: Path) -> int:
    numbers = (path.name.removeprefix("lease-") for path in folder.glob("lease-*"))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)


@cache
def this_host() -> str:
    """Return what tells this machine from all others, and from itself before it was restarted."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{platform.node()}-{uuid.getnode():x}"
