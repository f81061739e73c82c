"""Files to take away: every format, written when somebody asks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from pages.nuclei_page.choice import Choice
from pages.shared import resources, state
from pages.shared.regions import slide_rois
from pages.shared.scoring import ScoringRequest
from pages.shared.writing import written
from seg_core.export.anndata import write_anndata
from seg_core.export.csv import write_nuclei_csv, write_summary_csv
from seg_core.export.geojson import write_geojson
from seg_core.export.geoparquet import write_nuclei_geoparquet
from seg_core.export.ome_tiff import write_ome_tiff
from seg_core.export.spatialdata import missing_package, write_spatialdata
from seg_core.picture.slide_overlay import write_overlay_png
from seg_core.report.report import write_report
from seg_core.scoring import WHOLE, parts_of
from seg_core.store import Run
from seg_core.til import AssessedPart, TilSettings


@dataclass(frozen=True, slots=True)
class Format:
    """A file that can be taken away.

    Attributes
    ----------
    label : str
    suffix : str
        What its name ends with, after the slide and the run.
    mime : str
    opens : str
        What it holds and what opens it, in one line.
    write : callable
        A writer of `seg_core.export`.
    options : tuple of str
        Which of the page's options it takes besides *other*.
    missing : callable
        Answers what has to be installed first, in a sentence; None where nothing has.
    """

    label: str
    suffix: str
    mime: str
    opens: str
    write: Callable[..., Any]
    options: tuple[str, ...] = ("min_score",)
    missing: Callable[[], str | None] = lambda: None


FORMATS = (
    Format(
        "CSV",
        "nuclei.csv",
        "text/csv",
        "A row for each nucleus, units in the names. Excel, R, pandas.",
        write_nuclei_csv,
    ),
    Format(
        "Summary CSV",
        "classes.csv",
        "text/csv",
        "A row for each class: counts, densities with intervals, all measures. Excel, R, pandas.",
        write_summary_csv,
    ),
    Format(
        "GeoJSON",
        "nuclei.geojson",
        "application/geo+json",
        "Outlines with class, colour and measurements. QuPath: drag it onto the slide.",
        write_geojson,
        ("min_score", "simplify_um"),
    ),
    Format(
        "GeoJSON, packed",
        "nuclei.geojson.gz",
        "application/gzip",
        "The same at a tenth of the size. QuPath after unpacking, geopandas, GDAL.",
        write_geojson,
        ("min_score", "simplify_um"),
    ),
    Format(
        "GeoParquet",
        "nuclei.parquet",
        "application/vnd.apache.parquet",
        "Outlines and measures. geopandas, DuckDB, QGIS, R's sfarrow.",
        write_nuclei_geoparquet,
    ),
    Format(
        "AnnData",
        "nuclei.h5ad",
        "application/x-hdf5",
        "Measures in X, class and score in obs, centroids in µm. scanpy, squidpy.",
        write_anndata,
        ("min_score", "anonymous"),
    ),
    Format(
        "SpatialData",
        "nuclei.zarr.zip",
        "application/zip",
        "Outlines, measures, class map and slide together. Unpack it; spatialdata, squidpy, napari.",
        write_spatialdata,
        ("min_score", "anonymous"),
        missing_package,
    ),
    Format(
        "OME-TIFF",
        "maps.ome.tif",
        "image/tiff",
        "Class map, ternary map and numbered nuclei, pyramidal. QuPath, Bio-Formats, tifffile.",
        write_ome_tiff,
        (),
    ),
    Format(
        "PNG",
        "overlay.png",
        "image/png",
        "The analysed part with outlines, legend and scale bar. Any slide deck.",
        write_overlay_png,
    ),
    Format(
        "Report",
        "report.html",
        "text/html",
        "One file with figures, gallery, model card and settings, and the TIL scores once their page "
        "has shown them. A browser.",
        write_report,
        ("min_score", "anonymous", "assessed"),
    ),
    Format(
        "Report, PDF",
        "report.pdf",
        "application/pdf",
        "The same on paper, A4. Anything.",
        write_report,
        ("min_score", "anonymous", "assessed"),
    ),
)


def show(choice: Choice) -> None:
    """Show every format with what opens it."""
    options = _choose_options(choice)
    settings = state.TIL_SETTINGS.get() or TilSettings()
    options["assessed"] = scores_there(choice.run, settings, choice.min_score)
    if not all(part.name == WHOLE for part in choice.parts):
        st.caption("Files hold the whole analysis, not the chosen ROIs.")
    name = "slide" if options["anonymous"] else choice.run.slide_path.stem
    for each in FORMATS:
        missing = each.missing()
        button, words = st.columns([1, 3], vertical_alignment="center")
        button.download_button(
            each.label,
            partial(content_of, each, choice.run, other=choice.other, **options),
            f"{name}-{choice.run.run_id}-{each.suffix}",
            each.mime,
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
            key=f"_download_{each.suffix}",
            disabled=missing is not None,
        )
        words.markdown(each.opens if missing is None else f"{each.opens} {missing}")


def scores_there(run: Run, settings: TilSettings, min_score: float) -> list[AssessedPart]:
    """Return the TIL scores that their page has shown, of the whole and of ROIs; none is computed.

    Parameters
    ----------
    run : Run
    settings : TilSettings
    min_score : float
    """
    parts = parts_of(run, slide_rois(state.ChosenSlide(run.slide_path)))
    answers = (
        (part.name, resources.scorings().find(ScoringRequest(run, part, settings, min_score).key))
        for part in parts
    )
    return [AssessedPart(name, found, found.reason) for name, found in answers if found]


def _choose_options(choice: Choice) -> dict[str, Any]:
    anonymous, simplify = st.columns(2, gap="large", vertical_alignment="bottom")
    return {
        "min_score": choice.min_score,
        "anonymous": anonymous.toggle(
            "Anonymous",
            key="_anonymous",
            help="Leave the name of the slide out of the files and their names.",
        ),
        "simplify_um": simplify.slider(
            "Simplify the outlines of GeoJSON by at most, µm",
            0.0,
            1.0,
            0.0,
            step=0.05,
            key="_simplify",
            help="0.25 µm halves the file and is not seen. Measures stay those of the full outline.",
        ),
    }


def content_of(form: Format, run: Run, *, other: bool, **options: Any) -> bytes:
    """Return the content of a file that a writer of the core has written.

    Parameters
    ----------
    form : Format
    run : Run
    other : bool
    **options
        Of the page; those that the format does not take are left out.
    """
    wanted = {name: options[name] for name in form.options if name in options}
    return written(lambda path: form.write(run, path, other=other, **wanted), form.suffix)
