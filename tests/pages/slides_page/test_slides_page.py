from pathlib import Path

import pytest

from pages.shared import singletons, state
from seg_core.errors import ResolutionError, SegCoreError
from seg_core.plausibility import PixelSizeEstimate
from seg_core.process.progress import Progress
from seg_core.samples import SAMPLES, sample_path
from seg_core.unbroken import unbroken


class EstimatingWorker:
    """Stands for the worker, and for its job: asked once, and done when a test says so."""

    def __init__(self) -> None:
        self.asked: list[Path] = []
        self.progress = Progress("looks", 11, 66)
        self.found: PixelSizeEstimate | SegCoreError | None = None

    def submit(
        self, function: object, *, slide_path: Path, asker: str | None = None
    ) -> "EstimatingWorker":
        assert function.__name__ == "estimate_of_file"  # type: ignore[attr-defined]
        self.asked.append(slide_path)
        return self

    def done(self) -> bool:
        return self.found is not None

    def result(self) -> PixelSizeEstimate:
        if isinstance(self.found, SegCoreError):
            raise self.found
        assert self.found is not None
        return self.found


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> EstimatingWorker:
    made = EstimatingWorker()
    monkeypatch.setattr(singletons, "worker", lambda: made)
    return made


def test_with_nothing_chosen_it_says_so_and_shows_the_samples(visit) -> None:
    page = visit("slides")
    assert page.info[0].value == "Choose a slide; its facts will stand here."
    assert page.main.caption[0].value.startswith("Open a slide of H&E-stained tissue")
    assert [button.label for button in page.button] == ["Choose"] * len(SAMPLES)


def test_a_sample_is_chosen_by_its_button(visit) -> None:
    page = visit("slides")
    page.button[0].click().run()
    assert not page.exception
    assert page.subheader[0].value == "hgsc_nest.jpg"
    assert page.session_state["slide"].path == sample_path("hgsc_nest")
    assert not page.warning


def test_a_sample_that_is_nobodys_tumour_says_so_beside_its_facts(visit) -> None:
    page = visit("slides", slide=state.ChosenSlide(sample_path("brca_mosaic")))
    assert any("nobody's tumour" in each.value for each in page.caption)
    page = visit("slides", slide=state.ChosenSlide(sample_path("hgsc_nest"), 0.25))
    assert not any("nobody's tumour" in each.value for each in page.caption)


def test_a_slide_that_is_silent_on_its_pixels_is_asked_about(visit, slide_path: Path) -> None:
    page = visit("slides", slide=state.ChosenSlide(slide_path))
    assert "does not say how large a pixel is" in page.warning[0].value
    page.number_input[0].set_value(0.5).run()
    assert not page.exception
    assert page.session_state["slide"] == state.ChosenSlide(slide_path, 0.5)
    facts = page.table[0].value.to_string()
    assert unbroken("0.5 µm, as given") in facts, "it went on saying that nothing is stated"
    assert "mm)" in facts


def labelled(page, words: str):
    return next(each for each in page.button if words in each.label)


def test_an_estimated_pixel_size_is_offered_and_set_only_when_it_is_taken(
    visit, slide_path: Path, worker: EstimatingWorker
) -> None:
    page = visit("slides", slide=state.ChosenSlide(slide_path))
    labelled(page, "Estimate it from the nuclei").click().run()
    assert worker.asked == [slide_path]
    worker.found = PixelSizeEstimate(0.27, 0.21, 0.34, 412, 6)
    page.run()
    assert page.info[-1].value.startswith("About 0.27 µm per pixel (0.21 to 0.34), from 412 nuclei")
    assert page.session_state["slide"] == state.ChosenSlide(slide_path)
    labelled(page, "Take 0.27 µm").click().run()
    assert not page.exception
    assert page.session_state["slide"] == state.ChosenSlide(slide_path, 0.27)
    assert page.number_input[0].value == 0.27
    labelled(page, "Take 0.25 µm, 40x").click().run()
    assert page.session_state["slide"] == state.ChosenSlide(slide_path, 0.25)


def test_where_nothing_can_be_estimated_the_page_says_why(
    visit, slide_path: Path, worker: EstimatingWorker
) -> None:
    page = visit("slides", slide=state.ChosenSlide(slide_path))
    worker.found = ResolutionError("the size of a pixel cannot be estimated: at most 3 nuclei.")
    labelled(page, "Estimate").click().run()
    assert page.info[-1].value.startswith("The size of a pixel cannot be estimated")


def test_with_a_result_it_still_shows_the_slide(visit, chosen, run) -> None:
    assert visit("slides", slide=chosen).subheader[0].value == chosen.path.name


def test_a_damaged_slide_is_one_sentence(visit, tmp_path: Path) -> None:
    path = tmp_path / "text.svs"
    path.write_text("no slide")
    page = visit("slides", slide=state.ChosenSlide(path))
    assert page.error[0].value.startswith("text.svs is neither a slide")


def test_what_is_chosen_stays_in_sight_beside_a_folder_that_is_not_there(
    visit, chosen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error ended the page, and the facts of the chosen slide went with it."""
    monkeypatch.setenv("SEG_LOCAL", "1")
    page = visit("slides", slide=chosen)
    page.segmented_control(key="_place").set_value("Folder").run()
    next(each for each in page.text_input if each.label == "Folder on this machine").set_value(
        "/nowhere at all"
    ).run()
    assert "there is no folder /nowhere at all" in page.error[0].value.lower()
    assert page.subheader[0].value == chosen.path.name


def test_folders_are_shown_to_nobody_by_default(visit) -> None:
    page = visit("slides")
    assert page.segmented_control[0].options == ["Samples", "Upload", "Library"]


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


def test_a_format_is_called_as_people_call_it(visit) -> None:
    told = {}
    for name, mpp in (("brca_mosaic", None), ("cmu_small_region", None), ("hgsc_nest", 0.25)):
        page = visit("slides", slide=state.ChosenSlide(sample_path(name), mpp))
        told[name] = page.table[0].value.to_string()
    assert "Tiled TIFF" in told["brca_mosaic"]
    assert "Aperio" in told["cmu_small_region"]
    assert "Image (JPG)" in told["hgsc_nest"]
