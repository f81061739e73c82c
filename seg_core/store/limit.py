"""A store that may grow only so far: the oldest runs make room for new ones.

For a host whose disk is small and whose visitors come and go. What a run has found can be found
again by asking the same question, so a run that goes costs time, never knowledge.
"""

import logging
import math
import os
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from seg_core.errors import SegCoreError, SettingsError, StoreError
from seg_core.files.lease import held
from seg_core.files.stored import store_errors
from seg_core.store.run import RUN_FILE, Run, open_run

_log = logging.getLogger(__name__)

LIMIT_VARIABLE = "SEG_STORE_LIMIT"
"""Environment variable that says how many gigabytes a store may hold; unset: as many as fit."""

_BYTES_PER_GB = 10**9


def store_limit() -> int | None:
    """Return ``SEG_STORE_LIMIT`` in bytes, None where there is no limit.

    Raises
    ------
    SettingsError
        If it is not a number above 0.
    """
    said = os.environ.get(LIMIT_VARIABLE)
    if not said:
        return None
    with suppress(ValueError):
        if 0 < (gigabytes := float(said)) < math.inf:
            return round(gigabytes * _BYTES_PER_GB)
    raise SettingsError(
        f"{LIMIT_VARIABLE} is {said!r}; give a number of gigabytes above 0, for instance 2.5."
    )


def make_room(
    store: Path,
    limit: int,
    *,
    wanted: int = 0,
    slides: Collection[str] = (),
    runs: Collection[Path] = (),
) -> bool:
    """Remove runs until a store holds no more than a limit: finished ones first, the oldest first.

    A run that a process works on stays, whoever asks.

    Parameters
    ----------
    store : Path
    limit : int
        Bytes of all files of the store, uploads included.
    wanted : int
        Bytes that are about to come.
    slides : collection of str
        Ids of slides whose runs stay where they cover the whole slide.
    runs : collection of Path
        Folders of runs that stay, since somebody looks at them.

    Returns
    -------
    enough : bool
        Whether the store now keeps within the limit.

    Raises
    ------
    StoreError
        If the store cannot be read or written.
    """
    with store_errors(store):
        too_much = _size(store) + wanted - limit
        for run in _oldest_first(store):
            if too_much <= 0:
                break
            if run.path in runs or (_is_whole(run) and run.path.parent.name in slides):
                continue
            too_much -= _remove(run)
    return too_much <= 0


def _oldest_first(store: Path) -> list[Run]:
    runs = []
    for file in store.glob(f"*/*/{RUN_FILE}"):
        with suppress(SegCoreError):  # damaged, or of another version: not ours to judge
            runs.append(open_run(file.parent))
    return sorted(runs, key=lambda run: (run.status != "finished", _time(run)))


def _is_whole(run: Run) -> bool:
    return run.roi is None and run.region == run.raster.region


def _time(run: Run) -> str:
    return run.facts.finished or run.facts.started


def _remove(run: Run) -> int:
    """Remove a run and return its bytes; 0 where a process works on it."""
    size = _size(run.path)
    try:
        with held(run.path):
            shutil.rmtree(run.path)
    except StoreError:
        return 0
    with suppress(OSError):  # other runs or the slide's ROIs are there
        run.path.parent.rmdir()
    _log.info("a run has made room", extra={"run": run.run_id})
    return size


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # a worker replaces its files
            if path.is_file():
                total += path.stat().st_size
    return total
