"""The frame of a page that tells of one analysis of one slide."""

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import frame, runs
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.demonstration import show_notes
from pages.shared.doubts import show_doubts
from pages.shared.page_list import PageEntry
from seg_core.slide import Slide
from seg_core.store import Run


@dataclass(frozen=True, slots=True)
class Opened:
    """What a page tells of, and its place in the sidebar.

    Attributes
    ----------
    sidebar : DeltaGenerator
    chosen : ChosenSlide
    slide : Slide
        As the analysis measured it.
    run : Run
        The analysis that is shown.
    """

    sidebar: DeltaGenerator
    chosen: ChosenSlide
    slide: Slide
    run: Run


def open_page(page: PageEntry) -> Opened:
    """Begin a page: the slide and its analyses in the sidebar, the title, what speaks against trust.

    Where no slide is chosen, or nothing is analysed on it, the page ends with a word on where to go.
    """
    sidebar = frame.open_page(page)
    st.header(page.title)
    chosen = frame.chosen_slide()
    return open_run(sidebar, chosen)


def open_run(sidebar: DeltaGenerator, chosen: ChosenSlide) -> Opened:
    """Go on below the title, where a page has first asked what it is to tell of."""
    with frame.shown_errors():
        slide = runs.slide_of_shown(chosen)
    with sidebar, frame.shown_errors():
        frame.describe_slide(slide.info)
        runs.pick_run(chosen)
    with frame.shown_errors():
        run = runs.needed_run(chosen)
        show_doubts(run)
        show_notes([chosen.path])
    return Opened(sidebar, chosen, slide, run)
