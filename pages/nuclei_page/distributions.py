"""How a measure is distributed, and how two measures go together."""

from typing import Any

import shapely
import streamlit as st

from pages.nuclei_page import explained
from pages.nuclei_page.choice import Choice, choose_classes
from pages.shared import palettes, resources, state
from pages.shared.callbacks import refusable
from pages.shared.page_list import VIEWER
from seg_core.figures.nuclei import measure_histogram, measure_scatter, measure_violins
from seg_core.figures.style import config_of
from seg_core.nuclei import MEASURES, Measure
from seg_core.store import Selection

_BINS = 60
_VIOLIN_POINTS, _SCATTER_POINTS = 50_000, 20_000
_SEED = 20201

_MARGIN_UM = 25.0  # around picked nuclei in the viewer


def show_one(choice: Choice) -> None:
    """Show a histogram or violins of one measure."""
    queries = resources.nucleus_queries(choice.run)
    pick, kind = st.columns([2, 1])
    with pick:
        measure = _choose_measure("Measure", "_distribution", "area_um2")
    with kind:
        shown = st.segmented_control(
            "Figure", ["Histogram", "Violins"], default="Histogram", required=True, key="_kind"
        )
    if shown == "Histogram":
        bins = queries.histogram(choice.selection(), measure.column, bins=_BINS)
        figure = measure_histogram(bins, choice.scheme, measure)
        how = (
            f"{_BINS} bins of equal width from 0 to the greatest value; classes stand on top of "
            "one another, so the outline is that of all nuclei counted. The axis ends where "
            "99.5 % of them are."
        )
    else:
        sample = queries.sample(
            choice.selection(), [measure.column], most=_VIOLIN_POINTS, seed=_SEED
        )
        figure = measure_violins(sample, choice.scheme, measure)
        how = (
            "A Gaussian kernel density (bandwidth by Silverman's rule) cut at the least and the "
            "greatest value; the box is median and quartiles. All violins have the same width: "
            "it tells nothing of the number of nuclei."
        )
        _say_sample(choice, choice.selection(), _VIOLIN_POINTS)
    st.plotly_chart(figure, key="_distribution_figure", config=config_of(measure.column))
    explained.how(f"{explained.of_measures(measure)}\n\n{how}")


def show_two(choice: Choice) -> None:
    """Show two measures against each other; a lasso picks the nuclei inside."""
    across, up, classes = st.columns([3, 3, 4], gap="large")
    with across:
        x = _choose_measure("Across", "_across", "area_um2")
    with up:
        y = _choose_measure("Up", "_up", "haematoxylin_od")
    with classes:
        selection = choice.selection(choose_classes(choice, "_scatter_classes"))
    queries = resources.nucleus_queries(choice.run)
    sample = queries.sample(selection, [x.column, y.column], most=_SCATTER_POINTS, seed=_SEED)
    key = f"_scatter_{x.column}_{y.column}"

    def pick() -> None:
        drawn = shape_drawn(st.session_state[key]["selection"])
        if drawn is None:
            state.PICKED.clear()
        else:
            state.PICKED.set(queries.within(selection, drawn, x.column, y.column))

    st.plotly_chart(
        measure_scatter(sample, choice.scheme, x, y, state.PICKED.get() or ()),
        key=key,
        on_select=refusable(pick),
        selection_mode=("lasso", "box"),
        config=config_of(f"{x.column}-{y.column}"),
    )
    _say_sample(choice, selection, _SCATTER_POINTS)
    offer_picked(choice)
    explained.how(
        f"{explained.of_measures(*dict.fromkeys((x, y)))}\n\nDraw a lasso or a box: all nuclei "
        "inside are picked, those too that a sample leaves out; the table lists them."
    )


def offer_picked(choice: Choice) -> None:
    """Say how many nuclei are picked; let the reader see them in the viewer or drop them."""
    picked = state.PICKED.get()
    if not picked:
        st.caption("Draw a lasso around points to pick their nuclei.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{len(picked):,} nuclei picked**")
        if st.button("Show in the viewer", icon=":material/biotech:", key="_picked_viewer"):
            state.GO_TO.set(place_around(choice, picked))
            VIEWER.open()
        st.button("Drop", icon=":material/close:", key="_picked_drop", on_click=state.PICKED.clear)


def place_around(choice: Choice, picked: tuple[int, ...]) -> state.Place:
    """Return the place that shows all picked nuclei."""
    queries = resources.nucleus_queries(choice.run)
    everything = palettes.scheme_of(choice.run).names_with_other
    points = queries.columns(Selection(everything, ids=picked), ["x", "y"])
    low, high = points.min(), points.max()
    x, y = (low + high) / 2
    margin = 2 * _MARGIN_UM / choice.run.slide_mpp
    return state.Place(float(x), float(y), float((high - low).max() + margin))


def _choose_measure(label: str, key: str, first: str) -> Measure:
    columns = list(MEASURES)
    column = st.selectbox(
        label,
        columns,
        index=columns.index(first),
        format_func=lambda each: MEASURES[each].title,
        key=key,
    )
    return MEASURES[column]


def shape_drawn(selection: Any) -> shapely.Geometry | None:
    """Return what was drawn on the figure, in its coordinates; None where nothing was."""
    lassos = [
        shapely.Polygon(list(zip(each["x"], each["y"], strict=True)))
        for each in selection["lasso"]
        if len(each["x"]) > 2
    ]
    boxes = [
        shapely.box(min(each["x"]), min(each["y"]), max(each["x"]), max(each["y"]))
        for each in selection["box"]
    ]
    # A hand that crosses its own line means all that is enclosed.
    shapes = [shapely.make_valid(each) for each in (*lassos, *boxes)]
    return shapely.union_all(shapes) if shapes else None


def _say_sample(choice: Choice, selection: Selection, most: int) -> None:
    total = sum(resources.nucleus_queries(choice.run).counts(selection).values())
    if total > most:
        st.caption(f"A random sample of {most:,} of {total:,} nuclei is drawn (seed {_SEED}).")
