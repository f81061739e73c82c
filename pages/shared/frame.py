"""What every page has around its content."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import (
    analysis_list,
    callbacks,
    linked_slide,
    one_entry,
    palettes,
    preferences,
    resources,
    restarts,
    runs,
    singletons,
    state,
    visitor,
)
from pages.shared.help import offer_help
from pages.shared.literal import literal
from pages.shared.page_list import PAGES, SLIDES, VIEWER, PageEntry
from pages.shared.sign_in import offer_sign_out, require_sign_in
from seg_core.errors import SegCoreError, SlideError, capitalised
from seg_core.slide import SlideInfo
from seg_core.unbroken import unbroken

_ICON = Path(__file__).parent / "icon.svg"
_SIDEBAR_PX = 272

# Less air at the top than Streamlit leaves: a slide wants the space. And the viewer, whose fragment
# may run to bring tiles, does not pale meanwhile as what is out of date does. Where columns are
# narrow, words and buttons go on in the next line instead of being cut off, and a box grows with what
# is chosen in it. What is white on the
# primary colour keeps the darker one in the dark, and small print and axes have ink enough in the light.
_STYLE = """
<style>
.stAppHeader { height: 2.5rem; min-height: 2.5rem; background: none; }
.stMainBlockContainer { padding: 2.75rem 1.5rem 1rem; }
.stSidebar [data-testid="stSidebarHeader"] { height: 2.5rem; margin: 0; }
[class*="st-key-_viewer_"] { opacity: 1 !important; }
:is([data-testid="stMetricLabel"], [data-testid="stMetricValue"], .stCheckbox label),
:is([data-testid="stMetricLabel"], [data-testid="stMetricValue"], .stCheckbox label) * {
  overflow: visible; text-overflow: clip; white-space: normal; overflow-wrap: normal;
  word-break: normal;
}
.stButtonGroup > div { flex-wrap: wrap; row-gap: 0.25rem; }
.stMultiSelect :has(> [data-testid="stMultiSelectTagsContainer"]) { max-height: 60vh; }
:is([data-testid="stBaseButton-primary"], [data-testid="stBaseButton-primaryFormSubmit"]):enabled,
[data-tag] { background-color: #0e7490; border-color: #0e7490; color: #fff; }
[data-testid="stBaseButton-primary"]:hover:enabled { background-color: #0b5d74; }
[data-testid="stCaptionContainer"] { color: inherit; opacity: 0.75; }
.js-plotly-plot :is(
  [class^="x"][class$="tick"], [class^="y"][class$="tick"], [class^="g-x"][class$="title"],
  [class^="g-y"][class$="title"], .annotation-text-g, .cbaxis, .cbtitle, .hovertext, .axistext
) text, .js-plotly-plot .bartext { fill: currentColor !important; }
</style>
"""


def open_page(page: PageEntry) -> DeltaGenerator:
    """Begin a page: its title in the browser, its look, the menu and what nobody may overlook.

    Every page calls this first, since any page can be the first one opened.

    Returns
    -------
    sidebar : DeltaGenerator
        Place in the sidebar for what belongs to the page.
    """
    st.set_page_config(f"{page.title} – nuclei in H&E slides", _ICON, "wide", _SIDEBAR_PX)
    st.html(_STYLE)
    require_sign_in()
    name = visitor.asker()
    if name is not None and state.PRESENT.get() is None:
        state.PRESENT.set(singletons.visitors().arrive(name))
    preferences.open_session()
    with st.sidebar:
        for each in PAGES:
            each.offer()
        sidebar = st.container()
        if page is not VIEWER:
            analysis_list.watch_own()
        palettes.offer_choice()
        offer_help()
        offer_sign_out()
        st.caption("For research only. Not for diagnosis or treatment.")
        restarts.watch()
        one_entry.keep_one_entry()
    callbacks.show_above(page)
    return sidebar


def chosen_slide(title: str | None = None) -> state.ChosenSlide:
    """Return the slide the session works on, or end the page with a word on where to choose one.

    The address of the page names it, and the run that is shown.

    Parameters
    ----------
    title : str, optional
        Of a page that shows the slide in place of a title: what stands above that word.
    """
    told = not _follow_address()
    chosen = _keep_slide()
    if chosen is None:
        if title is not None:
            st.header(title)
        if not told:
            st.info(f"Choose a slide on the {SLIDES.title} page first.", icon=SLIDES.icon)
        SLIDES.link("Go to Slides")
        st.stop()
    return chosen


def keep_slide() -> state.ChosenSlide | None:
    """Return the slide the session works on, if any, named in the address with its shown run.

    A page that shows no slide names it too: loaded anew, it still leads to the pages that do.
    """
    _follow_address()
    return _keep_slide()


def _follow_address() -> bool:
    """Turn to what the address names; False where the reader was told to choose a slide instead."""
    with told_errors():
        return linked_slide.follow_address()
    return True


def _keep_slide() -> state.ChosenSlide | None:
    chosen = state.SLIDE.get()
    if chosen is not None:
        with suppress(SegCoreError):  # a page that needs the slide says it, where it would be
            linked_slide.write_address(chosen, runs.shown_run(chosen))
    return chosen


def describe_slide(info: SlideInfo) -> None:
    """Say in a few words which slide this is."""
    facts = [f"{info.width:,} × {info.height:,} px"]
    if info.mpp is not None:
        facts.append(f"{info.mpp:.4g} µm/px")
    if info.objective_power is not None:
        facts.append(f"{info.objective_power:g}×")
    st.subheader(literal(info.path.name), anchor=False)
    st.caption(unbroken(" · ".join(facts)))


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show what the reader can do something about as a sentence, and end the page there."""
    try:
        yield
    except SegCoreError as error:
        _show(error)
        if isinstance(error, SlideError):
            SLIDES.link("Go to Slides")
        st.stop()


@contextmanager
def told_errors() -> Iterator[None]:
    """Show the same sentence in its place; what the page has beside that goes on."""
    try:
        yield
    except SegCoreError as error:
        _show(error)


def _show(error: SegCoreError) -> None:
    if isinstance(error, SlideError):
        resources.forget_slides()
    told = sentence(error)
    if told != state.REFUSED.get():  # which stands above the page
        st.error(literal(told), icon=":material/error:")


def sentence(error: SegCoreError) -> str:
    """Return an error's text with a capital letter, unless it begins with a file's name or a unit."""
    return capitalised(str(error))
