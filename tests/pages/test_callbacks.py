"""What a button does may be refused, by a full disk or a long queue: the page is there all the same."""

import ast
import errno
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.model_page import own_model
from pages.shared import callbacks, pixel_size, regions, resources, singletons, state
from pages.shared.analyses import Analyses
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.page_list import NUCLEI
from pages.shared.uploads import UploadFolder
from pages.shared.visitor import COOKIE
from pages.slides_page import slide_choice
from pages.viewer_page import component, nucleus_card, unfinished
from seg_core.errors import JobError, SlideError, StoreError
from seg_core.geometry import Region
from seg_core.model import ModelCard
from seg_core.process.worker import Worker
from seg_core.roi import roi_of_region
from seg_core.store import Run
from tests.pages.conftest import ROOT, use_blue_engine

NEST = roi_of_region(Region(0, 0, 200, 100), "nest")
FULL = OSError(errno.ENOSPC, "No space left on device")

_QUIET = re.compile(
    r"""'(ignore|rerun)'
    |lambda:\ None
    |(lambda:\ )?state\.[A-Z_]+\.(clear|set\(.*\))
    |st\.(login|logout)
    |_stop                                    # of a job, which cannot fail
    |_forget | partial\(drawn_around\.take.*  # the session's selection in a plot""",
    re.VERBOSE,
)
"""Callbacks that change nothing but what the session remembers, or Streamlit's own."""


def callbacks_of_pages() -> Iterator[tuple[str, str]]:
    """Give each callback of a widget, with the place where it stands."""
    for path in sorted((ROOT / "pages").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                for each in node.keywords:
                    if each.arg is not None and re.match("on_[a-z]", each.arg):
                        where = f"{path.relative_to(ROOT).as_posix()}:{each.value.lineno}"
                        yield where, ast.unparse(each.value)


def test_no_callback_that_may_be_refused_is_passed_bare() -> None:
    found = dict(callbacks_of_pages())
    assert len(found) > 40
    bare = {
        where: act
        for where, act in found.items()
        if not (act.startswith("refusable(") or _QUIET.fullmatch(act))
    }
    assert bare == {}


def refuse(error: Exception):
    def act(*_arguments: object, **_named: object) -> None:
        raise error

    return act


def press(page: AppTest, label: str) -> AppTest:
    next(each for each in page.button if each.label == label).click().run()
    assert not page.exception
    return page


def errors(page: AppTest) -> list[str]:
    return [each.value.replace("\\", "") for each in page.error]


@pytest.fixture
def long_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose queue is full."""
    monkeypatch.setattr(Worker, "submit", refuse(JobError("20 of your requests are waiting.")))
    worker = Worker()
    monkeypatch.setattr(singletons, "worker", lambda: worker)
    analyses = Analyses(lambda: worker)
    monkeypatch.setattr(singletons, "analyses", lambda: analyses)


def test_an_analysis_for_which_the_queue_is_too_long(
    visit, chosen: ChosenSlide, long_queue, monkeypatch
) -> None:
    use_blue_engine(monkeypatch)
    page = press(visit("viewer", slide=chosen), "Analyse slide")
    assert errors(page) == ["20 of your requests are waiting."]
    assert "Analyse slide" in [each.label for each in page.sidebar.button]
    assert errors(page.run()) == ["20 of your requests are waiting."]  # until the next try
    page.switch_page(NUCLEI.file).run()
    assert errors(page) == []
    page.switch_page("pages/viewer.py").run()
    assert errors(page) == []


def test_an_analysis_where_the_limit_of_the_store_makes_no_sense(
    visit, chosen: ChosenSlide, monkeypatch
) -> None:
    use_blue_engine(monkeypatch)
    page = visit("viewer", slide=chosen)
    monkeypatch.setenv("SEG_STORE_LIMIT", "2,5")
    [told] = errors(press(page, "Analyse slide"))
    assert "SEG_STORE_LIMIT" in told


def test_a_stopped_analysis_that_cannot_be_gone_on_with_now(
    visit, chosen: ChosenSlide, run: Run, long_queue, monkeypatch
) -> None:
    monkeypatch.setattr(
        unfinished, "unfinished_of", lambda _chosen: [unfinished.Unfinished(run, None)]
    )
    monkeypatch.setattr(unfinished, "_can_go_on", lambda _run: True)
    page = press(visit("viewer", slide=chosen), "Resume")
    assert errors(page) == ["20 of your requests are waiting."]


@pytest.mark.parametrize("act", ["Remove", "Undo"])
def test_a_region_that_a_full_disk_does_not_take(
    visit, chosen: ChosenSlide, monkeypatch, act: str
) -> None:
    page = visit("viewer", slide=chosen, rois=(NEST,), roi="nest", removed=(NEST,))
    monkeypatch.setattr(regions, "keep_slide_rois", refuse(StoreError("the disk is full.")))
    monkeypatch.setattr(regions, "_written", lambda rois: object())
    page = press(page, act)
    assert errors(page) == ["The disk is full."]
    assert [roi.name for roi in page.session_state["rois"]] == ["nest"]
    assert page.session_state["removed"] == (NEST,)


def test_a_region_whose_new_name_a_full_disk_does_not_take(
    visit, chosen: ChosenSlide, monkeypatch
) -> None:
    page = visit("viewer", slide=chosen, rois=(NEST,), roi="nest")
    monkeypatch.setattr(regions, "keep_slide_rois", refuse(StoreError("the disk is full.")))
    page.sidebar.text_input[0].set_value("other").run()
    assert not page.exception
    assert errors(page) == ["The disk is full."]
    assert page.session_state["roi"] == "nest"


def test_a_pixel_size_that_a_full_disk_does_not_take(
    visit, chosen: ChosenSlide, monkeypatch
) -> None:
    page = visit("slides", slide=chosen)
    monkeypatch.setattr(pixel_size, "keep", refuse(StoreError("the disk is full.")))
    next(each for each in page.number_input if each.label == "µm per pixel").set_value(0.3).run()
    assert not page.exception
    assert errors(page) == ["The disk is full."]


def test_an_estimate_for_which_the_queue_is_too_long(
    visit, chosen: ChosenSlide, long_queue
) -> None:
    page = press(visit("slides", slide=chosen), "Estimate it from the nuclei")
    assert errors(page) == ["20 of your requests are waiting."]


def test_a_slide_that_cannot_be_read_when_it_is_chosen(visit, monkeypatch) -> None:
    page = visit("slides")
    gone = SlideError("there is no file sample.png.")
    monkeypatch.setattr(slide_choice.pixel_size, "chosen", refuse(gone))
    assert errors(press(page, "Choose")) == ["There is no file sample.png."]
    assert "Choose" in [each.label for each in page.button]


def test_an_upload_that_cannot_be_removed_is_still_chosen(
    visit, slide_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: "mine"})
    folder = UploadFolder()
    path = folder.path / "mine.png"
    path.write_bytes(slide_path.read_bytes() + b" ")
    page = visit("slides", slide=ChosenSlide(path))
    page.segmented_control(key="_place").set_value("Library").run()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "unlink", refuse(FULL))
        page = press(page, "Delete the upload")
    [told] = errors(page)
    assert told.startswith("The disk that holds")
    assert page.session_state["slide"].path == path
    assert errors(press(page, "Delete the upload")) == []
    assert not path.exists()


def test_a_model_that_cannot_be_removed(visit, monkeypatch) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    half = (0.5, 0.5, 0.5)
    card = ModelCard("mine", "mine.safetensors", "0" * 64, "none", 0.25, half, half)
    monkeypatch.setattr(own_model, "available_models", lambda: [card])
    monkeypatch.setattr(own_model, "is_own", lambda _card: True)
    monkeypatch.setattr(own_model, "remove_model", refuse(StoreError("the disk is full.")))
    page = visit("model", _model_section="Add a model")
    page = press(page, "Remove it")
    assert errors(page) == ["The disk is full."]
    assert "Remove it" in [each.label for each in page.button]


def test_a_nucleus_that_cannot_be_looked_up_in_the_viewer(
    visit, chosen: ChosenSlide, run: Run, monkeypatch
) -> None:
    """The viewer is a fragment, which runs alone: the page that tells the sentence follows."""
    mounted: dict[str, object] = {}
    monkeypatch.setattr(component, "_mount", lambda **named: mounted.update(named))
    monkeypatch.setattr(nucleus_card, "take_pick", refuse(StoreError("nuclei.parquet is damaged.")))
    page = visit("viewer", slide=chosen)
    with pytest.MonkeyPatch.context() as patch:
        key = mounted["key"]
        remembered: dict[str, object] = {str(key): {"pick": {}}}
        patch.setattr(st, "session_state", remembered)
        mounted["on_pick_change"]()  # type: ignore[operator]
        reruns: list[str] = []
        patch.setattr(st, "rerun", lambda scope: reruns.append(scope))
        callbacks.follow_refusal()
        assert reruns == ["app"]
        callbacks.show_above(NUCLEI)
        callbacks.follow_refusal()
        assert reruns == ["app"]
    assert remembered["refused"] == "nuclei.parquet is damaged."
    page.session_state["refused"] = remembered["refused"]
    assert errors(page.run()) == ["nuclei.parquet is damaged."]


def test_the_next_try_forgets_what_was_refused_and_another_place_keeps_its_own(session) -> None:
    place = state.Key[str]("place")
    callbacks.refusable(refuse(StoreError("one.")))()
    callbacks.refusable(refuse(StoreError("the disk is full.")), place)()
    callbacks.refusable(lambda: None)()
    assert state.REFUSED.get() is None
    assert place.get() == "The disk is full."


def test_a_slide_that_failed_is_opened_anew_the_next_time(session, monkeypatch) -> None:
    forgotten: list[int] = []
    monkeypatch.setattr(resources, "forget_slides", lambda: forgotten.append(1))
    callbacks.refusable(refuse(SlideError("gone.")))()
    assert forgotten


def test_what_is_no_sentence_for_a_reader_stays_a_traceback(session) -> None:
    with pytest.raises(ZeroDivisionError):
        callbacks.refusable(lambda: 1 / 0)()
