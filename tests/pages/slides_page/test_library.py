"""The reader's own slides are found again, with what is known of them, and can be deleted."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import pixel_size, state
from pages.shared.uploads import UploadFolder
from pages.shared.visitor import COOKIE
from seg_core.samples import sample_path
from seg_core.store import Run
from seg_core.unbroken import unbroken


@pytest.fixture
def upload(slide_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A slide that the reader has uploaded in a session that is not over."""
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: "mine"})
    folder = UploadFolder()
    path = folder.path / "my_*slide*.png"
    path.write_bytes(slide_path.read_bytes() + b" ")
    yield path
    del folder


def library(page: AppTest) -> AppTest:
    page.segmented_control(key="_place").set_value("Library").run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    return " ".join(each.value for each in (*page.main.markdown, *page.main.caption))


def button(page: AppTest, label: str) -> AppTest:
    return next(each for each in page.main.button if each.label == label)


def test_an_upload_is_found_again_with_its_pixel_size_and_can_be_chosen(visit, upload) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(st, "session_state", {})
        pixel_size.keep(upload, 0.31)
    page = library(visit("slides"))
    assert "**my\\_\\*slide\\*.png**" in words(page)
    facts = "400 × 300 px · 0.31 µm/px · no analysis".replace(" ·", "\N{NO-BREAK SPACE}·")
    assert unbroken(facts) in words(page)
    button(page, "Choose").click().run()
    assert page.session_state["slide"] == state.ChosenSlide(upload, 0.31)


def test_a_deleted_upload_is_gone_and_no_longer_chosen(visit, upload) -> None:
    page = library(visit("slides", slide=state.ChosenSlide(upload)))
    button(page, "Delete the upload").click().run()
    assert not page.exception
    assert not upload.exists()
    assert "slide" not in page.session_state
    assert "Nothing here yet" in page.main.info[0].value


def test_a_damaged_upload_says_what_is_wrong_and_can_be_deleted(visit, upload) -> None:
    """It was a card with nothing in it, and stayed for as long as the visit."""
    upload.write_bytes(upload.read_bytes()[:200])
    page = library(visit("slides"))
    assert "**my\\_\\*slide\\*.png**" in words(page)
    assert "cannot be read" in words(page)
    button(page, "Delete").click().run()
    assert not page.exception
    assert not upload.exists()


def test_a_sample_in_the_library_has_the_pixel_size_that_is_known_of_it() -> None:
    """Chosen there it could not be analysed, since its file does not say it."""
    nest = sample_path("hgsc_nest")
    assert pixel_size.chosen(nest) == state.ChosenSlide(nest, 0.25)


def test_another_reader_does_not_see_it(visit, upload, monkeypatch) -> None:
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: "other"})
    assert "slide\\*" not in words(library(visit("slides")))


def test_on_the_readers_own_machine_analysed_slides_are_listed_and_not_deleted(
    visit, run: Run, coarse: Run, monkeypatch
) -> None:
    assert "discs.png" not in words(library(visit("slides")))
    monkeypatch.setenv("SEG_LOCAL", "1")
    page = library(visit("slides"))
    assert "**discs.png**" in words(page)
    assert "2\N{NO-BREAK SPACE}analyses" in words(page)
    assert "Delete the upload" not in [each.label for each in page.main.button]
