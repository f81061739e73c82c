"""What the report of a run says, whatever it is written as."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from seg_core.classes import OTHER
from seg_core.figures.nuclei import density_bars, measure_histogram
from seg_core.geometry import Raster
from seg_core.model.card import card_of_weights
from seg_core.nuclei import MEASURES, label_uncertain
from seg_core.picture.crops import CROP_UM, by_certainty, crop_nuclei
from seg_core.picture.nucleus_painting import NucleusPainter
from seg_core.picture.slide_overlay import draw_roi, grid_over, paint_nuclei
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
from seg_core.report.til_section import til_section
from seg_core.roi import roi_of_region
from seg_core.scoring import (
    DENSITY_FORMULA,
    Statistics,
    cautions_in_words,
    describe_run,
    measure_columns,
)
from seg_core.slide import Slide
from seg_core.store import Run, Selection
from seg_core.store.chosen import chosen_names
from seg_core.til import AssessedPart

_THUMBNAIL_PX, _OVERLAY_PX = 900, 1600

_CROPS = 8

# What a card says of the measuring, and of settings that are not those it ships with.
_HOW_MEASURED = {
    *("interval95", "bootstrap", "protocol", "settings", "scanned", "faster", "inference_extras"),
    *("votes", "first_generation"),
}

_UM2_PER_MM2 = 1e6


def report_content(
    run: Run,
    slide: Slide,
    *,
    other: bool,
    min_score: float,
    assessed: Sequence[AssessedPart],
    anonymous: bool,
    more: Sequence[Section] = (),
) -> Document:
    """Gather what there is to say of a run; its table of nuclei is held in memory.

    Parameters
    ----------
    run : Run
    slide : Slide
        Of the run.
    other : bool
        Also count and show the nuclei that no class names.
    min_score : float
        Nuclei with a lower class score are shown and counted as *uncertain*.
    assessed : sequence of AssessedPart
        TIL scores to tell of: of all that was analysed, then of ROIs.
    anonymous : bool
        Leave out the name of the slide.
    more : sequence of Section
        To stand before the gallery.

    Raises
    ------
    SlideError
        If the slide cannot be read.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    names = chosen_names(run, other=other, min_score=min_score)
    facts = run.facts
    til = til_section(assessed, slide)
    return Document(
        title=f"Nuclei of {'a slide' if anonymous else run.slide_path.name}",
        subtitle=f"Run {run.run_id}, finished {facts.finished}. For research only; nothing here is "
        "a diagnosis.",
        warnings=facts.warnings,
        finished=facts.finished,
        sections=[
            Section("Where", [Beside(_thumbnail(run, slide), _slide_facts(run))]),
            Section(
                "Counts and densities",
                list(_figures(run, names, other=other, min_score=min_score)),
            ),
            Section("The analysed part", [_overlay(run, slide, names, min_score)]),
            *([] if til is None else [til]),
            *more,
            Section("Gallery", list(_gallery(run, slide, names, min_score))),
            Section("Model", list(_model(run))),
            Section("Settings", [_settings(run)]),
        ],
    )


def _slide_facts(run: Run) -> Facts:
    question, info = run.facts.question, run.facts.slide
    region = question.region
    return Facts(
        [
            ("size", f"{info.width:,} × {info.height:,} pixels"),
            ("µm per pixel", f"{question.slide_mpp:g}"),
            ("format", info.vendor or "ordinary image"),
            ("magnification", "unknown" if info.objective_power is None else info.objective_power),
            ("analysed part", f"{region.width:,} × {region.height:,} pixels"),
            ("its corner", f"x {region.x:,}, y {region.y:,}"),
            ("ROI", "none" if run.roi is None else run.roi.name),
            ("its area", f"{question.area_um2 / _UM2_PER_MM2:.4g} mm²"),
            ("tissue in it", f"{run.facts.tissue_um2 / _UM2_PER_MM2:.4g} mm²"),
        ]
    )


def _figures(run: Run, names: Sequence[str], *, other: bool, min_score: float) -> Iterator[Block]:
    statistics = describe_run(run, min_score=min_score, other=other)
    area = MEASURES["area_um2"]
    areas = run.nucleus_queries().histogram(Selection(tuple(names), min_score), area.column)
    yield Words(_counted_in_words(run, other=other, min_score=min_score))
    yield _class_table(run, statistics)
    yield Words(
        " ".join(
            f"{ratio.name}: {'–' if ratio.value is None else f'{ratio.value:.2f}'}."
            for ratio in statistics.ratios
        )
    )
    no_interval = statistics.no_interval
    yield Words(f"Density = {DENSITY_FORMULA}" + (f" Here, {no_interval}" if no_interval else ""))
    yield from (Words(each) for each in cautions_in_words(statistics))
    yield Plots(
        [
            ("", density_bars(statistics.classes, run.scheme)),
            ("", measure_histogram(areas, run.scheme, area)),
        ]
    )


def _counted_in_words(run: Run, *, other: bool, min_score: float) -> str:
    facts = run.facts
    kind = "tissue" if facts.question.settings.tissue_only else "the analysed part"
    of_no_class = "Nuclei of no class (other) are counted."
    if not other:
        count = run.nucleus_queries().counts(Selection((OTHER,)))[OTHER]
        of_no_class = f"Nuclei of no class (other, {count:,}) are not counted."
    sentences = [
        f"Densities divide by {facts.tissue_um2 / _UM2_PER_MM2:.4g} mm² of {kind}.",
        of_no_class,
    ]
    sentences += run.said_since()
    if min_score:
        sentences.append(f"Nuclei with a class score below {min_score:g} count as uncertain.")
    return " ".join(sentences)


def _class_table(run: Run, statistics: Statistics) -> Table:
    rows = measure_columns(statistics).to_dict("records")
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


def _thumbnail(run: Run, slide: Slide) -> Picture:
    picture = Image.fromarray(slide.thumbnail(_THUMBNAIL_PX))
    bounds = slide.info.bounds
    step = bounds.width / picture.width
    grid = Raster(bounds, mpp=step * run.facts.question.slide_mpp, downsample=step)
    draw_roi(picture, (run.roi or roi_of_region(run.region)).polygon, grid)
    return Picture(
        np.asarray(picture),
        "The slide with the analysed part",
        "The slide; the analysed part is framed.",
    )


def _overlay(run: Run, slide: Slide, names: Sequence[str], min_score: float) -> Picture:
    painter = NucleusPainter(label_uncertain(run.nuclei(), min_score), run.scheme)
    grid = grid_over(run, _OVERLAY_PX)
    return Picture(
        paint_nuclei(slide, grid, painter, run.scheme.ids_of(names)),
        "Outlines of the nuclei, coloured by class",
        f"{grid.width * grid.mpp:,.0f} µm across.",
        [(name, run.scheme.colours[name]) for name in names],
    )


def _gallery(run: Run, slide: Slide, names: Sequence[str], min_score: float) -> Iterator[Block]:
    yield Words(
        "Nuclei with the highest and the lowest class score (their share of the vote of the "
        f"pixels); each picture is {CROP_UM} µm across."
    )
    for name in names:
        yield Heading(name, run.scheme.colours[name])
        rows = list(_crop_rows(run, Selection((name,), min_score), slide))
        for title, crops in rows:
            yield Words(title)
            yield crops
        if not rows:
            yield Words("No such nuclei were found.")


def _crop_rows(run: Run, selection: Selection, slide: Slide) -> Iterator[tuple[str, Crops]]:
    """Give the nuclei of a class with the highest scores, then those with the lowest."""
    queries = run.nucleus_queries()
    certain = by_certainty(queries, selection, _CROPS, most=True)
    shown = certain["nucleus_id"].tolist()
    uncertain = by_certainty(queries, selection, _CROPS, most=False, without=shown)
    for title, chosen in (("most certain", certain), ("least certain", uncertain)):
        pictures: list[RGB] = crop_nuclei(slide, run.facts.question.slide_mpp, chosen, run.scheme)
        crops = [
            Crop(int(number), f"{score:.2f}", rgb)
            for number, score, rgb in zip(
                chosen["nucleus_id"], chosen["class_score"], pictures, strict=True
            )
        ]
        if crops:
            yield title, Crops(crops)


def _model(run: Run) -> Iterator[Block]:
    question = run.facts.question
    rows: list[tuple[str, Any]] = [
        ("name", question.model),
        ("SHA-256 of the weights", question.model_sha256),
    ]
    card = card_of_weights(question.model_sha256)
    if card is None:
        yield Facts([*rows, ("card", "is not among this program's weights")])
        return
    rows += [
        *(("title", card.title), ("licence", card.licence), ("data", card.data)),
        ("µm per pixel", f"{card.mpp:g}"),
    ]
    yield Facts(rows)
    metrics = list(_flat(card.metrics))
    if metrics:
        yield Heading("Figures of its card")
        yield Facts(metrics)
        yield Words(
            "In brackets 95 % intervals. The card has more: how it was measured, confusions."
        )


def _flat(
    metrics: dict[str, Any], intervals: dict[str, Any] | None = None, above: str = ""
) -> Iterator[tuple[str, str]]:
    """Give the figures of a card by their names, with their intervals where it has them."""
    own = metrics.get("interval95", intervals) or {}
    for name, value in metrics.items():
        interval = own.get(name)
        if isinstance(value, dict):
            if name not in _HOW_MEASURED:
                yield from _flat(value, interval, f"{above}{name}: ")
        elif isinstance(interval, list):
            yield f"{above}{name}", f"{value} ({interval[0]}–{interval[1]})"
        elif value is not None and not isinstance(value, list):
            yield f"{above}{name}", str(value)


def _settings(run: Run) -> Facts:
    facts = run.facts
    return Facts(
        [
            *(("engine used", facts.engine), ("precision used", facts.precision)),
            *facts.question.settings.to_json().items(),
            *((f"version of {name}", number) for name, number in facts.versions.items()),
        ]
    )
