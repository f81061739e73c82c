"""What is there of an analysis at work, or of a stopped one, is shown and gone on with."""

import io
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from pages.shared import resources, shown_names, singletons, state
from pages.shared.analyses import Analyses, Asked
from pages.shared.chosen_slide import ChosenSlide
from pages.viewer_page import unfinished
from pages.viewer_page.layer_data import layers_of, legend_note, legend_of
from pages.viewer_page.server.routes import routes_below
from seg_core import analysis, subject
from seg_core.classes import ClassScheme, VoteWeight
from seg_core.errors import JobCancelled
from seg_core.geometry import Region
from seg_core.model import ModelCard
from seg_core.process.progress import Progress
from seg_core.settings import AnalysisSettings
from seg_core.slide import DeepZoom
from seg_core.store import Run, Store, open_run
from seg_core.subject import opened
from seg_core.unbroken import unbroken
from tests.pages.conftest import use_blue_engine

MPP = 0.25
SWITCH = "Show what is found so far"
NOT_THIS = AnalysisSettings(tile_px=512)


class HoldingJob:
    stopping = False
    progress = Progress("tiles", 30, 120, 95.0)

    def done(self) -> bool:
        return False

    def cancel(self) -> None:
        """Go on all the same."""


class HoldingWorker:
    """Never ends a job."""

    def __init__(self) -> None:
        self.submitted: list[SimpleNamespace] = []

    def submit(self, _act: object, **arguments: object) -> HoldingJob:
        self.submitted.append(SimpleNamespace(**arguments))
        return HoldingJob()


@pytest.fixture(autouse=True)
def blue(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is analysed here has no weights either."""
    use_blue_engine(monkeypatch)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> HoldingWorker:
    holding = HoldingWorker()
    found = Analyses(lambda: holding)  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(singletons, "analyses", lambda: found)
    monkeypatch.setattr(unfinished, "find_model", lambda name: subject.find_model(name))
    return holding


@pytest.fixture
def no_other(stopped: Run, run: Run) -> None:
    """Nothing of the slide is finished."""
    shutil.rmtree(run.path)


@pytest.mark.parametrize("name", ["nuclei", "til_score", "evaluate"])
def test_pages_of_numbers_say_what_there_is_in_place_of_nothing(
    visit, chosen: ChosenSlide, worker: HoldingWorker, no_other: None, name: str
) -> None:
    """They told to start what was half done, or was counting beside that sentence."""
    assert "*Resume* on the Viewer page" in visit(name, slide=chosen).info[0].value
    page = visit("viewer", slide=chosen)
    next(each for each in page.sidebar.button if each.label == "Resume").click().run()
    told = visit(name, slide=chosen).info[0].value
    assert told.startswith("An analysis of this slide is at work; its numbers stand here")


@pytest.fixture
def stopped(run: Run, store: Path) -> Run:
    """Another analysis of the slide, stopped before its nuclei."""
    return stop_analysis(run, store)


def stop_analysis(run: Run, store: Path, **asked: object) -> Run:
    def stop(progress: Progress) -> None:
        if progress.stage == "nuclei":
            raise JobCancelled("stopped in the test.")

    with pytest.raises(JobCancelled):
        analysis.analyse(run.slide_path, store, mpp=MPP, settings=NOT_THIS, report=stop, **asked)
    return next(each for each in Store(store).runs() if each.status == "stopped")


def switches(page: AppTest) -> list[bool]:
    return [each.value for each in page.sidebar.toggle if each.label == SWITCH]


def press(page: AppTest, label: str) -> AppTest:
    return next(each for each in page.sidebar.button if each.label == label).click().run()


def test_a_stopped_analysis_is_painted_and_has_no_nuclei(stopped: Run, slide_path: Path) -> None:
    source = singletons.tile_sources().add(ChosenSlide(slide_path, MPP))
    slide = resources.slide(slide_path, MPP)
    described = layers_of(slide.info, stopped, source)
    assert {"classes", "boundaries", "score"} <= {each["id"] for each in described}
    assert "nuclei" not in [each["id"] for each in described]
    assert [each.get("count") for each in legend_of(stopped)] == [None] * 4
    assert "at the end" in (legend_note(stopped, ()) or "")
    client = TestClient(Starlette(routes=routes_below("")))
    level = DeepZoom(slide).level_count - 1
    path = source.address("classes", "webp").format(level=level, x=0, y=0)
    said = shown_names.query(stopped)
    answer = client.get(f"/{path}?{urlencode({**said, 'show': '2'})}")
    assert np.asarray(Image.open(io.BytesIO(answer.content)))[50, 50, 3] == 255
    assert "immutable" in answer.headers["cache-control"]
    earlier = client.get(f"/{path}?{urlencode({**said, 'maps': 'less', 'show': '2'})}")
    assert earlier.status_code == 200
    assert "no-store" in earlier.headers["cache-control"]


def test_classes_are_strong_until_nuclei_lie_over_them(
    run: Run, stopped: Run, slide_path: Path
) -> None:
    """At a third of their strength the growing classes of a whole slide were hardly to be seen."""
    source = singletons.tile_sources().add(ChosenSlide(slide_path, MPP))
    slide = resources.slide(slide_path, MPP)
    growing, finished = (
        {each["id"]: each["opacity"] for each in layers_of(slide.info, shown, source)}
        for shown in (stopped, run)
    )
    assert (growing["classes"], finished["classes"]) == (0.9, 0.35)
    assert growing["score"] == finished["score"]


def test_addresses_change_as_the_maps_grow_and_so_does_what_is_drawn(
    stopped: Run, slide_path: Path
) -> None:
    source = singletons.tile_sources().add(ChosenSlide(slide_path, MPP))
    slide = resources.slide(slide_path, MPP)
    before = layers_of(slide.info, stopped, source)
    assert layers_of(slide.info, stopped, source) == before
    record = stopped.path / "bands.json"
    record.write_bytes(record.read_bytes() + b"\n")
    after = layers_of(slide.info, stopped, source)
    of_run = {each["id"] for each in before if "run=" in each["url"]}
    assert {one["id"] for one, other in zip(before, after, strict=True) if one != other} == of_run


def test_a_stopped_analysis_is_shown_where_there_is_no_other_and_gone_on_with(
    visit, chosen: ChosenSlide, run: Run, store: Path, worker: HoldingWorker
) -> None:
    stopped = stop_analysis(run, store, region=Region(0, 0, 200, 300))
    Store(store).delete(run)
    page = visit("viewer", slide=chosen)
    assert "Stopped analyses (1)" in [each.label for each in page.sidebar.expander]
    assert unbroken("50 × 75 µm at x 0, y 0: 100 % is there") in [
        each.value for each in page.sidebar.caption
    ]
    assert switches(page) == [True]
    assert page.session_state["tiles"].runs == {stopped.run_id: stopped}
    press(page, "Resume")
    (asked,) = worker.submitted
    with opened(
        asked.slide_path,
        region=asked.region,
        roi=asked.roi,
        model=asked.model,
        mpp=asked.mpp,
        settings=asked.settings,
    ) as resumed:
        assert Store(store).folder(resumed.question) == stopped.path
    assert switches(page) == [True], "now as the one at work"
    assert not page.exception


def test_what_is_read_stays_until_the_reader_wants_to_see_the_other(
    visit, chosen: ChosenSlide, run: Run, stopped: Run, worker: HoldingWorker
) -> None:
    page = visit("viewer", slide=chosen)
    assert switches(page) == [False]
    assert list(page.session_state["tiles"].runs) == [run.run_id]
    next(each for each in page.sidebar.toggle if each.label == SWITCH).set_value(True).run()
    assert list(page.session_state["tiles"].runs) == [run.run_id, stopped.run_id]
    assert switches(page) == [True]


def test_the_readers_own_analysis_is_shown_while_it_grows_and_anothers_is_not(
    visit, chosen: ChosenSlide, run: Run, stopped: Run, worker: HoldingWorker
) -> None:
    wanted = unfinished.question_of(stopped)
    theirs = singletons.analyses().ask(Asked(chosen, wanted, "somebody", None))
    page = visit("viewer", slide=chosen)
    assert switches(page) == [False]
    assert list(page.session_state["tiles"].runs) == [run.run_id]
    page = visit("viewer", slide=chosen, job=theirs)
    assert switches(page) == [True]
    assert stopped.run_id in page.session_state["tiles"].runs
    assert "Stopped analyses (1)" not in [each.label for each in page.sidebar.expander]


@pytest.mark.parametrize("differs", ["nothing", "weights", "votes"])
def test_only_the_model_that_has_begun_an_analysis_goes_on_with_it(
    visit,
    chosen: ChosenSlide,
    stopped: Run,
    worker: HoldingWorker,
    monkeypatch: pytest.MonkeyPatch,
    differs: str,
) -> None:
    """Another one would begin an analysis of its own, and leave this one as it is."""

    def found(name: str | None) -> tuple[ModelCard, Path]:
        card, weights = subject.find_model(name)
        classes = tuple(replace(each, vote=VoteWeight(bias=0.5)) for each in card.scheme.classes)
        other = {
            "nothing": {},
            "weights": {"sha256": "1" * 64},
            "votes": {"scheme": ClassScheme(classes)},
        }
        return replace(card, **other[differs]), weights

    monkeypatch.setattr(unfinished, "find_model", found)
    page = visit("viewer", slide=chosen)
    (button,) = (each for each in page.sidebar.button if each.label == "Resume")
    assert button.disabled == (differs != "nothing")


def test_what_another_program_is_at_is_not_offered_to_be_resumed(
    chosen: ChosenSlide, run: Run, stopped: Run, session, worker: HoldingWorker
) -> None:
    (each,) = unfinished.unfinished_of(chosen)
    assert each.run == open_run(stopped.path)
    with Store(stopped.path.parents[1]).writing(stopped.facts.question) as writer:
        writer.write_facts(replace(stopped.facts, status="running"))
        assert unfinished.unfinished_of(chosen) == []
    assert state.UNFINISHED.get() is None
