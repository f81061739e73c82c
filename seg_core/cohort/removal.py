"""Remove a cohort that nobody works on: its entry in the store, and its analyses where that is asked."""

import shutil

from seg_core.cohort.journal import Journal, cohort_names
from seg_core.errors import BusyError, CohortError, StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.files.lease import held
from seg_core.store import Run, Store, open_run


def remove_cohort(journal: Journal) -> None:
    """Remove what a cohort is and how far it came; the analyses of its slides stay in the store.

    Parameters
    ----------
    journal : Journal

    Raises
    ------
    CohortError
        If there is no such cohort.
    BusyError
        If a command works it off.
    StoreError
        If it cannot be removed.
    """
    if journal.name not in cohort_names(journal.store):
        known = ", ".join(cohort_names(journal.store)) or "none"
        raise CohortError(
            f"there is no cohort {journal.name!r} in {journal.store}; it has {known}."
        )
    try:
        with held(journal.folder), store_errors(journal.folder):
            shutil.rmtree(journal.folder)
    except BusyError as error:
        raise BusyError(
            f"a command is at work on the cohort {journal.name}; stop it there, then remove the cohort."
        ) from error


def own_runs(journal: Journal) -> list[Run]:
    """Return the analyses that the table of a cohort shows and that of no other cohort does.

    Whoever made them: a cohort takes what it finds in the store. A cohort whose plan is damaged has
    none.

    Parameters
    ----------
    journal : Journal
    """
    others = {
        folder
        for name in cohort_names(journal.store)
        if name != journal.name
        for folder in _folders(Journal(journal.store, name))
    }
    store = Store(journal.store)
    found = []
    for folder in _folders(journal):
        path = store.path / folder
        if folder in others or not path.resolve().is_relative_to(store.path.resolve()):
            continue
        try:
            found.append(open_run(path))
        except StoreError:  # it was deleted or moved since
            continue
    return found


def _folders(journal: Journal) -> list[str]:
    try:
        keys = [item["key"] for item in journal.read_plan()["items"]]
    except CohortError:
        return []
    outcomes = journal.outcomes()
    ended = (outcomes[key].run for key in keys if key in outcomes)
    return list(dict.fromkeys(folder for folder in ended if folder is not None))
