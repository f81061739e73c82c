"""Uploads go with their session, and old runs free some space for them."""

import gc
import time
from pathlib import Path

import pytest

from pages.shared import singletons
from pages.shared.analyses import Analyses, Asked, Wanted
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.store_limit import Visitors
from pages.shared.uploads import UploadFolder, remove_abandoned
from seg_core.errors import StoreError
from seg_core.process.progress import ProgressCallback
from seg_core.process.worker import Job, Worker
from seg_core.settings import AnalysisSettings
from seg_core.store import Run

WAIT_S = 60


def wait_for_file(path: Path, report: ProgressCallback) -> None:
    """A job that reads an upload for as long as the test wants."""
    while not path.exists():
        time.sleep(0.01)


def test_each_session_has_an_upload_folder_of_its_own(store: Path) -> None:
    folders = [UploadFolder() for _ in range(2)]
    paths = {folder.path for folder in folders}
    assert len(paths) == 2
    assert {path.parent for path in paths} == {store / "uploads" / "visits"}


def test_uploads_go_when_their_session_does(store: Path) -> None:
    uploads: UploadFolder | None = UploadFolder()
    assert uploads is not None
    path = uploads.path
    (path / "slide.svs").write_bytes(b"slide")
    uploads = None
    gc.collect()
    assert not path.exists()


def test_uploads_stay_while_they_are_analysed(store: Path, tmp_path: Path) -> None:
    uploads: UploadFolder | None = UploadFolder()
    assert uploads is not None
    path = uploads.path
    with Worker(niceness=0) as worker:

        class Waiting:
            def submit(self, _act: object, **_arguments: object) -> Job[None]:
                return worker.submit(wait_for_file, path=tmp_path / "go on")

        analyses = Analyses(Waiting)  # type: ignore[arg-type]
        wanted = Wanted("slide", 0.5, None, False, None, AnalysisSettings())
        job = analyses.ask(Asked(ChosenSlide(path / "slide.svs"), wanted, None, uploads))
        uploads = None
        gc.collect()
        assert path.exists()
        (tmp_path / "go on").touch()
        job.result(WAIT_S)
    del job
    gc.collect()
    assert not path.exists()


def test_what_a_killed_server_has_left_behind_is_removed(store: Path) -> None:
    in_use = UploadFolder()
    left = store / "uploads" / "visits" / "0123456789abcdef"
    left.mkdir()
    (left / "slide.svs").write_bytes(b"slide")
    remove_abandoned()
    assert not left.exists()
    assert in_use.path.exists()


def test_a_run_makes_room_unless_somebody_looks_at_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitors = Visitors()
    visitors.make_room()
    assert run.path.exists(), "nobody has set a limit"

    monkeypatch.setenv("SEG_STORE_LIMIT", "0.000001")
    shown = visitors.look_at(run.path)
    with pytest.raises(StoreError, match="no room for so large a file"):
        visitors.make_room(100)
    assert run.path.exists()

    del shown
    visitors.make_room(100)
    assert not run.path.exists()


def test_a_session_that_shows_a_run_keeps_it(visit, chosen, run: Run) -> None:
    page = visit("nuclei", slide=chosen)
    assert run.path in singletons.visitors().runs()
    assert page.session_state["looked_at"].run == run.path
