"""What people corrected in a run: a journal that only grows.

One line a correction, in ``corrections.jsonl``::

    1b2f…  {"at": "2025-06-01T10:22:31+00:00", "by": "…", "nuclei": [4], "from": ["lymphocyte"], …}

The digits before it are its checksum. A line is on disk before the one who corrects is told so, and
lines of several processes do not mix, since each is one write at the file's end under a lock. A
process killed while it writes leaves a line without its end at most: readers pass over it, and the
next writer begins a line of its own.

A correction says of which table of nuclei it is, by its checksum, and where each nucleus lies. Where
another table has taken that one's place, since the slide was analysed anew, a nucleus is known again
by its place; what was said of one that is no longer found is set aside. Entries of earlier versions
say no place, and are of the table that is there.

Undo and redo are entries too, so nothing that was ever said is lost; each person takes back what
that person has said. Of two corrections of one nucleus the later counts, whoever made it.
"""

import json
import os
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal

from seg_core.errors import StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.files.locks import exclusive
from seg_core.store.nucleus_places import NucleusPlaces, Place

JOURNAL_FILE = "corrections.jsonl"

_DIGITS = 8

Action = Literal["correct", "undo", "redo"]

# A table, and the id of a nucleus in it; of the table that is there its name is empty.
_Key = tuple[str, int]
_HERE, _UNSEALED = "", "unsealed"


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
    table : str
        Checksum of the table that the ids are of; empty where that is not known.
    places : tuple of (float, float)
        Where each lies, level-0 pixels; none where that is not known.
    """

    action: Action
    by: str
    at: str
    nuclei: tuple[int, ...] = ()
    found: tuple[str, ...] = ()
    name: str | None = None
    table: str = ""
    places: tuple[Place, ...] = ()


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
    nuclei : NucleusPlaces, optional
        Of the table of the run; without it ids are taken as they stand.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(self, folder: Path, nuclei: NucleusPlaces | None = None) -> None:
        self.path = folder / JOURNAL_FILE
        self._nuclei = nuclei

    @property
    def exists(self) -> bool:
        """Whether anything was ever corrected."""
        with store_errors(self.path.parent):
            return self.path.is_file() and self.path.stat().st_size > 0

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

        Raises
        ------
        StoreError
            If a nucleus is not in the table of the run, or another table has taken its place.
        """
        if len(nuclei) != len(found):
            raise ValueError("each nucleus needs what it was called.")
        ids = tuple(map(int, nuclei))
        entry = Entry("correct", by, _now(), ids, tuple(found), name)
        if self._nuclei is not None:
            entry = replace(entry, table=self._nuclei.checksum, places=self._nuclei.of(ids))
        self._append(entry)

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

    def said(self) -> dict[int, Correction]:
        """Return all that counts now, also of nuclei that are called what they were found to be.

        What a nucleus was called *before* is what it was called before the first correction that
        counts. What is set aside does not count.
        """
        standing = _standing(self.entries())[0]
        ids = self._ids_now(standing)
        current: dict[int, Correction] = {}
        for entry in standing:
            for key, found in zip(self._keys(entry), entry.found, strict=True):
                number = key[1] if not key[0] else ids.get(key)
                if number is None:
                    continue
                first = current[number].found if number in current else found
                current[number] = Correction(entry.name, first, entry.by, entry.at)
        return current

    def set_aside(self) -> int:
        """Return of how many nuclei something was said that this table no longer has."""
        standing = _standing(self.entries())[0]
        elsewhere = {key for entry in standing for key in self._keys(entry) if key[0]}
        return len(elsewhere - self._ids_now(standing).keys())

    def count(self) -> int:
        """Return of how many nuclei something is said, what is set aside included.

        It reads the journal alone: a nucleus of which something was said before and after the slide
        was analysed anew counts twice.
        """
        return len({key for entry in _standing(self.entries())[0] for key in self._keys(entry)})

    def _keys(self, entry: Entry) -> Iterator[_Key]:
        """Yield what tells the nuclei of an entry from all others."""
        here = self._nuclei is None or not entry.places or entry.table == self._nuclei.checksum
        return ((_HERE if here else entry.table or _UNSEALED, number) for number in entry.nuclei)

    def _ids_now(self, standing: Iterable[Entry]) -> dict[_Key, int]:
        """Return which nuclei of this table those of other tables are, of which something was said."""
        others: dict[str, dict[int, Place]] = {}
        for entry in standing:
            for (table, number), place in zip(self._keys(entry), entry.places, strict=False):
                if table:
                    others.setdefault(table, {})[number] = place
        return {
            (table, number): same
            for table, places in others.items()
            for number, same in (self._nuclei.nearest(places) if self._nuclei else {}).items()
        }

    def _turn(self, action: Action, by: str) -> bool:
        if not self.exists:  # opening it would leave a file that says nothing
            return False
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
            str(values.get("table", "")),  # earlier versions wrote neither
            _places(values.get("places", ()), len(values["nuclei"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{JOURNAL_FILE} holds an entry of another version of this program ({error!r}); use "
            "that one, or move the file away."
        ) from error


def _places(given: Sequence[Sequence[float]], nuclei: int) -> tuple[Place, ...]:
    places = tuple((float(x), float(y)) for x, y in given)
    if places and len(places) != nuclei:
        raise ValueError(f"{len(places)} places of {nuclei} nuclei")
    return places


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
