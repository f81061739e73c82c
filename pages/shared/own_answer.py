"""Whose names of a run's nuclei are seen: the model's own, or with classifier and corrections."""

import getpass
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from pages.shared import resources, sign_in, slide_places, state, visitor
from pages.shared.literal import literal
from seg_core.store import Run, default_store
from seg_core.store.said import said_by_reader


@dataclass(frozen=True, slots=True)
class Corrector:
    """Who may correct, and where it is kept.

    Attributes
    ----------
    name : str
        Stands in the journal.
    folder : Path or None
        Of that person's corrections of all runs; None: beside each run, for all readers.
    """

    name: str
    folder: Path | None


def corrector() -> Corrector | None:
    """Return as whom the reader corrects; None where nobody would know the corrections again.

    Runs are shared by all who use a server, and equal slides have equal runs. People who sign in
    work on the same corrections, each under their own name. Where nobody signs in, what a stranger
    says must not change what others see: it stays with the browser. On the reader's own machine
    the store is the reader's.
    """
    if slide_places.reader_is_local():
        return Corrector(_name_on_this_machine(), None)
    if sign_in.sign_in_is_required():
        return Corrector(sign_in.signed_in_name() or "reader", None)
    name = visitor.folder_name()
    if name is None:
        return None
    return Corrector(f"reader {name[:8]}", said_by_reader(default_store(), name))


def as_read(run: Run) -> Run:
    """Return a run with the names of its nuclei that the reader is to see."""
    read = with_own(run)
    return read.as_found() if state.AS_FOUND.get() else read


def offer(run: Run) -> None:
    """Say what was said of the nuclei since the analysis, and let the reader see them without it."""
    said = resources.said_since(replace(run, only_found=False))
    if not said:
        return
    st.caption(literal(" ".join(said)))
    st.toggle(
        "Show the model's own answer",
        state.AS_FOUND.get() or False,
        key="_as_found",
        on_change=lambda: state.AS_FOUND.set(st.session_state["_as_found"]),
        help="On all pages, in tables, scores and files: nuclei as the model named them. Nothing "
        "of what was said since is lost.",
    )


def with_own(run: Run) -> Run:
    """Return a run with what the reader may change of it, and with what was said since."""
    who = corrector()
    if who is None or who.folder is None:
        return run
    return run.corrected_in(who.folder / run.slide_id / run.run_id)


def _name_on_this_machine() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for its user
        return "reader"
