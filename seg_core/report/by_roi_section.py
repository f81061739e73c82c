"""What the report says of each ROI that lies in what is counted."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from seg_core.digits import in_digits
from seg_core.errors import counted
from seg_core.report.document import Block, Heading, Table, Words
from seg_core.roi import Roi
from seg_core.scoring import Part, Statistics, parts_of
from seg_core.store import Run

MOST_ROIS = 50
"""So many have a place in a report; counting takes a moment for each."""

_UM2_PER_MM2 = 1e6

# A union of outlines is the sum of its parts to within rounding.
_SAME_PX = 1.0


def rois_in(run: Run, rois: Sequence[Roi], part: Part) -> list[Part]:
    """Return the ROIs that lie in the counted part; none where it is one of them and no more.

    Parameters
    ----------
    run : Run
    rois : sequence of Roi
        Of the slide.
    part : Part
    """
    whole = part.polygon
    parts = [
        each
        for each in parts_of(run, rois)[1:]
        if not each.polygon.is_empty and each.polygon.difference(whole).area < _SAME_PX
    ]
    is_all = len(parts) == 1 and whole.difference(parts[0].polygon).area < _SAME_PX
    return [] if is_all else parts


def by_roi_blocks(statistics: Sequence[Statistics], *, left: int) -> Iterator[Block]:
    """Give counts and densities of each ROI, class by class; nothing where there is none.

    Parameters
    ----------
    statistics : sequence of Statistics
        Of the parts of `rois_in`, `MOST_ROIS` at most.
    left : int
        How many more of them there are.
    """
    if not statistics:
        return
    density = "per mm²" if all(each.no_interval for each in statistics) else "per mm² (95 %)"
    yield Heading("By ROI")
    yield Table(
        titles=["ROI", "tissue, mm²", "class", "nuclei", "share", density],
        rows=[_row(each, row) for each in statistics for row in each.classes.to_dict("records")],
        numbers=[False, True, False, True, True, True],
        widths=[28, 13, 18, 10, 10, 21],
    )
    if left:
        yield Words(
            f"And {counted(left, 'more ROI')}; the CSV of the nuclei names the ROIs of each."
        )


def density_in_words(row: Mapping[Hashable, Any]) -> str:
    """Return the density of a class with its interval, as far as they are known.

    Parameters
    ----------
    row : mapping
        Of `seg_core.scoring.Statistics.classes`.
    """
    density, low, high = (row[f"density_{name}"] for name in ("per_mm2", "low", "high"))
    interval = "" if pd.isna(low) else f" ({in_digits(low)}–{in_digits(high)})"
    return "–" if pd.isna(density) else in_digits(density) + interval


def _row(of: Statistics, row: Mapping[Hashable, Any]) -> list[str]:
    return [
        of.part.name,
        "–" if of.tissue_um2 is None else f"{of.tissue_um2 / _UM2_PER_MM2:.4g}",
        row["class_name"],
        f"{row['count']:,}",
        "–" if pd.isna(row["share"]) else f"{100 * row['share']:.1f} %",
        density_in_words(row),
    ]
