"""What may be written over: nothing but what this program writes itself, and never an input."""

import json
import stat
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from seg_core.errors import ExportError

_HEAD_BYTES = 512

# How files begin that are written here, and those that a slip of the hand would meet.
_KINDS = (
    (b"\x89PNG", "a PNG"),
    (b"\xff\xd8\xff", "a JPEG"),
    (b"%PDF", "a PDF"),
    (b"PAR1", "a Parquet file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"PK\x03\x04", "a ZIP file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"II+\0", "a TIFF"),
    (b"MM\0+", "a TIFF"),
)
# What stands in JSON of other kinds: GeoJSON, cards, run.json, bands.json.
_NO_FIGURES = {"type", "features", "sha256", "format", "finished"}

_JSON_SUFFIXES = (".json", ".jsonl")

JSON_OPTION = "--json"
_STDOUT = "-"


def place_of(path: Path) -> Path:
    """Return the file that is meant by a path that may be a link.

    Raises
    ------
    ExportError
        If there is a pipe, a device or a folder: only a file is ever replaced; or if stdout is meant,
        where no file goes.
    """
    refuse_stdout(path)
    with suppress(OSError, RuntimeError):
        path = path.resolve()
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return path
    if not stat.S_ISREG(mode):
        what = "folder" if stat.S_ISDIR(mode) else "pipe, a device or the like"
        raise ExportError(f"{path} is a {what} and is not written over; give the name of a file.")
    return path


def refuse_stdout(path: Path) -> None:
    """Refuse the name by which other programs, and ``--json``, mean stdout.

    Raises
    ------
    ExportError
    """
    if path == Path(_STDOUT):
        raise ExportError(
            f"{_STDOUT} is no name of a file, and none is written to stdout; give a name, for instance "
            "nuclei.csv."
        )


def check_same_kind(existing: Path, written: Path) -> None:
    """Refuse to put a file in the place of one of another kind, which was not written here.

    Raises
    ------
    ExportError
        If their contents are of two kinds.
    """
    before, after = _kind_of(existing), _kind_of(written)
    if before is not None and before != after:
        raise ExportError(
            f"{existing} is {before}, not {after or 'empty'} as is written here, and is not "
            "replaced; give another name."
        )


def refuse_inputs(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse a command that would write over what it reads, or over what it has just written.

    Raises
    ------
    ExportError
        If an output is one of the inputs, or two outputs are one file, by whatever name.
    """
    read, written = list(inputs), list(outputs)
    for number, output in enumerate(written):
        if any(_is_same(output, other) for other in written[:number]):
            raise ExportError(
                f"{output} is to hold two things, of which the second would be written over the first; "
                "give each a name of its own."
            )
        for path in read:
            if _is_same(output, path):
                raise ExportError(
                    f"{output} is read by this command and would be written over; give the output "
                    "another name."
                )


def check_figures(path: Path) -> None:
    """Refuse to write figures over JSON that is something else: a card, ROIs, a run.

    Raises
    ------
    ExportError
        If there is such a file.
    """
    if not path.exists() or _kind_of(place_of(path)) is None:
        return
    try:
        entries = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        entries = None
    if not isinstance(entries, dict) or _NO_FIGURES & entries.keys():
        raise ExportError(
            f"{path} holds something else than figures and is not replaced; give another name."
        )


def check_events(path: Path) -> None:
    """Refuse to write events, a JSON object a line, over anything else.

    Raises
    ------
    ExportError
        If there is such a file.
    """
    place = place_of(path)
    if not place.exists() or _kind_of(place) is None:
        return
    try:
        with place.open(encoding="utf-8") as file:
            first = json.loads(file.readline(_HEAD_BYTES * 8))
    except (OSError, ValueError, RecursionError):
        first = None
    if not isinstance(first, dict) or "event" not in first:
        raise ExportError(
            f"{path} holds something else than the events of a cohort and is not replaced; give "
            "another name."
        )


def json_spelled_out(arguments: Sequence[str]) -> list[str]:
    """Give ``--json`` its value only where that is the name of a JSON file.

    The value may be left out, and what follows is then most often a slide.

    Examples
    --------
    >>> json_spelled_out(["--json", "a.png", "b.png"])
    ['--json=-', 'a.png', 'b.png']
    >>> json_spelled_out(["a.png", "--json", "figures.json"])
    ['a.png', '--json=figures.json']
    """
    spelled: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return [*spelled, argument, *rest]
        if argument != JSON_OPTION:
            spelled.append(argument)
            continue
        following = next(rest, None)
        if following is not None and (
            following == _STDOUT or following.lower().endswith(_JSON_SUFFIXES)
        ):
            spelled.append(f"{JSON_OPTION}={following}")
        else:
            spelled.append(f"{JSON_OPTION}={_STDOUT}")
            if following is not None:
                spelled += json_spelled_out([following, *rest])
    return spelled


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError, RuntimeError, ValueError):
        return one.samefile(other) if one.exists() else one.resolve() == other.resolve()
    return False


def _kind_of(path: Path) -> str | None:
    """Return what a file is by its content, None where it is empty."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head:
        return None
    for begin, kind in _KINDS:
        if head.startswith(begin):
            return kind
    try:
        text = head.decode("utf-8-sig").lstrip()
    except UnicodeDecodeError as error:
        if len(head) < _HEAD_BYTES or error.start < len(head) - 4:  # else it ends within a letter
            return "a file of another program"
        text = head[: error.start].decode("utf-8-sig").lstrip()
    if text.startswith(("{", "[")):
        return "JSON" if _begins_json(path, text) else "text"
    return "HTML" if text[:15].lower().startswith(("<!doctype html", "<html")) else "text"


def _begins_json(path: Path, text: str) -> bool:
    if len(text) < _HEAD_BYTES // 2:
        try:
            json.loads(path.read_text("utf-8-sig"))
        except ValueError:
            return False
    return True
