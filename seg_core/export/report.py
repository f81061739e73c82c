"""A run as one HTML file that opens anywhere: pictures, figures and all are inside.

There is no PDF: the libraries that make one without a browser need others that pip does not bring.
The file is laid out for paper too, so a browser's *Print* makes the PDF.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from seg_core.classes import OTHER
from seg_core.export.crops import CROP_UM, by_certainty, crop_nuclei, jpeg_url
from seg_core.export.figures.nuclei import density_bars, measure_histogram
from seg_core.export.figures.style import to_html
from seg_core.export.files import new_text_file
from seg_core.export.overlay import NucleusPainter
from seg_core.export.picture import draw_roi, grid_over, paint_nuclei
from seg_core.export.rows import chosen_names
from seg_core.export.slide import slide_of
from seg_core.export.til_section import til_section
from seg_core.geometry import Raster
from seg_core.model.card import card_of_weights
from seg_core.nuclei import MEASURES, label_uncertain
from seg_core.roi import roi_of_region
from seg_core.slide import Slide
from seg_core.statistics import DENSITY_FORMULA, Statistics, describe_run, measure_columns
from seg_core.store import Run, Selection
from seg_core.til import AssessedPart

_TEMPLATE = "report.html"

_THUMBNAIL_PX, _OVERLAY_PX = 900, 1600

_CROPS = 8

_UM2_PER_MM2 = 1e6


def write_report(
    run: Run,
    path: Path,
    *,
    other: bool = False,
    min_score: float = 0.0,
    assessed: Sequence[AssessedPart] = (),
    anonymous: bool = False,
    force: bool = False,
) -> None:
    """Write the report of a run; its table of nuclei is held in memory.

    Parameters
    ----------
    run : Run
    path : Path
    other : bool
        Also count and show the nuclei that no class names.
    min_score : float
        Nuclei with a lower class score are shown and counted as *uncertain*.
    assessed : sequence of AssessedPart
        TIL scores to tell of: of all that was analysed, then of ROIs.
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
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    names = chosen_names(run, other=other, min_score=min_score)
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template(_TEMPLATE)
    with new_text_file(path, force=force) as file, slide_of(run) as slide:
        statistics = describe_run(run, min_score=min_score, other=other)
        entries = {
            **_facts(run, other=other, min_score=min_score, anonymous=anonymous),
            **_figures(run, statistics, names, min_score=min_score),
            **_pictures(run, slide, names, min_score=min_score),
            "til": til_section(assessed, slide),
        }
        file.write(template.render(entries))


def _facts(run: Run, *, other: bool, min_score: float, anonymous: bool) -> dict[str, Any]:
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
        "min_score": f"{min_score:g}" if min_score else "",
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


def _figures(
    run: Run, statistics: Statistics, names: Sequence[str], *, min_score: float
) -> dict[str, Any]:
    area = MEASURES["area_um2"]
    described = measure_columns(statistics)
    areas = run.catalog().histogram(Selection(tuple(names), min_score), area.column)
    return {
        "classes": [
            {
                "name": row["class_name"],
                "colour": run.scheme.colours[row["class_name"]],
                "numbers": _numbers(row),
            }
            for row in described.to_dict("records")
        ],
        "ratios": [
            (ratio.name, "–" if ratio.value is None else f"{ratio.value:.2f}")
            for ratio in statistics.ratios
        ],
        "no_interval": statistics.no_interval,
        "density_formula": DENSITY_FORMULA,
        "plots": [
            to_html(density_bars(statistics.classes, run.scheme), with_library=True),
            to_html(measure_histogram(areas, run.scheme, area), with_library=False),
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
    numbers = {
        name: "–" if pd.isna(row[name]) else form.format(row[name])
        for name, form in formats.items()
    }
    if not pd.isna(row["density_low"]):
        numbers["density_per_mm2"] += f" ({row['density_low']:,.0f}–{row['density_high']:,.0f})"
    return list(numbers.values())


def _pictures(run: Run, slide: Slide, names: Sequence[str], *, min_score: float) -> dict[str, Any]:
    painter = NucleusPainter(label_uncertain(run.nuclei(), min_score), run.scheme)
    grid = grid_over(run, _OVERLAY_PX)
    overlay = paint_nuclei(slide, grid, painter, run.scheme.ids_of(names))
    return {
        "thumbnail": _thumbnail(run, slide),
        "overlay": jpeg_url(overlay),
        "overlay_width": f"{grid.width * grid.mpp:,.0f} µm",
        "crop_um": CROP_UM,
        "gallery": [
            {
                "name": name,
                "colour": run.scheme.colours[name],
                "rows": list(_crop_rows(run, Selection((name,), min_score), slide)),
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
    return jpeg_url(np.asarray(picture))


def _crop_rows(run: Run, selection: Selection, slide: Slide) -> Iterator[dict[str, Any]]:
    """Give the nuclei of a class with the highest scores, then those with the lowest."""
    catalog = run.catalog()
    certain = by_certainty(catalog, selection, _CROPS, most=True)
    shown = certain["nucleus_id"].tolist()
    uncertain = by_certainty(catalog, selection, _CROPS, most=False, without=shown)
    for title, chosen in (("most certain", certain), ("least certain", uncertain)):
        pictures = crop_nuclei(slide, run.facts.question.slide_mpp, chosen, run.scheme)
        crops = [
            {"nucleus_id": number, "score": f"{score:.2f}", "picture": jpeg_url(rgb)}
            for number, score, rgb in zip(
                chosen["nucleus_id"], chosen["class_score"], pictures, strict=True
            )
        ]
        if crops:
            yield {"title": title, "crops": crops}
