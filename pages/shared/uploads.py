"""Where a session's uploads lie, and that they go when it ends.

The reader's slides are nobody else's affair, and a small disk is soon full of them.
"""

import secrets
import shutil
import weakref
from contextlib import ExitStack
from pathlib import Path

from pages.shared import visitor
from seg_core.files.locks import is_locked, locked
from seg_core.slide import slides_below
from seg_core.store import default_store

_ONE_VISIT = "visits"


class UploadFolder:
    """A folder of the store that is removed when nothing holds this object any more.

    The session holds it, and each analysis of what lies in it. A lock tells other processes that
    it is in use; the operating system drops the lock should this process be killed.

    Attributes
    ----------
    path : Path
    saved : dict of str to Path
        Where each upload lies, by the id that the browser's part of Streamlit gives it: what is
        there is not compared anew each time the page runs.
    """

    def __init__(self) -> None:
        self.saved: dict[str, Path] = {}
        self.path = _uploads() / (visitor.folder_name() or _ONE_VISIT) / secrets.token_hex(8)
        lock = ExitStack()
        lock.enter_context(locked(self.path))
        _held[self.path] = self
        weakref.finalize(self, _remove, self.path, lock)


_held: "weakref.WeakValueDictionary[Path, UploadFolder]" = weakref.WeakValueDictionary()


def upload_folder_of(path: Path) -> Path | None:
    """Return the folder of the session that has uploaded a slide, None for any other slide."""
    if not path.is_relative_to(_uploads()):
        return None
    whose, session, *_ = path.relative_to(_uploads()).parts
    return _uploads() / whose / session


def hold_uploads_of(path: Path) -> UploadFolder | None:
    """Return what keeps an uploaded slide, for a session that goes on with it."""
    folder = upload_folder_of(path)
    return None if folder is None else _held.get(folder)


def earlier_uploads() -> list[Path]:
    """List what the reader has uploaded in sessions that are not over, the latest first."""
    name = visitor.folder_name()
    if name is None:
        return []
    folder = _uploads() / name
    files = slides_below(folder, levels=4) if folder.is_dir() else []
    return sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)


def remove_abandoned() -> None:
    """Remove the uploads that a killed process has left behind."""
    for folder in _uploads().glob("*/*/"):
        if not is_locked(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _uploads() -> Path:
    return default_store() / "uploads"


def _remove(folder: Path, lock: ExitStack) -> None:
    lock.close()
    shutil.rmtree(folder, ignore_errors=True)
