"""What people corrected in a run: a journal that only grows.

One line a correction, in ``corrections.jsonl``::

    1b2f…  {"at": "2025-06-01T10:22:31+00:00", "by": "…", "nuclei": [4], "from": ["lymphocyte"], …}

The digits before it are its checksum. A line is on disk before the one who corrects is told so, and
lines of several processes do not mix, since each is one write at the file's end under a lock. A
process killed while it writes leaves a line without its end at most: readers pass over it, and the
next writer begins a line of its own.

Undo and redo are entries too, so nothing that was ever said is lost; each person takes back what
that person has said. Of two corrections of one nucleus the later counts, whoever made it.
"""

import json
import os
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from seg_core.errors import StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.files.locks import exclusive

JOURNAL_FILE = "corrections.jsonl"

_DIGITS = 8

Action = Literal["correct", "undo", "redo"]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a nucleus was called and what it is called now.

    Attributes
    ----------
    name : str or None
        None: it is not a nucleus.
    found : str
        What it was called before.
    by, at : str
        Who said so, and when: ISO 8601 with time zone.
    """

    name: str | None
    found: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal.

    Attributes
    ----------
    action : {"correct", "undo", "redo"}
    by, at : str
    nuclei : tuple of int
        Ids; none for undo and redo.
    found : tuple of str
        What each was called before.
    name : str or None
        What they are called now; None: they are not nuclei.
    """

    action: Action
    by: str
    at: str
    nuclei: tuple[int, ...] = ()
    found: tuple[str, ...] = ()
    name: str | None = None


def corrected_in_words(corrections: Collection[Correction]) -> str:
    """Return a sentence on how many nuclei were corrected.

    Examples
    --------
    >>> corrected_in_words([Correction("lymphocyte", "other", "Ada", "2026-11-30T08:00:00Z")])
    '1 nucleus was corrected by hand.'
    """
    gone = sum(each.name is None for each in corrections)
    corrected = "1 nucleus was" if len(corrections) == 1 else f"{len(corrections):,} nuclei were"
    taken = f", {gone:,} of them taken away" if gone else ""
    return f"{corrected} corrected by hand{taken}."


class Journal:
    """The corrections of a run; several processes may write and read at the same time.

    Every method raises `seg_core.errors.StoreError` if the file cannot be written or read.

    Parameters
    ----------
    folder : Path
        That of the run, or of one person's corrections of it.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_FILE

    @property
    def exists(self) -> bool:
        """Whether anything was ever corrected."""
        return self.path.is_file()

    def correct(
        self, nuclei: Sequence[int], found: Sequence[str], name: str | None, *, by: str
    ) -> None:
        """Call nuclei something else, in one entry.

        Parameters
        ----------
        nuclei : sequence of int
            Their ids.
        found : sequence of str
            What each is called now.
        name : str or None
            None: they are not nuclei.
        by : str
            Who says so.
        """
        if len(nuclei) != len(found):
            raise ValueError("each nucleus needs what it was called.")
        ids = tuple(map(int, nuclei))
        self._append(Entry("correct", by, _now(), ids, tuple(found), name))

    def undo(self, *, by: str) -> bool:
        """Take back the last correction of this person that counts; False where there is none."""
        return self._turn("undo", by)

    def redo(self, *, by: str) -> bool:
        """Take back this person's last undo; False where there is none, or a correction since."""
        return self._turn("redo", by)

    def entries(self) -> list[Entry]:
        """Return all whole lines in the order in which they were written."""
        with store_errors(self.path.parent):
            if not self.path.is_file():
                return []
            return list(_whole_lines(self.path.read_bytes()))

    def current(self) -> dict[int, Correction]:
        """Return what counts now and differs from what was found, by id of the nucleus."""
        said = self.said()
        return {number: each for number, each in said.items() if each.name != each.found}

    def said(self) -> dict[int, Correction]:
        """Return all that counts now, also of nuclei that are called what they were found to be.

        What a nucleus was called *before* is what it was called before the first correction that
        counts.
        """
        current: dict[int, Correction] = {}
        for entry in _standing(self.entries())[0]:
            for number, found in zip(entry.nuclei, entry.found, strict=True):
                first = current[number].found if number in current else found
                current[number] = Correction(entry.name, first, entry.by, entry.at)
        return current

    def _turn(self, action: Action, by: str) -> bool:
        with self._opened() as file:
            done, undone = _standing(_whole_lines(self.path.read_bytes()))
            possible = _last_of(done if action == "undo" else undone, by) is not None
            if possible:
                _write(file, Entry(action, by, _now()))
        return possible

    def _append(self, entry: Entry) -> None:
        with self._opened() as file:
            _write(file, entry)

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        with store_errors(self.path.parent), exclusive(self.path) as file:
            yield file


def _write(file: IO[bytes], entry: Entry) -> None:
    text = json.dumps(asdict(entry), ensure_ascii=False, separators=(",", ":"))
    body = text.encode()
    # what a killed process left without an end must not swallow this line
    begin = b"" if _ends_whole(Path(file.name)) else b"\n"
    file.write(begin + f"{zlib.crc32(body):0{_DIGITS}x} ".encode() + body + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if not size:
            return True
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _whole_lines(content: bytes) -> Iterator[Entry]:
    for line in content.split(b"\n"):
        digits, _, body = line.partition(b" ")
        if digits.decode("ascii", "replace") != f"{zlib.crc32(body):0{_DIGITS}x}":
            continue  # a line without its end
        yield _entry(json.loads(body))


def _entry(values: dict[str, Any]) -> Entry:
    try:
        return Entry(
            values["action"],
            str(values["by"]),
            str(values["at"]),
            tuple(map(int, values["nuclei"])),
            tuple(map(str, values["found"])),
            None if values["name"] is None else str(values["name"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{JOURNAL_FILE} holds an entry of another version of this program ({error!r}); use "
            "that one, or move the file away."
        ) from error


def _standing(entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return the corrections that count, and those that a redo would bring back, the next last.

    Each person takes back what that person has said.
    """
    done: list[Entry] = []
    undone: list[Entry] = []
    for entry in entries:
        if entry.action == "correct":
            done.append(entry)
            undone = [each for each in undone if each.by != entry.by]
        else:
            source, target = (done, undone) if entry.action == "undo" else (undone, done)
            last = _last_of(source, entry.by)
            if last is not None:
                target.append(source.pop(last))
    return done, undone


def _last_of(entries: Sequence[Entry], by: str) -> int | None:
    return next((k for k in reversed(range(len(entries))) if entries[k].by == by), None)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
