"""What sessions leave goes by a timer, and a store stays within its limit while jobs run."""

import asyncio
import gc
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from cachetools import TTLCache
from streamlit import runtime

from pages.shared import housekeeping, resources, singletons
from pages.shared.analyses import Analyses, Asked, Wanted
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import UnknownTileError
from pages.viewer_page.server import drawing
from pages.viewer_page.server.drawing import draw_tile, forget_tiles
from pages.viewer_page.server.tiles import tile_request
from seg_core.errors import JobError
from seg_core.process.progress import Progress, ProgressCallback
from seg_core.process.worker import Worker
from seg_core.settings import AnalysisSettings
from seg_core.store import Run

WAIT_S = 60


def wait_for_file(path: Path, report: ProgressCallback) -> None:
    """A job that lasts for as long as the test wants, and can be stopped."""
    while not path.exists():
        time.sleep(0.01)
    report(Progress("tiles", 1, 1))


def is_known(token: str) -> bool:
    try:
        singletons.tile_sources().find(token)
    except UnknownTileError:
        return False
    return True


class Session:
    """Holds a token, as a session's state does, in a circle that only the collector frees."""

    def __init__(self, chosen: ChosenSlide) -> None:
        self.source = singletons.tile_sources().add(chosen)
        self.itself = self


def test_a_session_that_left_is_forgotten_on_a_quiet_server(
    chosen: ChosenSlide, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    left: TTLCache[str, Session] = TTLCache(128, 60, timer=lambda: now[0])
    left["one"] = Session(chosen)
    token = left["one"].source.token
    manager = SimpleNamespace(
        _session_storage=SimpleNamespace(_cache=left), num_active_sessions=lambda: 1
    )
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(_session_mgr=manager))
    gc.disable()
    try:

        async def a_minute_passes() -> None:
            house = asyncio.create_task(housekeeping.keep_house(0.01))
            await asyncio.sleep(0.1)
            assert is_known(token)
            now[0] = 61.0
            while is_known(token):
                await asyncio.sleep(0.01)
            house.cancel()

        asyncio.run(asyncio.wait_for(a_minute_passes(), WAIT_S))
    finally:
        gc.enable()
    assert not is_known(token)


class LeftSession:
    """Stands for a session of Streamlit that something else still holds."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.session_state = SimpleNamespace(clear=lambda: self.told.append("cleared"))

    def shutdown(self) -> None:
        self.told.append("shut down")


def test_the_session_that_leaves_last_is_emptied_though_streamlit_holds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its token and its uploads stayed on a quiet server until another visitor came."""
    counts = iter([1, 2, 1, 1])
    monkeypatch.setattr(housekeeping, "count_sessions", lambda: next(counts, 0))
    monkeypatch.setattr(housekeeping, "AppSession", LeftSession)
    last = LeftSession()

    async def all_leave() -> None:
        house = asyncio.create_task(housekeeping.keep_house(0.01))
        while not last.told:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        house.cancel()

    asyncio.run(asyncio.wait_for(all_leave(), WAIT_S))
    assert last.told == ["shut down", "cleared"]
    assert next(counts, None) is None, "not before all had left"


def test_an_object_that_does_not_like_to_be_asked_what_it_is_keeps_no_session_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An outdated name of torch warns when it is asked for its class, once torch.distributed is loaded."""

    class Touchy:
        @property
        def __class__(self) -> type:
            raise FutureWarning("deprecated")

    monkeypatch.setattr(housekeeping, "AppSession", LeftSession)
    touchy, last = [Touchy() for _ in range(3)], LeftSession()
    housekeeping.close_last_session()
    assert last.told == ["shut down", "cleared"]
    assert len(touchy) == 3


def test_the_house_is_kept_on_after_something_went_wrong(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[int] = []

    def stumble(**_: object) -> None:
        calls.append(1)
        raise ZeroDivisionError

    monkeypatch.setattr(housekeeping, "put_away", stumble)

    async def twice() -> None:
        house = asyncio.create_task(housekeeping.keep_house(0.01))
        while len(calls) < 2:
            await asyncio.sleep(0.01)
        house.cancel()

    asyncio.run(asyncio.wait_for(twice(), WAIT_S))
    assert "could not be put away" in caplog.text


@pytest.fixture
def waiting(
    chosen: ChosenSlide,
) -> Callable[[str], Asked]:
    def of(owner: str) -> Asked:
        return Asked(chosen, Wanted(owner, 0.5, None, False, None, AnalysisSettings()), owner, None)

    return of


class FileWorker:
    """Its jobs wait for a file."""

    def __init__(self, worker: Worker, path) -> None:
        self.worker, self.path = worker, path

    def submit(self, _act: object, *, asker: str | None = None, **_: object):
        return self.worker.submit(wait_for_file, asker=asker, path=self.path)


def test_a_reader_who_has_left_comes_after_all_who_are_there(waiting, tmp_path) -> None:
    with Worker(niceness=0) as worker:
        analyses = Analyses(lambda: FileWorker(worker, tmp_path / "go on"))
        jobs = {name: analyses.ask(waiting(name)) for name in ("runs", "gone", "here", "there")}
        analyses.put_absent_last({"here", "there"})
        analyses.put_absent_last({"here", "there"})
        ahead = {name: worker.jobs_ahead_of(job) for name, job in jobs.items()}
        assert ahead == {"runs": 0, "here": 1, "there": 2, "gone": 3}
        later = analyses.ask(waiting("somebody"))
        assert worker.jobs_ahead_of(later) < worker.jobs_ahead_of(jobs["gone"])
        (tmp_path / "go on").touch()
        for job in jobs.values():
            job.result(WAIT_S)


def test_an_analysis_that_outgrows_the_store_is_stopped_and_says_why(
    run: Run, waiting, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Worker(niceness=0) as worker:
        analyses = Analyses(lambda: FileWorker(worker, tmp_path / "go on"))
        monkeypatch.setattr(singletons, "analyses", lambda: analyses)
        job = analyses.ask(waiting("reader"))
        housekeeping.put_away(some_left=False)
        assert not job.done(), "nobody has set a limit"
        monkeypatch.setenv("SEG_STORE_LIMIT", "0.000001")
        shown = singletons.visitors().look_at(run.path)
        housekeeping.put_away(some_left=False)
        (tmp_path / "go on").touch()
        with pytest.raises(JobError, match="the store of this server is at its limit, and nothing"):
            job.result(WAIT_S)
        assert run.path.exists()
        del shown


def test_what_is_kept_for_the_next_look_goes_with_the_last_visitor(
    chosen: ChosenSlide, run: Run
) -> None:
    """A server that nobody looks at any more held tiles, decoded slides and tables for good."""
    source = singletons.tile_sources().add(chosen)
    source.runs[run.run_id] = run
    request = tile_request(
        {"token": source.token, "layer": "slide", "level": 0, "x": 0, "y": 0}, {}
    )
    forget_tiles()
    draw_tile(request)
    resources.run(run.path)
    held = weakref.ref(resources.slide(chosen.path, chosen.mpp))
    told: list[str] = []
    housekeeping.empty_when_alone(lambda: told.append("gone"))
    housekeeping.put_away(some_left=True, nobody_there=False)
    assert held() is resources.slide(chosen.path, chosen.mpp)
    assert told == []
    housekeeping.put_away(some_left=True, nobody_there=True)
    assert held() is None
    assert told == ["gone"]
    assert drawing._drawn.bytes == 0
    assert draw_tile(request).content, "and is made again when somebody comes back"
