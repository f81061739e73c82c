"""Turning to a slide: the one that is chosen already, and another."""

from pathlib import Path

import shapely

from pages.shared import state
from seg_core.roi import Roi

NEST = Roi("nest", shapely.box(0, 0, 9, 9))


def test_choosing_the_chosen_slide_again_puts_nothing_away(session) -> None:
    """A row of a cohort and the button *Chosen* lost the regions that only the session has."""
    path = Path("a.svs")
    state.choose_slide(state.ChosenSlide(path))
    state.ROIS.set((NEST,))
    state.RUN.set(Path("run"))
    state.choose_slide(state.ChosenSlide(path, 0.25))
    assert state.SLIDE.get() == state.ChosenSlide(path, 0.25)
    assert state.ROIS.get() == (NEST,)
    assert state.RUN.get() == Path("run")
    state.choose_slide(state.ChosenSlide(Path("b.svs")))
    assert state.ROIS.get() is None
    assert state.RUN.get() is None
