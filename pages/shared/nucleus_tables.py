"""The parts of the Nuclei page."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import resources
from seg_core.classes import OTHER
from seg_core.export.csv import write_nuclei_csv
from seg_core.export.geojson import write_geojson
from seg_core.nuclei import histogram, summarise
from seg_core.store import Run

_UM2_PER_MM2 = 1e6

# Fine enough for the small nuclei where one large one stretches the range.
_BINS = 120

_SUMMARY_COLUMNS = {
    "class_name": ("Class", None),
    "count": ("Nuclei", "localized"),
    "share": ("Share", "percent"),
    "density_per_mm2": ("per mm²", "%.0f"),
    "mean_area_um2": ("Mean area, µm²", "%.1f"),
}


def counted_nuclei(run: Run, *, other: bool) -> pd.DataFrame:
    """Return a row for each nucleus, without outlines."""
    nuclei = resources.nuclei(run.path)
    return nuclei if other else nuclei[nuclei["class_name"] != OTHER]


def summary_of(run: Run, *, other: bool) -> pd.DataFrame:
    """Return a row for each class."""
    return summarise(resources.nuclei(run.path), run.facts.tissue_um2, run.scheme, other=other)


def areas_of(run: Run, *, other: bool) -> pd.DataFrame:
    """Return how many nuclei of each class are how large."""
    return histogram(resources.nuclei(run.path), run.scheme, bins=_BINS, other=other)


def show_summary(summary: pd.DataFrame) -> None:
    """Show the counts as a table with the names a reader expects."""
    number = st.column_config.NumberColumn
    st.dataframe(
        summary,
        hide_index=True,
        placeholder="–",
        column_order=list(_SUMMARY_COLUMNS),
        column_config={
            name: number(label, format=form) if form else label
            for name, (label, form) in _SUMMARY_COLUMNS.items()
        },
    )


def show_metrics(run: Run, count: int) -> None:
    """Show number, area and density in one row."""
    tissue_mm2 = run.facts.tissue_um2 / _UM2_PER_MM2
    number, area, density = st.columns(3)
    number.metric("Nuclei", f"{count:,}", border=True)
    area.metric("Tissue analysed", f"{tissue_mm2:,.3g} mm²", border=True)
    per_mm2 = f"{count / tissue_mm2:,.0f} per mm²" if tissue_mm2 else "–"
    density.metric("Density", per_mm2, border=True)


def offer_downloads(run: Run, *, other: bool) -> None:
    """Offer the whole table as files; they are written when somebody asks."""
    name = f"{run.slide_path.stem}-{run.run_id}"
    with st.container(horizontal=True):
        for label, suffix, mime, write in (
            ("Download CSV", "csv", "text/csv", write_nuclei_csv),
            ("Download GeoJSON", "geojson", "application/geo+json", write_geojson),
        ):
            st.download_button(
                label,
                partial(_written, partial(write, run, other=other)),
                f"{name}.{suffix}",
                mime,
                icon=":material/download:",
                on_click="ignore",
            )


def _written(write: Callable[[Path], Any]) -> bytes:
    """Return the content of a file that a writer of the core has written."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(path)
        return path.read_bytes()
