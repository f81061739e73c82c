"""What a reader has set that holds for all slides: it lasts through other pages, a reload, a restart.

Streamlit forgets what a widget was set to as soon as another page is shown. What is kept stands in
one file for a reader, and is read when a session begins: a second tab begins like the first.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared import reader_place, state
from pages.shared.browser_answer import say
from seg_core.classes import PALETTES
from seg_core.errors import SegCoreError
from seg_core.evaluation.folder_evaluation import FolderQuestion
from seg_core.files.atomic import write_json
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import read_object
from seg_core.labelled.data_sets import DATA_SETS
from seg_core.til import TilSettings

PREFERENCES_FILE = "preferences.json"


@dataclass(frozen=True, slots=True)
class _Lasting:
    """Something of the session that lasts: how it is written, and how it is read and checked.

    ``read`` raises KeyError, TypeError, ValueError or SegCoreError where it is none such.
    """

    key: state.Key[Any]
    written: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _share(value: Any) -> float:
    if not 0 <= float(value) <= 1:
        raise ValueError(f"{value} is no share")
    return float(value)


def _palette(value: Any) -> str:
    if value not in PALETTES:
        raise ValueError(f"{value} is no palette")
    return str(value)


def _written_folder(question: FolderQuestion) -> dict[str, Any]:
    return {**asdict(question), "data": str(question.data)}


def _folder(entries: Any) -> FolderQuestion:
    question = FolderQuestion(**entries)
    names = (question.model, question.beside)
    numbers = (question.mpp, question.edge_um)
    if (
        question.classes not in DATA_SETS
        or not all(each is None or isinstance(each, str) for each in names)
        or not all(each is None or isinstance(each, float) for each in numbers)
    ):
        raise ValueError("no folder was asked about so")
    return replace(question, data=Path(question.data))


_LASTING = (
    _Lasting(state.MIN_SCORE, float, _share),
    _Lasting(state.PALETTE, str, _palette),
    _Lasting(state.TIL_SETTINGS, asdict, lambda entries: TilSettings(**entries)),
    _Lasting(state.LABELLED_FOLDER, _written_folder, _folder),
)


def open_session() -> None:
    """Bring what was set back into a session that begins, and keep what has been set since."""
    begins = state.PREFERENCES.get() is None
    kept = dict(_kept())
    for each in _LASTING:
        if begins and each.key.name in kept and each.key.get() is None:
            try:
                each.key.set(each.read(kept[each.key.name]))
            except (KeyError, TypeError, ValueError, SegCoreError):
                del kept[each.key.name]
        value = each.key.get()
        if value is None:
            kept.pop(each.key.name, None)
        else:
            kept[each.key.name] = each.written(value)
    _keep(kept)


def ready(key: str, default: Any, valid: Callable[[Any], bool]) -> None:
    """Have a widget show what it was set to the last time; the widget itself gives no default.

    Parameters
    ----------
    key : str
        Of the widget.
    default : object
        What it shows the first time.
    valid : callable
        Tells whether a value that was kept may still be chosen.
    """
    kept = _kept()
    value = st.session_state.get(key, kept.get(key, default))
    # What a person wrote into the file may be of any kind, and a list is in no set of choices.
    if isinstance(value, list | dict) or not valid(value):
        value = default
    say(key, value)
    if value != kept.get(key, default):
        _keep({**kept, key: value})


def chosen_section(key: str, names: Sequence[str], *, first: str | None = None) -> str:
    """Offer the sections of a page, and return the one that is open.

    Parameters
    ----------
    key : str
        Of the widget.
    names : sequence of str
        The sections, in their order.
    first : str, optional
        The one that is open until the reader has chosen another; by default the first in order.
    """
    first = first or names[0]
    ready(key, first, names.__contains__)
    section = st.segmented_control(
        "Section", names, required=True, key=key, label_visibility="collapsed"
    )
    return section or first


def _kept() -> Mapping[str, Any]:
    kept = state.PREFERENCES.get()
    if kept is None:
        path = _file()
        kept = {} if path is None else _read(path)
        state.PREFERENCES.set(kept)
    return kept


def _keep(kept: Mapping[str, Any]) -> None:
    if kept == state.PREFERENCES.get():
        return
    state.PREFERENCES.set(dict(kept))
    path = _file()
    if path is None:
        return
    try:
        with store_errors(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, kept)
    except SegCoreError as error:  # the session goes on with it all the same
        st.toast(str(error), icon=":material/warning:")


def _file() -> Path | None:
    place = reader_place.of_reader()
    return None if place is None else place / PREFERENCES_FILE


def _read(path: Path) -> dict[str, Any]:
    return read_object(path) or {}
