from pathlib import Path

import pytest

from pages.shared import state
from seg_core.samples import SAMPLES, sample_path


def test_with_nothing_chosen_it_says_so_and_shows_the_samples(visit) -> None:
    page = visit("slides")
    assert page.info[0].value == "Choose a slide; its facts will stand here."
    assert [button.label for button in page.button] == ["Choose"] * len(SAMPLES)


def test_a_sample_is_chosen_by_its_button(visit) -> None:
    page = visit("slides")
    page.button[0].click().run()
    assert not page.exception
    assert page.subheader[0].value == "cmu_small_region.svs"
    assert page.session_state["slide"].path == sample_path("cmu_small_region")
    assert not page.warning


def test_a_slide_that_is_silent_on_its_pixels_is_asked_about(visit, slide_path: Path) -> None:
    page = visit("slides", slide=state.ChosenSlide(slide_path))
    assert "does not say how large a pixel is" in page.warning[0].value
    page.number_input[0].set_value(0.5).run()
    assert not page.exception
    assert page.session_state["slide"] == state.ChosenSlide(slide_path, 0.5)


def test_with_a_result_it_still_shows_the_slide(visit, chosen, run) -> None:
    assert visit("slides", slide=chosen).subheader[0].value == chosen.path.name


def test_a_damaged_slide_is_one_sentence(visit, tmp_path: Path) -> None:
    path = tmp_path / "text.svs"
    path.write_text("no slide")
    page = visit("slides", slide=state.ChosenSlide(path))
    assert page.error[0].value.startswith("text.svs is neither a slide")


def test_folders_are_shown_to_nobody_by_default(visit) -> None:
    page = visit("slides")
    assert page.segmented_control[0].options == ["Samples", "Upload"]


def test_an_offered_folder_can_be_chosen_from(
    visit, slide_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEG_SLIDE_DIR", str(slide_path.parent))
    page = visit("slides")
    page.segmented_control[0].set_value("Folder").run()
    assert not page.exception
    assert not page.text_input, "only somebody at this machine may name other folders"
    assert page.selectbox[0].options == ["discs.png"]
    page.button[0].click().run()
    assert page.session_state["slide"].path == slide_path
