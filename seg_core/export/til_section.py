"""The part of the report that tells of the TIL scores."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from seg_core.export.crops import jpeg_url
from seg_core.export.figures import til as figures
from seg_core.export.figures.style import to_html
from seg_core.export.til_pictures import draw_map
from seg_core.slide import Slide
from seg_core.til import DISCLAIMER, AssessedPart, TilResult
from seg_core.til.table import in_digits, score_table
from seg_core.til.wording import basis_in_words, doubt_in_words, interval_in_words

_MAP_PX = 900


def til_section(assessed: Sequence[AssessedPart], slide: Slide) -> dict[str, Any] | None:
    """Return what ``til.html`` shows of the parts of a run; the first is told in full.

    Parameters
    ----------
    assessed : sequence of AssessedPart
        None where no TIL scores are wanted.
    slide : Slide
    """
    if not assessed or assessed[0].result is None:
        return None
    first, result = assessed[0], assessed[0].result
    score = result.stil_area_pct
    return {
        "disclaimer": DISCLAIMER,
        "value": None if score.value is None else f"{score.value:.2f} %",
        "interval": interval_in_words(score),
        "band": result.stil_band,
        "reason": result.reason,
        "basis": basis_in_words(result, first.name),
        "doubt": doubt_in_words(result),
        "by_part": [_row(part) for part in assessed] if len(assessed) > 1 else [],
        "square": f"{result.settings.square_um:g}",
        "map": _map(result, slide) if result.evaluable else None,
        "plots": list(_plots(result)) if result.evaluable else [],
        "scores": [
            {**row, **{name: in_digits(row[name]) for name in ("value", "low", "high")}}
            for row in score_table(result).to_dict("records")
        ],
    }


def _map(result: TilResult, slide: Slide) -> str:
    return jpeg_url(np.asarray(draw_map(result, slide, "stil", _MAP_PX)))


def _row(part: AssessedPart) -> dict[str, str]:
    row = dict.fromkeys(
        ("value", "interval", "band", "tissue", "stroma", "density", "phenotype"), "–"
    )
    row |= {"name": part.name, "note": part.reason or ""}
    result = part.result
    if result is None:
        return row
    row |= {name: f"{result.areas_mm2[name]:.3g}" for name in ("tissue", "stroma")}
    score = result.stil_area_pct
    if score.value is not None:
        density = result.density_per_mm2["stroma"].value
        row |= {
            "value": f"{score.value:.2f}",
            "band": result.stil_band or "–",
            "density": in_digits(density),
            "phenotype": result.phenotype.name or "–",
        }
    if score.low is not None:
        row["interval"] = f"{score.low:.2f} to {score.high:.2f}"
    return row


def _plots(result: TilResult) -> list[dict[str, str]]:
    plots = [
        ("Squares by their score; dashed: the whole", figures.square_distribution(result)),
        ("Score at other dilations; dashed: as set", figures.dilation_curve(result)),
        (
            "Distance of lymphocytes to epithelium; dashed: the median",
            figures.distance_histogram(result),
        ),
    ]
    if result.cross.reason is None:
        plots.append(("Lymphocytes around epithelium", figures.cross_l_curve(result)))
    return [
        {"title": title, "html": to_html(figure, with_library=False)} for title, figure in plots
    ]
