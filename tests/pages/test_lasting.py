"""What a reader has set and chosen lasts: through other pages, a reload, a restart, in a second tab."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import linked_slide, pixel_size, resources, state
from pages.shared.literal import key_of
from pages.shared.page_list import EVALUATE, NUCLEI, SLIDES, TEACH, TIL_SCORE, VIEWER
from pages.shared.preferences import PREFERENCES_FILE
from pages.shared.visitor import COOKIE
from seg_core.samples import SAMPLES, sample_path
from seg_core.store import Run
from tests.pages.conftest import ROOT

MPP = 0.25
SAMPLE = sample_path(SAMPLES[0].name)


@pytest.fixture(autouse=True)
def local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")


def arrive(file: str, **query: str) -> AppTest:
    """Open a page by its address, in a session that remembers nothing."""
    page = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    page.switch_page(file)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


@pytest.mark.parametrize("entry", [SLIDES, VIEWER, NUCLEI, TIL_SCORE], ids=lambda each: each.title)
def test_each_address_names_slide_and_run_and_brings_both_back(
    visit, chosen, run: Run, coarse: Run, entry
) -> None:
    first = visit(Path(entry.file).stem, slide=chosen, run=run.path)
    assert first.query_params["slide"] == resources.identity(chosen.path)
    assert first.query_params["run"] == run.run_id
    again = arrive(entry.file, slide=run.slide_id, run=run.run_id)
    assert again.session_state["slide"].path == chosen.path
    assert again.session_state["run"] == run.path
    other = arrive(entry.file, slide=run.slide_id, run=coarse.run_id)
    assert other.session_state["run"] == coarse.path


@pytest.mark.parametrize("entry", [VIEWER, NUCLEI, EVALUATE], ids=lambda each: each.title)
def test_an_address_of_a_slide_that_is_gone_is_told_once(entry) -> None:
    """A second box below it said to choose a slide, as the first one did."""
    page = arrive(entry.file, slide="gone-0123456789abcdef")
    (told,) = [*page.warning, *page.info, *page.error]
    assert "The address names a slide that is not offered here" in told.value
    assert [each.value for each in arrive(entry.file).info] == [
        "Choose a slide on the Slides page first."
    ]


def test_an_address_does_not_bring_back_what_the_reader_has_turned_from(
    visit, chosen, run: Run, coarse: Run
) -> None:
    page = arrive(VIEWER.file, slide=run.slide_id, run=run.run_id)
    page.session_state["run"] = coarse.path
    page.run()
    assert page.session_state["run"] == coarse.path
    assert page.query_params["run"] == coarse.run_id


def test_a_browser_that_does_not_know_the_new_address_yet_turns_nothing_back(
    visit, chosen, run: Run, coarse: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """*Delete* pressed right after another analysis was chosen asked about the one before."""
    page = arrive(VIEWER.file, slide=run.slide_id, run=run.run_id)
    page.session_state["run"] = coarse.path
    page.run()
    page.query_params["run"] = run.run_id
    page.run()
    assert page.session_state["run"] == coarse.path
    assert page.query_params["run"] == coarse.run_id

    monkeypatch.setattr(linked_slide, "get_script_run_ctx", SimpleNamespace)
    page.query_params["run"] = run.run_id
    page.run()
    assert not page.exception, "a Streamlit that does not tell"
    assert page.session_state["run"] == coarse.path
    monkeypatch.setattr(
        linked_slide, "get_script_run_ctx", lambda: SimpleNamespace(is_history_navigation=True)
    )
    page.query_params["run"] = run.run_id
    page.run()
    assert page.session_state["run"] == run.path, "what the browser's Back leads to is shown again"


def test_the_slides_page_keeps_the_chosen_slide_too(visit, run: Run) -> None:
    page = arrive(SLIDES.file, slide=resources.identity(SAMPLE))
    assert page.session_state["slide"].path == SAMPLE
    other = sample_path(SAMPLES[1].name)
    next(each for each in page.button if each.key == f"_choose_{key_of(other)}").click().run()
    assert page.session_state["slide"].path == other
    assert page.query_params["slide"] == resources.identity(other)


def test_a_pixel_size_is_kept_with_the_slide(visit, slide_path: Path, run: Run) -> None:
    page = visit("slides", slide=state.ChosenSlide(slide_path))
    page.number_input[0].set_value(0.31).run()
    assert pixel_size.chosen(slide_path) == state.ChosenSlide(slide_path, 0.31)
    again = arrive(VIEWER.file, slide=resources.identity(slide_path))
    assert again.session_state["slide"].mpp == 0.31


def test_another_reader_does_not_see_it(slide_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("SEG_LOCAL", "0")
    monkeypatch.setattr(st, "session_state", {})
    for cookie, mpp in (("one", 0.31), ("other", None), ("one", 0.31)):
        monkeypatch.setattr(type(st.context), "cookies", {COOKIE: cookie})
        if not (found := pixel_size.chosen(slide_path)).mpp and mpp:
            pixel_size.keep(slide_path, mpp)
            found = pixel_size.chosen(slide_path)
        assert found.mpp == mpp


def test_options_section_and_colours_are_there_on_another_page_and_in_another_session(
    visit, chosen, run: Run, store: Path
) -> None:
    page = visit("viewer", slide=chosen)
    page.segmented_control(key="_tile_px").set_value(1024).run()
    page.selectbox(key="_stain").set_value("macenko").run()
    page.toggle(key="_tissue_only").set_value(False).run()
    page.selectbox(key="_palette").select("colour-blind").run()
    page.switch_page(NUCLEI.file).run()
    page.slider(key="_min_score").set_value(0.35).run()
    page.segmented_control(key="_section").set_value("Distributions").run()
    page.toggle(key="_other").set_value(True).run()
    page.switch_page(VIEWER.file).run()
    for here in (page, arrive(VIEWER.file, slide=run.slide_id)):
        assert here.segmented_control(key="_tile_px").value == 1024
        assert here.selectbox(key="_stain").value == "macenko"
        assert not here.toggle(key="_tissue_only").value
        assert here.session_state["palette"] == "colour-blind"
    later = arrive(NUCLEI.file, slide=run.slide_id)
    assert later.slider(key="_min_score").value == 0.35
    assert later.segmented_control(key="_section").value == "Distributions"
    assert later.toggle(key="_other").value
    assert not later.warning


def test_teach_comes_back_to_the_section_that_was_open(visit, run: Run) -> None:
    """It began with *Label* each time, where other pages begin where they were left."""
    page = visit("teach")
    assert page.segmented_control(key="_teach_section").value == "Label"
    page.segmented_control(key="_teach_section").set_value("Files").run()
    page.switch_page(NUCLEI.file).run()
    page.switch_page(TEACH.file).run()
    for here in (page, arrive(TEACH.file)):
        assert here.segmented_control(key="_teach_section").value == "Files"
        assert not here.exception


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        json.dumps({"_tile_px": [1], "_stain": "none such", "_section": 7, "min_score": "x"}),
        json.dumps({"_tissue_only": "yes", "palette": {}, "til_settings": {"erosion_um": -1}}),
        json.dumps({"labelled_folder": {"data": "/x", "classes": "monusac", "mpp": "wide"}}),
    ],
)
def test_preferences_that_cannot_be_are_the_usual_ones(
    chosen, run: Run, store: Path, content: str
) -> None:
    (store / PREFERENCES_FILE).write_text(content)
    page = arrive(VIEWER.file, slide=run.slide_id)
    assert page.segmented_control(key="_tile_px").value is None
    assert page.selectbox(key="_stain").value == "none"
    assert page.toggle(key="_tissue_only").value
    assert arrive(NUCLEI.file, slide=run.slide_id).slider(key="_min_score").value == 0
    assert "labelled_folder" not in arrive(EVALUATE.file).session_state
