"""What the report of a run says, whatever it is written as."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import shapely
from PIL import Image

from seg_core.digits import in_digits
from seg_core.errors import capitalised
from seg_core.figures.nuclei import density_bars, measure_histogram
from seg_core.files.names import printable
from seg_core.geometry import Raster
from seg_core.nuclei import MEASURES
from seg_core.picture.crops import CROP_UM, by_certainty, crop_nuclei
from seg_core.picture.nucleus_painting import NucleusPainter
from seg_core.picture.slide_overlay import draw_roi, grid_over, paint_nuclei
from seg_core.report.by_roi_section import MOST_ROIS, by_roi_blocks, density_in_words, rois_in
from seg_core.report.document import (
    RGB,
    Beside,
    Block,
    Crop,
    Crops,
    Document,
    Facts,
    Heading,
    Picture,
    Plots,
    Section,
    Table,
    Words,
)
from seg_core.report.method import model_blocks, program_of, settings_facts
from seg_core.report.til_section import til_section
from seg_core.roi import Roi, roi_of_region
from seg_core.samples import sample_note
from seg_core.scoring import (
    DENSITY_FORMULA,
    Counted,
    Statistics,
    cautions_in_words,
    describe_parts,
    measure_columns,
    named_apart,
    parts_of,
)
from seg_core.slide import Slide
from seg_core.store import Run, Selection
from seg_core.til import AssessedPart

_THUMBNAIL_PX, _OVERLAY_PX = 900, 1600

_CROPS = 10

_UM2_PER_MM2 = 1e6


def report_content(
    run: Run,
    slide: Slide,
    *,
    counted: Counted,
    rois: Sequence[Roi],
    assessed: Sequence[AssessedPart],
    anonymous: bool,
    more: Sequence[Section] = (),
    comment: str = "",
) -> Document:
    """Gather what there is to say of a run; its table of nuclei is held in memory.

    Parameters
    ----------
    run : Run
    slide : Slide
        Of the run.
    counted : Counted
        The nuclei to count and to show.
    rois : sequence of Roi
        What somebody drew on the slide.
    assessed : sequence of AssessedPart
        TIL scores to tell of: of all that was analysed, then of ROIs.
    anonymous : bool
        Leave out the name of the slide.
    more : sequence of Section
        To stand before the gallery.
    comment : str
        What somebody has to say of it, told first.

    Raises
    ------
    SlideError
        If the slide cannot be read.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    facts = run.facts
    til = til_section(assessed, slide)
    return Document(
        title=f"Nuclei of {'a slide' if anonymous else printable(run.slide_path.name)}",
        subtitle=f"Run {run.run_id}, finished {_day(facts.finished)}, by {program_of(run)}. For research "
        "only; nothing here is a diagnosis.",
        warnings=[*map(capitalised, facts.warnings), *filter(None, [sample_note(run.slide_path)])],
        finished=facts.finished,
        sections=[
            *([Section("Comment", [Words(comment, "plain")])] if comment else []),
            Section("Where", [Beside(_thumbnail(run, slide, rois), _slide_facts(run))]),
            *([Section("Regions", [_regions(run, rois, counted)])] if rois else []),
            Section(
                "Counts and densities",
                list(_figures(run, counted, rois)),
            ),
            Section("The analysed part", [_overlay(run, slide, counted)]),
            *([] if til is None else [til]),
            *more,
            Section("Gallery", list(_gallery(run, slide, counted))),
            Section("Model", list(model_blocks(run))),
            Section("Settings", [settings_facts(run)]),
        ],
    )


def _day(finished: str | None) -> str:
    """Return a time as a person writes it, with its zone."""
    if finished is None:
        return "never"
    return f"{datetime.fromisoformat(finished):%d %B %Y, %H:%M %Z}".strip()


def _slide_facts(run: Run) -> Facts:
    question, info = run.facts.question, run.facts.slide
    region = question.region
    return Facts(
        [
            ("size", f"{info.width:,} × {info.height:,} pixels"),
            ("µm per pixel", f"{question.slide_mpp:g}"),
            ("format", info.format_title),
            ("magnification", "unknown" if info.objective_power is None else info.objective_power),
            ("analysed part", f"{region.width:,} × {region.height:,} pixels"),
            ("its corner", f"x {region.x:,}, y {region.y:,}"),
            ("asked as", "a rectangle" if run.roi is None else f"the outline {run.roi.name}"),
            ("its area", f"{question.area_um2 / _UM2_PER_MM2:.4g} mm²"),
            ("tissue in it", f"{run.facts.tissue_um2 / _UM2_PER_MM2:.4g} mm²"),
        ]
    )


def _regions(run: Run, rois: Sequence[Roi], counted: Counted) -> Table:
    """List what somebody drew, how much of it counts, and its nuclei; what is left out counts nowhere."""
    analysed, left = parts_of(run)[0].polygon, parts_of(run, rois)[0].polygon
    names = {id(roi): name for name, roi in named_apart(rois)}
    kinds = {"include": "counted", "tumour": "counted, tumour", "exclude": "left out"}
    return Table(
        titles=["region", "kind", "class", "area, mm²", "counted, mm²", "nuclei"],
        rows=[
            [
                names.get(id(roi), roi.name),
                kinds[roi.kind],
                roi.class_name or "–",
                _in_mm2(roi.polygon, run),
                _in_mm2(place, run) if roi.counts else "–",
                _nuclei_in(place, run, counted),
            ]
            for roi in rois
            for place in [roi.polygon.intersection(left if roi.counts else analysed)]
        ],
        numbers=[False, False, False, True, True, True],
        widths=[29, 17, 17, 12, 14, 11],
    )


def _in_mm2(shape: shapely.Geometry, run: Run) -> str:
    return f"{shape.area * run.slide_mpp**2 / _UM2_PER_MM2:.4g}"


def _nuclei_in(place: shapely.Geometry, run: Run, counted: Counted) -> str:
    """Return how many nuclei lie in a place; where nobody has looked there are not none."""
    if not place.area:
        return "–"
    selection = Selection(counted.names(run), counted.min_score, place)
    return f"{sum(run.nucleus_queries().counts(selection).values()):,}"


def _figures(run: Run, counted: Counted, rois: Sequence[Roi]) -> Iterator[Block]:
    inside = rois_in(run, rois, counted.part)
    parts = [counted.part, *inside[:MOST_ROIS]]
    statistics, *of_rois = describe_parts(run, counted, parts)
    area = MEASURES["area_um2"]
    areas = run.nucleus_queries().histogram(counted.selection(run), area.column)
    yield Words(_counted_in_words(run, counted, statistics.tissue_um2))
    yield _class_table(run, statistics)
    yield Words(" ".join(f"{ratio.name}: {in_digits(ratio.value)}." for ratio in statistics.ratios))
    no_interval = statistics.no_interval
    yield Words(f"Density = {DENSITY_FORMULA}" + (f" Here, {no_interval}" if no_interval else ""))
    yield from (Words(each) for each in cautions_in_words(statistics))
    yield Plots(
        [
            ("", density_bars(statistics.classes, run.scheme)),
            ("", measure_histogram(areas, run.scheme, area)),
        ]
    )
    yield from by_roi_blocks(of_rois, left=len(inside) - len(of_rois))


def _counted_in_words(run: Run, counted: Counted, tissue_um2: float | None) -> str:
    kind = "tissue" if run.facts.question.settings.tissue_only else "the counted part"
    area = "" if tissue_um2 is None else f"{tissue_um2 / _UM2_PER_MM2:.4g} mm² of {kind}"
    divided = (
        f"Densities divide by {area}." if area else "Without the slide there are no densities."
    )
    return " ".join([divided, counted.in_words(run), *run.said_since()])


def _class_table(run: Run, statistics: Statistics) -> Table:
    figures = measure_columns(statistics)
    rows = figures.assign(share=100 * figures["share"]).to_dict("records")
    density = "per mm²" if statistics.no_interval else "per mm² (95 %)"
    measures = ("mean area, µm²", "SD, µm²", "median, µm²")
    return Table(
        titles=["class", "nuclei", "share", density, *measures],
        rows=[[row["class_name"], *_numbers(row)] for row in rows],
        numbers=[False, *[True] * 6],
        widths=[16, 9, 9, 19, 14, 9, 12],
        colours=[run.scheme.colours[row["class_name"]] for row in rows],
    )


def _numbers(row: dict[Any, Any]) -> list[str]:
    written: dict[str, Callable[[float], str]] = {
        "count": "{:,.0f}".format,
        "share": "{:.1f} %".format,
        "density_per_mm2": lambda _: density_in_words(row),
        "mean_area_um2": "{:.1f}".format,
        "sd_area_um2": "{:.1f}".format,
        "median_area_um2": "{:.1f}".format,
    }
    return ["–" if pd.isna(row[name]) else write(row[name]) for name, write in written.items()]


def _thumbnail(run: Run, slide: Slide, rois: Sequence[Roi]) -> Picture:
    picture = Image.fromarray(slide.thumbnail(_THUMBNAIL_PX))
    bounds = slide.info.bounds
    step = bounds.width / picture.width
    grid = Raster(bounds, mpp=step * run.slide_mpp, downsample=step)
    for roi in (run.roi or roi_of_region(run.region), *rois):
        draw_roi(picture, roi.polygon, grid)
    return Picture(
        np.asarray(picture),
        "The slide with the analysed part",
        "The slide; the analysed part and the regions are framed.",
    )


def _overlay(run: Run, slide: Slide, counted: Counted) -> Picture:
    names = counted.names(run)
    painter = NucleusPainter(pd.concat(list(counted.nuclei(run))), run.scheme)
    grid = grid_over(run, _OVERLAY_PX)
    return Picture(
        paint_nuclei(slide, grid, painter, run.scheme.ids_of(names)),
        "Outlines of the nuclei, coloured by class",
        f"{grid.width * grid.mpp:,.0f} µm across.",
        [(name, run.scheme.colours[name]) for name in names],
    )


def _gallery(run: Run, slide: Slide, counted: Counted) -> Iterator[Block]:
    yield Words(
        "Nuclei with the highest and the lowest class score (how sure their class is, 0 to 1); each picture is "
        f"{CROP_UM} µm across."
    )
    without = []
    for name in counted.names(run):
        rows = list(_crop_rows(run, counted.selection(run, (name,)), slide))
        if not rows:
            without.append(name)
            continue
        yield Heading(name, run.scheme.colours[name])
        for title, crops in rows:
            yield Words(title)
            yield crops
    if without:
        yield Words(f"Not found: {', '.join(without)}.")


def _crop_rows(run: Run, selection: Selection, slide: Slide) -> Iterator[tuple[str, Crops]]:
    """Give the nuclei of a class with the highest scores, then those with the lowest."""
    queries = run.nucleus_queries()
    certain = by_certainty(queries, selection, _CROPS, most=True)
    shown = certain["nucleus_id"].tolist()
    uncertain = by_certainty(queries, selection, _CROPS, most=False, without=shown)
    for title, chosen in (("most certain", certain), ("least certain", uncertain)):
        pictures: list[RGB] = crop_nuclei(slide, run.slide_mpp, chosen, run.scheme)
        crops = [
            Crop(int(number), f"{score:.2f}", rgb)
            for number, score, rgb in zip(
                chosen["nucleus_id"], chosen["class_score"], pictures, strict=True
            )
        ]
        if crops:
            yield title, Crops(crops)
