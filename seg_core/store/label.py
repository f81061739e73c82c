"""What a person calls a run, and who asked for it: beside the run, for nothing of it is in the answer."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from seg_core.errors import StoreError
from seg_core.files.atomic import write_json
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import read_object

LABEL_FILE = "label.json"

MOST_LETTERS = 80
"""Of a name."""


@dataclass(frozen=True, slots=True)
class RunLabel:
    """What distinguishes a run for people.

    Attributes
    ----------
    name : str
        Given by a person; empty where nobody gave one.
    person : str
        Who asked first, as other people know them; empty where that is not known.
    owner : str
        The same for the program: a name that stands for a browser or a sign-in.
    """

    name: str = ""
    person: str = ""
    owner: str = ""


def read_label(folder: Path) -> RunLabel:
    """Read the label of a run; an empty one where there is none or it cannot be read.

    A label that was damaged is no reason to refuse the run.
    """
    entries = read_object(folder / LABEL_FILE) or {}
    said = [entries.get(each.name, "") for each in fields(RunLabel)]
    return RunLabel(*said) if all(isinstance(each, str) for each in said) else RunLabel()


def name_run(folder: Path, name: str) -> None:
    """Give a run a name in place of the one before; an empty one takes it away.

    Raises
    ------
    StoreError
        If the run is no longer there, or the disk is full or cannot be written.
    """
    if not folder.is_dir():
        raise StoreError("this analysis has been deleted; choose another one.")
    words = " ".join("".join(each for each in name if each.isprintable()).split())
    write_label(folder, replace(read_label(folder), name=words[:MOST_LETTERS]))


def write_label(folder: Path, label: RunLabel) -> None:
    """Write the label of a run.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    with store_errors(folder):
        write_json(folder / LABEL_FILE, asdict(label))


def label_new_run(folder: Path, label: RunLabel | None) -> None:
    """Keep who asked first: a run that has a label keeps it."""
    if label is not None and not (folder / LABEL_FILE).is_file():
        write_label(folder, label)
