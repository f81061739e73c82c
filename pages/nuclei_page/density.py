"""Where on the slide the nuclei are."""

import numpy as np
import streamlit as st

from pages.nuclei_page import explained
from pages.nuclei_page.choice import Choice, choose_classes
from pages.shared import resources
from seg_core.figures.nuclei import density_map
from seg_core.figures.style import config_of
from seg_core.scoring import count_squares

_SIDES_UM = (50, 100, 250, 500)
_LEAST_TISSUE = 0.25
_UM_PER_MM = 1000.0

_HOW = (
    "Nuclei whose centroid lies in a square, divided by the tissue in it. Squares are anchored to "
    "the corner of the slide; one with less than {percent:.0f} % tissue is left empty, for a nucleus on "
    "a sliver of tissue is no density. Nothing is smoothed."
)


def show(choice: Choice) -> None:
    """Show the density of chosen classes in squares."""
    tissue = resources.run_tissue(choice.run)
    if tissue is None:
        st.info("The slide is no longer where it was; its tissue cannot be looked at.")
        return
    pick, size = st.columns([5, 3], gap="medium")
    with pick:
        names = choose_classes(choice, "_map_classes")
    with size:
        side_um = st.segmented_control(
            "Squares, µm", _SIDES_UM, default=_SIDES_UM[1], required=True, key="_side"
        )
    squares = count_squares(
        resources.nucleus_queries(choice.run),
        choice.selection(names),
        choice.part,
        tissue,
        float(side_um),
    )
    density = squares.density_per_mm2(names, least_tissue=_LEAST_TISSUE)
    rows, columns = np.nonzero(np.isfinite(density))
    if not len(rows):
        st.info("No square holds enough tissue; choose smaller ones.")
        return
    # Only the part with tissue is drawn: the squares of a region may be few of a large slide.
    top, left = int(rows.min()), int(columns.min())
    side_mm = side_um / _UM_PER_MM
    figure = density_map(
        density[top : rows.max() + 1, left : columns.max() + 1],
        (left * side_mm, top * side_mm),
        side_mm,
    )
    st.plotly_chart(figure, key="_density_map", config=config_of("density-map"))
    explained.how(_HOW.format(percent=100 * _LEAST_TISSUE))
