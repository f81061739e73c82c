"""A run as one HTML file that opens anywhere: pictures, figures and all are inside.

There is no PDF: the libraries that make one without a browser need others that pip does not bring.
The file is laid out for paper too, so a browser's *Print* makes the PDF.
"""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from seg_core.classes import OTHER
from seg_core.export.figures.nuclei import area_histogram, density_bars
from seg_core.export.figures.style import to_html
from seg_core.export.files import new_text_file
from seg_core.export.overlay import NucleusPainter
from seg_core.export.picture import draw_roi, grid_over, paint_nuclei, shown_classes
from seg_core.export.slide import slide_of
from seg_core.geometry import Raster, Region
from seg_core.model.card import card_of_weights
from seg_core.nuclei import summarise
from seg_core.nuclei.summary import histogram
from seg_core.roi import roi_of_region
from seg_core.slide import Slide
from seg_core.store import Run

_TEMPLATE = "report.html"

_THUMBNAIL_PX, _OVERLAY_PX = 900, 1600

CROP_UM = 24
"""Side of a picture of the gallery: a large nucleus and its surroundings."""

_CROP_PX = 208  # shown at half that, sharp on fine screens and on paper
_CROPS = 8

_UM2_PER_MM2 = 1e6


def write_report(
    run: Run, path: Path, *, other: bool = False, anonymous: bool = False, force: bool = False
) -> None:
    """Write the report of a run; its table of nuclei is held in memory.

    Parameters
    ----------
    run : Run
    path : Path
    other : bool
        Also count and show the nuclei that no class names.
    anonymous : bool
        Leave out the name of the slide.
    force : bool
        Replace a file of that name.

    Raises
    ------
    ExportError
        If there is such a file already, it cannot be written, or the slide is another one now.
    SlideError
        If the slide is no longer there or cannot be read.
    StoreError
        If the run has no nuclei yet.
    """
    table = run.nuclei()
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template(_TEMPLATE)
    with new_text_file(path, force=force) as file, slide_of(run) as slide:
        entries = {
            **_facts(run, other=other, anonymous=anonymous),
            **_figures(run, table, other=other),
            **_pictures(run, table, slide, other=other),
        }
        file.write(template.render(entries))


def _facts(run: Run, *, other: bool, anonymous: bool) -> dict[str, Any]:
    facts = run.facts
    question, info = facts.question, facts.slide
    region = question.region
    card = card_of_weights(question.model_sha256)
    model_facts = [("name", question.model), ("SHA-256 of the weights", question.model_sha256)]
    if card is None:
        model_facts.append(("card", "is not among this program's weights"))
    else:
        model_facts += [
            *(("title", card.title), ("licence", card.licence), ("data", card.data)),
            ("µm per pixel", f"{card.mpp:g}"),
        ]
    return {
        "slide_name": "a slide" if anonymous else run.slide_path.name,
        "run_id": run.run_id,
        "finished": facts.finished,
        "warnings": facts.warnings,
        "slide_facts": [
            ("size", f"{info.width:,} × {info.height:,} pixels"),
            ("µm per pixel", f"{question.slide_mpp:g}"),
            ("format", info.vendor or "ordinary image"),
            ("magnification", "unknown" if info.objective_power is None else info.objective_power),
            ("analysed part", f"{region.width:,} × {region.height:,} pixels"),
            ("its corner", f"x {region.x:,}, y {region.y:,}"),
            ("ROI", "none" if run.roi is None else run.roi.name),
            ("its area", f"{question.area_um2 / _UM2_PER_MM2:.4g} mm²"),
            ("tissue in it", f"{facts.tissue_um2 / _UM2_PER_MM2:.4g} mm²"),
        ],
        "area_mm2": f"{facts.tissue_um2 / _UM2_PER_MM2:.4g}",
        "area_kind": "tissue" if question.settings.tissue_only else "the analysed part",
        "other": other,
        "other_count": f"{facts.counts.get(OTHER, 0):,}",
        "model_facts": model_facts,
        "metrics": [] if card is None else list(_flat(card.metrics)),
        "settings": [
            *(("engine used", facts.engine), ("precision used", facts.precision)),
            *question.settings.to_json().items(),
            *((f"version of {name}", number) for name, number in facts.versions.items()),
        ],
    }


def _flat(metrics: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in metrics.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}: ")
        else:
            yield f"{above}{name}", value


def _figures(run: Run, table: gpd.GeoDataFrame, *, other: bool) -> dict[str, Any]:
    summary = summarise(table, run.facts.tissue_um2, run.scheme, other=other)
    areas = histogram(table, run.scheme, other=other)
    return {
        "classes": [
            {
                "name": row["class_name"],
                "colour": run.scheme.colours[row["class_name"]],
                "numbers": _numbers(row),
            }
            for row in summary.to_dict("records")
        ],
        "plots": [
            to_html(density_bars(summary, run.scheme), with_library=True),
            to_html(area_histogram(areas, run.scheme), with_library=False),
        ],
    }


def _numbers(row: dict[Any, Any]) -> list[str]:
    formats = {
        "count": "{:,.0f}",
        "share": "{:.1%}",
        "density_per_mm2": "{:,.1f}",
        "mean_area_um2": "{:.1f}",
        "sd_area_um2": "{:.1f}",
        "median_area_um2": "{:.1f}",
    }
    return ["–" if pd.isna(row[name]) else form.format(row[name]) for name, form in formats.items()]


def _pictures(run: Run, table: gpd.GeoDataFrame, slide: Slide, *, other: bool) -> dict[str, Any]:
    painter = NucleusPainter(table, run.scheme)
    shown = shown_classes(run, other=other)
    grid = grid_over(run, _OVERLAY_PX)
    names = run.scheme.names_with_other if other else run.scheme.names
    return {
        "thumbnail": _thumbnail(run, slide),
        "overlay": _jpeg(Image.fromarray(paint_nuclei(slide, grid, painter, shown))),
        "overlay_width": f"{grid.width * grid.mpp:,.0f} µm",
        "crop_um": CROP_UM,
        "gallery": [
            {
                "name": name,
                "colour": run.scheme.colours[name],
                "rows": list(_crop_rows(run, table[table["class_name"] == name], slide, painter)),
            }
            for name in names
        ],
    }


def _thumbnail(run: Run, slide: Slide) -> str:
    picture = Image.fromarray(slide.thumbnail(_THUMBNAIL_PX))
    bounds = slide.info.bounds
    step = bounds.width / picture.width
    grid = Raster(bounds, mpp=step * run.facts.question.slide_mpp, downsample=step)
    draw_roi(picture, (run.roi or roi_of_region(run.region)).polygon, grid)
    return _jpeg(picture)


def _crop_rows(
    run: Run, nuclei: gpd.GeoDataFrame, slide: Slide, painter: NucleusPainter
) -> Iterator[dict[str, Any]]:
    """Give the nuclei of a class with the highest scores, then those with the lowest."""
    by_score = nuclei.sort_values(["class_score", "nucleus_id"], ascending=[False, True])
    certain = by_score.head(_CROPS)
    uncertain = by_score.iloc[len(certain) :].tail(_CROPS)[::-1]
    for title, chosen in (("most certain", certain), ("least certain", uncertain)):
        crops = [
            {
                "nucleus_id": nucleus.nucleus_id,
                "score": f"{nucleus.class_score:.2f}",
                "picture": _jpeg(Image.fromarray(_crop(run, nucleus, slide, painter))),
            }
            for nucleus in chosen.itertuples()
        ]
        if crops:
            yield {"title": title, "crops": crops}


def _crop(run: Run, nucleus: Any, slide: Slide, painter: NucleusPainter) -> npt.NDArray[np.uint8]:
    """Cut out a square round a nucleus, moved into the slide where it would reach past it."""
    slide_mpp = run.facts.question.slide_mpp
    info = slide.info
    side = min(round(CROP_UM / slide_mpp), info.width, info.height)
    x = min(max(0, round(nucleus.x - side / 2)), info.width - side)
    y = min(max(0, round(nucleus.y - side / 2)), info.height - side)
    step = side / _CROP_PX
    grid = Raster(Region(x, y, side, side), mpp=step * slide_mpp, downsample=step)
    return paint_nuclei(slide, grid, painter, [run.scheme.id_of(nucleus.class_name)])


def _jpeg(picture: Image.Image) -> str:
    """Return a picture as a data URL."""
    file = io.BytesIO()
    # halved colours, JPEG's default, would wash out outlines of two pixels
    picture.save(file, "JPEG", quality=88, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
