"""What an address may open, and where another page may send the viewer."""

from pathlib import Path

import pytest

from pages.shared import linked_slide, resources, state
from seg_core.samples import SAMPLES, sample_path


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda each: each.name)
def test_a_sample_is_opened_by_its_id(sample) -> None:
    path = sample_path(sample.name)
    found = linked_slide.find_slide(resources.identity(path))
    assert found == state.ChosenSlide(path, sample.mpp)


def test_a_slide_of_the_offered_folder_is_opened_and_no_other(
    slide_path: Path, monkeypatch
) -> None:
    slide_id = resources.identity(slide_path)
    assert linked_slide.find_slide(slide_id) is None
    monkeypatch.setenv("SEG_SLIDE_DIR", str(slide_path.parent))
    assert linked_slide.find_slide(slide_id) == state.ChosenSlide(slide_path)
    assert linked_slide.find_slide(f"{slide_id[:-1]}x") is None


def test_at_the_readers_own_machine_an_analysed_slide_is_opened(run, monkeypatch) -> None:
    slide_id = resources.identity(run.slide_path)
    assert linked_slide.find_slide(slide_id) is None
    monkeypatch.setenv("SEG_LOCAL", "1")
    assert linked_slide.find_slide(slide_id) == state.ChosenSlide(run.slide_path)


def test_another_page_sends_the_viewer_to_a_place_once(visit, chosen) -> None:
    page = visit("viewer", slide=chosen, go_to=state.Place(120.5, 80.0, 60.0))
    assert "go_to" not in page.session_state
    assert page.session_state["gone_to"] == (1, state.Place(120.5, 80.0, 60.0))
    page.session_state["go_to"] = state.Place(9, 9)
    page.run()
    assert page.session_state["gone_to"] == (2, state.Place(9, 9))


def test_a_place_with_a_nucleus_picks_it(visit, chosen, run) -> None:
    page = visit("viewer", slide=chosen, go_to=state.Place(50, 50, nucleus_id=3))
    assert page.session_state["nucleus"] == (run.run_id, 3)
