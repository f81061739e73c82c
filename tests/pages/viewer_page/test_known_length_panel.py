"""The size of a pixel by a line of known length, on the viewer's page."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import resources, state
from seg_core.plausibility import PixelSizeEstimate
from seg_core.process.worker import Job


class Estimated:
    """A job that has ended with an estimate."""

    def done(self) -> bool:
        return True

    def result(self) -> PixelSizeEstimate:
        return PixelSizeEstimate(mpp=0.26, low=0.22, high=0.31, nuclei=412, places=6)


def length_of(page: AppTest):
    return next(each for each in page.sidebar.number_input if "True length" in each.label)


def test_nothing_is_asked_before_a_line_was_measured(visit, chosen) -> None:
    page = visit("viewer", slide=chosen)
    assert not page.sidebar.number_input


def test_the_size_is_told_and_set_only_when_it_is_taken(visit, chosen) -> None:
    page = visit("viewer", slide=chosen, measured=400.0)
    length_of(page).set_value(200.0).run()
    assert not page.exception
    told = [each.value for each in page.sidebar.markdown]
    assert any("A pixel is then 0.5 µm (0.4975 to 0.5025" in each for each in told)
    assert "2 times the 0.25 µm" in page.sidebar.warning[0].value
    assert page.session_state["slide"] == chosen
    next(each for each in page.sidebar.button if each.label == "Take 0.5 µm/px").click().run()
    assert not page.exception
    assert page.session_state["slide"] == state.ChosenSlide(chosen.path, 0.5)
    assert not page.sidebar.number_input


@pytest.mark.parametrize(("um", "sentence"), [(100_000.0, "A pixel cannot be 250 µm large")])
def test_what_no_microscope_gives_is_refused(visit, chosen, um: float, sentence: str) -> None:
    page = visit("viewer", slide=chosen, measured=400.0)
    length_of(page).set_value(um).run()
    assert sentence in page.sidebar.error[0].value
    assert not any(each.label.startswith("Take") for each in page.sidebar.button)


def test_nuclei_that_speak_against_it_are_told(visit, chosen) -> None:
    job: Job[PixelSizeEstimate] | Estimated = Estimated()
    asked = {f"_estimate_{resources.identity(chosen.path)}": job}
    page = visit("viewer", slide=chosen, measured=400.0, **asked)
    length_of(page).set_value(200.0).run()
    told = [each.value for each in page.sidebar.warning]
    assert any("by their sizes a pixel is 0.22 to 0.31 µm" in each for each in told)
    assert any("About 0.26 µm per pixel" in each.value for each in page.sidebar.info)
