from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
import shapely
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from pages.shared import frame, resources, shown_names, singletons, state
from pages.shared.analyses import Analyses
from pages.shared.page_list import NUCLEI, SLIDES, VIEWER
from pages.viewer_page import component
from pages.viewer_page.server import drawing
from pages.viewer_page.server.routes import routes_below
from seg_core.errors import JobCancelled, SegCoreError, SlideError
from seg_core.geometry import Region
from seg_core.process.progress import Progress
from seg_core.roi import Roi, roi_of_region
from seg_core.samples import sample_path
from seg_core.slide import DeepZoom
from seg_core.store import Run
from seg_core.unbroken import unbroken

RECTANGLE = roi_of_region(Region(0, 0, 200, 100), "tumour")
TRIANGLE = Roi("nest", shapely.Polygon([(0, 0), (200, 0), (0, 100)]))
NECROSIS = Roi("necrosis", shapely.box(20, 20, 60, 60), "exclude")
DRAWN = {"rois": (RECTANGLE, TRIANGLE, NECROSIS)}


class FakeJob:
    """A job that has ended with a result or an error, or goes on."""

    stopping = False

    def __init__(
        self, *, result: object = None, error: SegCoreError | None = None, running: bool = False
    ) -> None:
        self._result, self._error, self._running = result, error, running
        self.progress = Progress("tiles", 30, 120, 95.0)
        self.cancelled = False

    def done(self) -> bool:
        return not self._running

    def result(self, timeout: float | None = None) -> object:
        if self._error is not None:
            raise self._error
        return self._result

    def cancel(self) -> None:
        self.cancelled = True


def buttons(page) -> dict[str, bool]:
    return {button.label: not button.disabled for button in page.sidebar.button}


def test_with_nothing_chosen_it_says_where_to_choose(visit) -> None:
    page = visit("viewer")
    assert page.info[0].value == "Choose a slide on the Slides page first."
    assert [each.value for each in page.header] == ["Viewer"]


def test_a_slide_can_be_analysed_whole_and_a_region_once_it_is_drawn(visit, chosen) -> None:
    page = visit("viewer", slide=chosen)
    assert "Draw a region on the slide" in page.sidebar.caption[1].value
    assert buttons(page) == {"Analyse region": False, "Analyse slide": True}
    page = visit("viewer", slide=chosen, **DRAWN, roi="tumour")
    told = unbroken("Rectangle of 200 × 100 px, 50 × 25 µm, 0.00125 mm²")
    assert page.sidebar.caption[1].value == told
    assert buttons(page) == {
        "Remove": True,
        "Remove all 3": True,
        "Analyse region": True,
        "Analyse slide": True,
    }


def test_what_is_to_be_left_out_is_not_analysed(visit, chosen) -> None:
    page = visit("viewer", slide=chosen, **DRAWN, roi="necrosis")
    assert not buttons(page)["Analyse region"]


@pytest.mark.parametrize(
    ("roi", "asked"),
    [
        ("tumour", {"region": RECTANGLE.region, "roi": None}),
        ("nest", {"region": None, "roi": TRIANGLE}),
    ],
)
def test_a_rectangle_is_asked_as_its_pixels_and_an_outline_as_itself(
    visit, chosen, monkeypatch, roi, asked
) -> None:
    submitted: list[dict[str, object]] = []

    class Worker:
        def submit(self, _act: object, **arguments: object) -> FakeJob:
            submitted.append(arguments)
            return FakeJob(running=True)

    monkeypatch.setattr(singletons, "analyses", lambda: Analyses(Worker))  # type: ignore[arg-type]
    page = visit("viewer", slide=chosen, **DRAWN, roi=roi)
    next(each for each in page.sidebar.button if each.label == "Analyse region").click().run()
    assert {name: submitted[0][name] for name in asked} == asked


def test_a_region_can_be_renamed_turned_into_one_to_leave_out_and_removed(visit, chosen) -> None:
    page = visit("viewer", slide=chosen, **DRAWN, roi="tumour")
    page.sidebar.text_input[0].set_value("nest").run()
    assert page.session_state["roi"] == "nest 2"  # there is a nest already
    page.sidebar.segmented_control[0].set_value("tumour").run()
    assert page.session_state["rois"][0] == Roi("nest 2", RECTANGLE.polygon, "tumour")
    assert "nest 2 (tumour)" in page.sidebar.selectbox[0].options
    assert not page.sidebar.button[0].disabled  # what is tumour is analysed, too
    page.sidebar.segmented_control[0].set_value("exclude").run()
    assert page.session_state["rois"][0] == Roi("nest 2", RECTANGLE.polygon, "exclude")
    next(each for each in page.sidebar.button if each.label == "Remove").click().run()
    assert not page.exception
    assert page.session_state["rois"] == (TRIANGLE, NECROSIS)
    assert "roi" not in page.session_state


def test_all_regions_are_removed_at_once_and_brought_back(visit, chosen) -> None:
    page = visit("viewer", slide=chosen, **DRAWN, roi="tumour")
    next(each for each in page.sidebar.button if each.label == "Remove all 3").click().run()
    assert page.session_state["rois"] == ()
    assert "Removed: 3 regions" in [each.value for each in page.sidebar.caption]
    next(each for each in page.sidebar.button if each.label == "Undo").click().run()
    assert page.session_state["rois"] == DRAWN["rois"]
    assert "Undo" not in buttons(page)


def test_a_region_can_be_chosen_from_the_list(visit, chosen) -> None:
    page = visit("viewer", slide=chosen, **DRAWN)
    assert page.sidebar.selectbox[0].options == ["tumour", "nest", "necrosis (left out)"]
    page.sidebar.selectbox[0].set_value("nest").run()
    assert page.session_state["roi"] == "nest"


def test_without_the_size_of_a_pixel_nothing_is_analysed(visit, slide_path: Path) -> None:
    page = visit("viewer", slide=state.ChosenSlide(slide_path), **DRAWN, roi="tumour")
    assert "how large a pixel is" in page.sidebar.warning[0].value
    assert not buttons(page)["Analyse region"]
    assert not buttons(page)["Analyse slide"]


def test_pixels_too_coarse_for_nuclei_are_told_before_the_slide_is_analysed(
    visit, slide_path: Path
) -> None:
    page = visit("viewer", slide=state.ChosenSlide(slide_path, 4.0))
    (told,) = [each.value for each in page.sidebar.warning]
    assert told.startswith("A pixel is said to be 4\N{NO-BREAK SPACE}µm large")
    assert buttons(page)["Analyse slide"]  # who knows better may
    assert not visit("viewer", slide=state.ChosenSlide(slide_path, 0.5)).sidebar.warning


def test_a_pixel_size_given_after_the_slide_was_looked_at_is_that_of_its_layers(
    visit,
) -> None:
    """Tiles once went on without it, and the layers that need it failed: Tissue, Flaws, Normalised."""
    page = visit("viewer", slide=state.ChosenSlide(sample_path("hgsc_nest")))
    page.switch_page(SLIDES.file).run()
    page.number_input[0].set_value(0.25).run()
    page.switch_page(VIEWER.file).run()
    assert not page.exception
    client = TestClient(Starlette(routes=routes_below("")))
    for layer in ("tissue", "flaws", "normalised"):
        path = page.session_state["tiles"].address(layer, "any").format(level=8, x=0, y=0)
        assert client.get(f"/{path}").status_code == 200


def test_a_result_is_offered_to_be_shown(visit, chosen, run) -> None:
    page = visit("viewer", slide=chosen)
    shown = next(each for each in page.sidebar.selectbox if each.label == "Shown analysis")
    assert shown.options[0].startswith("Whole slide")
    assert page.session_state["tiles"].runs == {run.run_id: run}


def test_a_running_job_shows_its_progress_and_can_be_stopped(visit, chosen) -> None:
    job = FakeJob(running=True)
    page = visit("viewer", slide=chosen, job=job)
    assert page.sidebar.get("progress")[0].proto.text == unbroken("Tile 30 of 120, 2 min left")
    assert buttons(page) == {"Stop": True}
    page.sidebar.button[0].click().run()
    assert job.cancelled


def test_a_finished_job_is_shown_at_once(visit, chosen, run) -> None:
    page = visit("viewer", slide=chosen, job=FakeJob(result=run))
    assert page.session_state["run"] == run.path
    assert "job" not in page.session_state


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (SlideError("the slide is damaged."), "The slide is damaged."),
        (JobCancelled("stopped."), "Stopped by another reader, or by you in another tab. What was"),
    ],
)
def test_a_job_without_result_says_why_until_the_next(visit, chosen, error, sentence) -> None:
    page = visit("viewer", slide=chosen, job=FakeJob(error=error))
    told = [*page.sidebar.error, *page.sidebar.info]
    assert told[0].value.startswith(sentence)
    assert buttons(page)["Analyse slide"]


def test_a_slide_that_has_gone_is_one_sentence(visit, tmp_path: Path) -> None:
    page = visit("viewer", slide=state.ChosenSlide(tmp_path / "gone.svs"))
    assert page.error[0].value.startswith("There is no file")


def test_another_slide_has_another_token_and_no_regions(visit, chosen, tmp_path: Path) -> None:
    page = visit("viewer", slide=chosen, **DRAWN, roi="nest")
    first = page.session_state["tiles"].token
    page.switch_page(SLIDES.file).run()
    page.button[0].click().run()
    page.switch_page(VIEWER.file).run()
    assert not page.exception
    assert page.session_state["tiles"].token != first
    assert "rois" not in page.session_state
    assert "roi" not in page.session_state


def test_colours_chosen_on_one_page_are_those_of_all_layers_and_pages(visit, chosen, run) -> None:
    page = visit("viewer", slide=chosen)
    page.sidebar.selectbox(key="_palette").select("colour-blind").run()
    assert not page.exception
    assert page.session_state["palette"] == "colour-blind"
    page.switch_page(NUCLEI.file).run()
    assert page.sidebar.selectbox(key="_palette").value == "colour-blind"


class AtOnce:
    """A worker that does everything in this process, before it answers."""

    def submit(self, act: Callable[..., Run], **asked: object) -> FakeJob:
        return FakeJob(result=act(**{k: v for k, v in asked.items() if k not in ("asker", "size")}))


def chunks_of_maps(run: Run) -> list[Path]:
    return [each for each in (run.path / "maps.zarr").rglob("c/**/*") if each.is_file()]


def nuclei_of(run: Run) -> list[Path]:
    return [run.path / "nuclei.parquet"]


@pytest.mark.parametrize("files", [chunks_of_maps, nuclei_of])
def test_a_damaged_run_is_analysed_again_from_the_page(
    visit, chosen, run, monkeypatch, files
) -> None:
    """With a byte inside the maps it was once shown again as it was: only reading all of it tells."""
    monkeypatch.setattr(singletons, "analyses", lambda: Analyses(AtOnce))  # type: ignore[arg-type]
    page = visit("viewer", slide=chosen)
    source = page.session_state["tiles"]
    client = TestClient(Starlette(routes=routes_below("")))
    full = DeepZoom(resources.slide(run.slide_path)).level_count - 1
    said = urlencode({**shown_names.query(run), "show": "2"})

    def answers() -> list[tuple[int, str]]:
        drawing.forget_tiles()
        layers = (source.address(each, "webp") for each in ("classes", "nuclei"))
        paths = [each.format(level=full, x=0, y=0) for each in layers]
        told = [client.get(f"/{path}?{said}") for path in paths]
        return [(each.status_code, each.text if each.status_code != 200 else "") for each in told]

    for damaged in files(run):
        content = damaged.read_bytes()
        damaged.write_bytes(bytes(each ^ 0xFF for each in content))
    assert run.damage()
    sentences = [text for status, text in answers() if status == 500]
    assert sentences
    assert all("damaged; start the same analysis again" in each for each in sentences)

    next(each for each in page.sidebar.button if each.label == "Analyse slide").click().run()
    assert not page.exception
    assert page.session_state["run"] == run.path, "the same question is the same run"
    assert not run.damage()
    assert answers() == [(200, "")] * 2


@pytest.mark.parametrize("part", [component._show_growing, component._show_still])
def test_a_file_that_goes_while_it_is_looked_at_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: Callable[..., None]
) -> None:
    """The viewer runs by itself, without the page that stands around it: a traceback came up."""

    def look() -> None:
        import streamlit

        streamlit.session_state["look"]()

    monkeypatch.setattr(frame, "SLIDES", SimpleNamespace(link=lambda _: None))
    chosen = state.ChosenSlide(tmp_path / "gone.svs", 0.25)
    page = AppTest.from_function(look)
    page.session_state["look"] = partial(part, chosen, None, None)
    page.run()
    assert not page.exception
    assert page.error[0].value.startswith("There is no file gone.svs")
