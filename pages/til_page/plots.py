"""The plots of the page of the TIL scores; a square that is clicked opens in the viewer."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.shared import resources, state
from pages.shared.page_list import VIEWER
from pages.shared.scoring import ScoringRequest
from seg_core.figures import til as figures
from seg_core.figures.style import config_of
from seg_core.picture.til_painting import LEAST_AREA, SQUARE_MAPS
from seg_core.slide import Slide
from seg_core.til import TilResult

# The viewer shows a square with some of what lies around it.
_AROUND = 2.0


def show_plots(slide: Slide, request: ScoringRequest, result: TilResult) -> None:
    """Show the map beside what its squares add up to, then how nuclei lie to each other."""
    st.subheader("TIL-score plot", anchor=False)
    place, sums = st.columns([3, 2], gap="large")
    with place:
        _show_map(slide, request, result)
    with sums:
        st.caption("**Squares by their score**; dashed: the whole")
        _show(figures.square_distribution(result), "distribution", request)
        st.caption("**Score at other dilations**; dashed: as set")
        _show(figures.dilation_curve(result), "dilation", request)
    left, right = st.columns(2, gap="large")
    with left:
        st.caption(
            "**Lymphocytes around epithelium**: above the grey, nearer than labels dealt out at random; "
            "below, apart"
        )
        if result.cross.reason:
            st.info(result.cross.reason)
        else:
            _show(figures.cross_l_curve(result), "cross-l", request)
    with right:
        st.caption("**Distance of lymphocytes to epithelium**; dashed: the median")
        _show(figures.distance_histogram(result), "distances", request)


def _show_map(slide: Slide, request: ScoringRequest, result: TilResult) -> None:
    name = st.selectbox(
        "Map of",
        list(SQUARE_MAPS),
        format_func=lambda each: SQUARE_MAPS[each].title,
        key="_til_map",
        label_visibility="collapsed",
    )
    shown = SQUARE_MAPS[name]
    backdrop = resources.til_backdrop(slide.info.path, request.key)
    if backdrop is None:
        return
    if not len(shown.values(result)):
        reasons = {"hotspots": result.hotspots.reason, "phenotype": result.phenotype.reason}
        st.info(reasons.get(name) or "No square has anything to show here.")
        return
    event: Any = st.plotly_chart(
        figures.til_map(result, shown, *backdrop),
        key=f"_til_map_{name}",
        config=config_of(f"til-{name}") | {"scrollZoom": True},
        on_select="rerun",
        selection_mode="points",
    )
    blank = f" One with less than {100 * LEAST_AREA:g} % of that area stays blank."
    st.caption(f"Click a square to see it in the viewer.{blank if shown.area else ''}")
    if event.selection.points:
        _go_to(event.selection.points[0])


def _go_to(point: dict[str, Any]) -> None:
    x, y, side = (float(each) for each in point["customdata"])
    state.GO_TO.set(state.Place(x, y, side * _AROUND))
    VIEWER.open()


def _show(figure: go.Figure, name: str, request: ScoringRequest) -> None:
    st.plotly_chart(figure, key=f"_til_{name}", config=config_of(f"til-{name}"))
