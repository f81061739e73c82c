"""An analysis leaves the store, and the dashboard keeps nothing of it."""

from pathlib import Path

from pages.shared import resources, singletons, state
from seg_core.errors import BusyError, counted
from seg_core.store import Run, Store


def refuse_if_read(run: Run) -> None:
    """Raise BusyError where another session shows an analysis."""
    if singletons.visitors().is_looked_at_by_others(run.path, state.LOOKED_AT.get()):
        raise BusyError(
            "the analysis is open in another tab, or somebody else is reading it; it stays until "
            "they have left it."
        )


def said_goes_too(nuclei: int, analyses: str) -> str:
    """Return what a reader is warned of who deletes analyses that people have labelled or corrected.

    Parameters
    ----------
    nuclei : int
        Of how many something was said.
    analyses : str
        "it" or "them".
    """
    return (
        f"Labels and corrections of {counted(nuclei, 'nucleus', 'nuclei')}, made by hand, go with "
        f"{analyses} and cannot be made again by the program."
    )


def delete(run: Run) -> None:
    """Delete an analysis; if it is the one shown, the next page shows another.

    Parameters
    ----------
    run : Run

    Raises
    ------
    StoreError
        If another session shows it, a process works on it, or it cannot be removed.
    """
    refuse_if_read(run)
    Store().delete(run)
    _forget(run.path)


def move(run: Run, store: Store) -> Run:
    """Move an analysis to another store, and return it as it is there.

    Parameters
    ----------
    run : Run
    store : Store

    Raises
    ------
    StoreError
        If another session shows it, or as `Store.move` does.
    """
    refuse_if_read(run)
    moved = Store().move(run, store)
    _forget(run.path)
    return moved


def _forget(folder: Path) -> None:
    resources.forget_run(folder)
    if folder == state.RUN.get():
        state.turn_from_run()
