"""The parts of the Nuclei page."""

from collections.abc import Callable, Mapping
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

_TABLE_PX = 420

_SUMMARY_COLUMNS = {
    "class_name": ("Class", None),
    "count": ("Nuclei", "localized"),
    "share": ("Share", "percent"),
    "density_per_mm2": ("per mm²", "%.0f"),
    "mean_area_um2": ("Mean area, µm²", "%.1f"),
}

# What a reader looks for first; the shares of the vote come last.
_NUCLEUS_COLUMNS = {
    "nucleus_id": ("Nucleus", None),
    "class_name": ("Class", None),
    "class_score": ("Score", "%.2f"),
    "area_um2": ("Area, µm²", "%.1f"),
    "perimeter_um": ("Perimeter, µm", "%.1f"),
    "major_um": ("Long axis, µm", "%.1f"),
    "minor_um": ("Short axis, µm", "%.1f"),
    "eccentricity": ("Eccentricity", "%.2f"),
    "solidity": ("Solidity", "%.2f"),
    "circularity": ("Circularity", "%.2f"),
    "haematoxylin_od": ("Haematoxylin, OD", "%.2f"),
    "eosin_od": ("Eosin, OD", "%.2f"),
    "x": ("x, px", "%.1f"),
    "y": ("y, px", "%.1f"),
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
    """Show the counts by class."""
    st.dataframe(
        summary,
        hide_index=True,
        placeholder="–",
        column_order=list(_SUMMARY_COLUMNS),
        column_config=_column_config(_SUMMARY_COLUMNS),
    )


def show_nuclei(nuclei: pd.DataFrame) -> None:
    """Show the table of nuclei; the browser is sent the rows that are looked at."""
    shares = [name for name in nuclei.columns if name not in _NUCLEUS_COLUMNS]
    st.dataframe(
        nuclei,
        lazy=True,
        hide_index=True,
        height=_TABLE_PX,
        column_order=[*_NUCLEUS_COLUMNS, *shares],
        column_config=_column_config(_NUCLEUS_COLUMNS)
        | _column_config({name: (_label(name), "%.2f") for name in shares}),
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
                partial(written, partial(write, run, other=other)),
                f"{name}.{suffix}",
                mime,
                icon=":material/download:",
                on_click="ignore",
            )


def _column_config(columns: Mapping[str, tuple[str, str | None]]) -> dict[str, Any]:
    """Give columns the names a reader expects, and numbers their digits."""
    return {
        name: st.column_config.NumberColumn(label, format=digits) if digits else label
        for name, (label, digits) in columns.items()
    }


def _label(share_column: str) -> str:
    return share_column.replace("_", " ").capitalize()


def written(write: Callable[[Path], Any]) -> bytes:
    """Return the content of a file that a writer of the core has written."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        write(path)
        return path.read_bytes()
