"""The statistics of a part of a slide: counts, densities with intervals, measures, ratios."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from seg_core.classes import ClassScheme, Role
from seg_core.errors import SlideError
from seg_core.nuclei.measures import MEASURES
from seg_core.scoring.counted import Counted, counted_of, told_apart
from seg_core.scoring.parts import Part
from seg_core.scoring.square_counts import count_squares
from seg_core.slide import TissueMask
from seg_core.store import NucleusQueries, Run, Selection
from seg_core.til import INTERVAL_METHOD, Estimate, Grid, ratio_estimate

SQUARE_UM = 250.0
"""Side of the squares that intervals are made of, µm."""

MIN_SQUARES = 20
"""With fewer squares of tissue there is no interval."""

DENSITY_FORMULA = "nuclei / tissue of the part, mm². " + INTERVAL_METHOD.format(
    side=SQUARE_UM, least=MIN_SQUARES
)

_MM2_PER_UM2 = 1e-6

_RATIOS: tuple[tuple[Role, Role], ...] = (
    ("neutrophil", "lymphocyte"),
    ("lymphocyte", "epithelium"),
)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many nuclei of one class there are for each of another.

    Attributes
    ----------
    over, under : str
        Names of the classes.
    value : float or None
        None where there is nothing to divide by.
    """

    over: str
    under: str
    value: float | None

    @property
    def name(self) -> str:
        """Both classes in words."""
        return f"{self.over.capitalize()} / {self.under}"


@dataclass(frozen=True)
class Statistics:
    """The numbers of a part.

    Attributes
    ----------
    part : Part
    tissue_um2 : float or None
        Tissue that densities divide by; None where the slide is needed to measure it, and gone.
    classes : DataFrame
        A row for each name: ``class_name``, ``count``, ``share`` of all nuclei counted,
        ``density_per_mm2`` with its interval ``density_low`` and ``density_high``, and
        ``density_caution``, why the interval is too narrow where it is known to be, or why this name
        alone has none. What cannot be had is NaN.
    measures : DataFrame
        A row for each name and measure; see `seg_core.store.NucleusQueries.describe`.
    ratios : tuple of Ratio
    no_interval : str or None
        Why none of the densities has an interval.
    """

    part: Part
    tissue_um2: float | None
    classes: pd.DataFrame
    measures: pd.DataFrame
    ratios: tuple[Ratio, ...]
    no_interval: str | None

    @property
    def count(self) -> int:
        """Number of nuclei counted."""
        return int(self.classes["count"].sum())

    @property
    def density_per_mm2(self) -> float | None:
        """All nuclei counted per mm² of tissue."""
        return self.count / (self.tissue_um2 * _MM2_PER_UM2) if self.tissue_um2 else None


def describe_part(
    queries: NucleusQueries,
    part: Part,
    scheme: ClassScheme,
    *,
    tissue: TissueMask | None,
    tissue_um2: float | None = None,
    min_score: float = 0.0,
    other: bool = False,
    told: ClassScheme | None = None,
) -> Statistics:
    """Count and describe the nuclei of a part.

    Parameters
    ----------
    queries : NucleusQueries
    part : Part
    scheme : ClassScheme
    tissue : TissueMask or None
        None where the slide is no longer there: then there are no intervals.
    tissue_um2 : float, optional
        Tissue of the part for that case, if it is known from elsewhere.
    min_score : float
        Nuclei with a lower class score count as *uncertain*, in a row of their own.
    other : bool
        Also count the nuclei that no class names, in a last row. By default they are not counted,
        and shares are of the others.
    told : ClassScheme, optional
        The classes that whoever named the nuclei tells apart, of which there are ratios: those of
        ``scheme`` by default.

    Returns
    -------
    statistics : Statistics
    """
    names = scheme.counted_names(other=other, uncertain=min_score > 0)
    selection = Selection(names, min_score, part.limit)
    counts = queries.counts(selection)
    if tissue is not None:
        tissue_um2 = float(tissue.coverage(part.polygon).sum() * tissue.raster.mpp**2)
    total = sum(counts.values())
    mm2 = tissue_um2 * _MM2_PER_UM2 if tissue_um2 else np.nan
    count = np.array([counts[name] for name in names], dtype=np.int64)
    classes = pd.DataFrame(
        {
            "class_name": names,
            "count": count,
            "share": count / total if total else np.nan,
            "density_per_mm2": count / mm2,
        }
    )
    intervals, no_interval = _intervals(queries, selection, part, tissue)
    return Statistics(
        part=part,
        tissue_um2=tissue_um2,
        classes=pd.concat([classes, intervals], axis=1),
        measures=queries.describe(selection, list(MEASURES)),
        ratios=tuple(_ratios(counts, told or scheme)),
        no_interval=no_interval,
    )


def describe_run(run: Run, counted: Counted | None = None) -> Statistics:
    """Count and describe the nuclei of a run; without its slide there are no intervals.

    Parameters
    ----------
    run : Run
    counted : Counted, optional
        By default all nuclei that a class names, less what the ROIs that are kept with the slide leave
        out.
    """
    counted = counted or counted_of(run)
    (statistics,) = describe_parts(run, counted, [counted.part])
    return statistics


def describe_parts(run: Run, counted: Counted, parts: Sequence[Part]) -> list[Statistics]:
    """Count and describe what counts in each of several parts of a run; its tissue is found once.

    Parameters
    ----------
    run : Run
    counted : Counted
        Says from which score on nuclei count, and whether *other* do.
    parts : sequence of Part
    """
    try:
        tissue = run.tissue()
    except SlideError:
        tissue = None
    queries, told = run.nucleus_queries(), told_apart(run)
    return [
        describe_part(
            queries,
            part,
            run.scheme,
            tissue=tissue,
            tissue_um2=run.facts.tissue_um2 if part.everything else None,
            min_score=counted.min_score,
            other=counted.other,
            told=told,
        )
        for part in parts
    ]


def tissue_of(run: Run, part: Part) -> float | None:
    """Return the tissue of a part of a run, µm², which densities divide by; None without the slide."""
    if part.everything:
        return run.facts.tissue_um2
    try:
        tissue = run.tissue()
    except SlideError:
        return None
    return float(tissue.coverage(part.polygon).sum() * tissue.raster.mpp**2)


def measure_columns(statistics: Statistics) -> pd.DataFrame:
    """Return the statistics with a row for each name and a column for each figure.

    Columns are those of `Statistics.classes`, then ``mean_``, ``sd_``, ``q1_``, ``median_`` and
    ``q3_`` of each measure (``mean_area_um2`` and so on).
    """
    figures = ["mean", "sd", "q1", "median", "q3"]
    wide = statistics.measures.pivot_table(
        index="class_name", columns="measure", values=figures, sort=False
    )
    order = [(figure, measure) for measure in MEASURES for figure in figures]
    wide = wide.reindex(columns=pd.MultiIndex.from_tuples(order))
    wide.columns = pd.Index([f"{figure}_{measure}" for figure, measure in order])
    return statistics.classes.join(wide, on="class_name")


def cautions_in_words(statistics: Statistics) -> Iterator[str]:
    """Give a sentence for each name of which the interval is too narrow, or alone is missing."""
    for _, row in statistics.classes.iterrows():
        if row["density_caution"]:
            yield f"{row['class_name']}: {row['density_caution']}"


def _ratios(counts: dict[str, int], scheme: ClassScheme) -> Iterator[Ratio]:
    """Give the ratios of the roles that the model tells apart, in the words of its classes."""
    for roles in _RATIOS:
        over, under = (scheme.names_of_role(role) for role in roles)
        if over and under:
            top, bottom = (sum(counts[name] for name in names) for names in (over, under))
            yield Ratio(" + ".join(over), " + ".join(under), top / bottom if bottom else None)


def _intervals(
    queries: NucleusQueries, selection: Selection, part: Part, tissue: TissueMask | None
) -> tuple[pd.DataFrame, str | None]:
    """Return the interval of each name's density and cautions, and why there are none."""
    names = selection.names
    if tissue is None:
        nothing = [Estimate(None)] * len(names)
        reason = "the slide is no longer where it was, so its tissue cannot be looked at."
        return _interval_columns(nothing), reason
    squares = count_squares(queries, selection, part, tissue, SQUARE_UM)
    rows, columns = np.indices(squares.tissue_um2.shape)
    grid = Grid(rows.ravel(), columns.ravel(), SQUARE_UM)
    mm2 = squares.tissue_um2.ravel() * _MM2_PER_UM2
    estimates = [
        ratio_estimate(squares.counts[name].ravel(), mm2, grid, min_squares=MIN_SQUARES)
        for name in names
    ]
    if any(each.low is not None for each in estimates):
        return _interval_columns(estimates), None
    # a name without nuclei has a reason of its own, which is not that of the others
    told = min(estimates, key=lambda each: not each.value).reason
    return _interval_columns([replace(each, reason=None) for each in estimates]), told


def _interval_columns(estimates: Sequence[Estimate]) -> pd.DataFrame:
    ends = pd.DataFrame(
        [(each.low, each.high) for each in estimates],
        columns=["density_low", "density_high"],
        dtype=np.float64,
    )
    return ends.assign(density_caution=[_caution(each) for each in estimates])


def _caution(density: Estimate) -> str:
    """Say what must be known of an interval, or why there is none; nothing of what was not found."""
    if density.reason is None or not density.value:
        return density.caution or ""
    return f"no interval: {density.reason}"
