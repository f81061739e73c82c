"""A cohort as one document, HTML or PDF: who is in it, how groups differ, every slide, what went wrong."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seg_core.cohort.catalog import RunCatalog
from seg_core.cohort.columns import USUAL_MEASURES, groupings_of, measures_of, title_of
from seg_core.cohort.compare import (
    METHOD,
    by_patient,
    compare_groups,
    reasons_in_words,
    slides_of,
)
from seg_core.cohort.journal import Journal
from seg_core.cohort.plan import items_called
from seg_core.cohort.run_rows import is_scored
from seg_core.cohort.settings_words import settings_in_words
from seg_core.cohort.til_maps import MAP_WORDS, map_of, mosaic
from seg_core.digits import in_digits, in_percent
from seg_core.errors import CohortError, counted
from seg_core.figures.groups import strips
from seg_core.files.atomic import new_file, new_text_file
from seg_core.minus import with_minus
from seg_core.report.document import (
    Block,
    Document,
    Facts,
    Heading,
    Picture,
    Plots,
    Section,
    Table,
    Words,
)
from seg_core.report.html import html_of
from seg_core.samples import sample_note
from seg_core.store import Store

_FOR_RESEARCH = "For research only; nothing here is a diagnosis."

_NONE = "–"

_MOST_PIXEL_SIZES = 4

_LEFT_OUT = "something of the file of its ROIs was left out."


def cohort_document(
    store: Path,
    name: str,
    *,
    measures: Sequence[str] | None = None,
    by: str = "group",
    anonymous: bool = False,
) -> Document:
    """Gather what there is to say of a cohort as far as it is.

    Parameters
    ----------
    store : Path
    name : str
        Of the cohort.
    measures : sequence of str, optional
        What is compared; by default the TIL score and the densities of lymphocytes.
    by : str
        The column that names the groups.
    anonymous : bool
        Number slides and patients instead of naming them.

    Raises
    ------
    CohortError
        If there is no such cohort, or measures or groups that were asked for are not there.
    """
    table = RunCatalog(Store(store)).cohort(name)
    plan = Journal(store, name).read_plan()
    if anonymous:
        table = _numbered(table, [each.get("note") or "" for each in plan["items"]])
    failed = table[table["state"].isin(["failed", "refused", "removed"])]
    times = table["finished"].dropna()
    sections = [
        Section("The cohort", [_facts(table)]),
        Section("Groups", list(_groups(table, measures, by))),
        Section("Slides", list(_slides(table))),
        *_maps(table, store),
        *_warnings(table),
        Section("Model and settings", list(_settings(plan, table))),
    ]
    return Document(
        title=f"Cohort {name}",
        subtitle=f"{_slides_in(table)} of {_patients(table)}. {_FOR_RESEARCH}",
        warnings=[_without_result(len(failed), table)] if len(failed) else [],
        finished=None if times.empty else str(times.max()),
        sections=sections,
    )


def write_cohort_report(
    store: Path,
    name: str,
    path: Path,
    *,
    measures: Sequence[str] | None = None,
    by: str = "group",
    anonymous: bool = False,
    force: bool = False,
) -> None:
    """Write the report of a cohort.

    Parameters
    ----------
    path : Path
        A PDF if it ends in ``.pdf``, else HTML.
    force : bool
        Replace a file of that name.
    store, name, measures, by, anonymous
        As of `cohort_document`.

    Raises
    ------
    CohortError
        As `cohort_document` does.
    ExportError
        If there is such a file already, or it cannot be written.
    """
    if path.suffix.lower() == ".pdf":
        # it takes a second to import, which whoever writes no PDF need not wait for
        from seg_core.report.pdf import pdf_of

        with new_file(path, force=force) as temporary:
            document = cohort_document(store, name, measures=measures, by=by, anonymous=anonymous)
            temporary.write_bytes(pdf_of(document))
    else:
        with new_text_file(path, force=force) as file:
            document = cohort_document(store, name, measures=measures, by=by, anonymous=anonymous)
            file.write(html_of(document))


def _numbered(table: pd.DataFrame, notes: Sequence[str]) -> pd.DataFrame:
    """Name slides and patients by number, and leave out sentences, which may hold their names.

    Parameters
    ----------
    table : DataFrame
    notes : sequence of str
        What was left out of the file of each slide's ROIs, with the names of both; warnings begin so.
    """
    codes, _names = pd.factorize(table["patient"])
    patients = np.array([None if code < 0 else f"patient {code + 1}" for code in codes], object)
    slides = [f"slide {number}" for number in range(1, len(table) + 1)]
    errors = table["error"].where(table["error"].isna(), "its sentence is in the table of results")
    warnings = [
        f"{_LEFT_OUT}{said.removeprefix(note)}" if note and isinstance(said, str) else said
        for said, note in zip(table["warnings"], notes, strict=True)
    ]
    return table.assign(slide=slides, patient=patients, error=errors, warnings=warnings)


def _patients(table: pd.DataFrame) -> str:
    named = table["patient"].nunique()
    return counted(named, "patient") if named else "patients that the table does not name"


def _slides_in(table: pd.DataFrame) -> str:
    """Return how many slides there are, and how many ROIs of them where those have rows of their own."""
    slides, rois = len({*slides_of(table)}), int(table["roi"].notna().sum())
    return counted(slides, "slide") + (f" with {counted(rois, 'ROI')}" if rois else "")


def _called(table: pd.DataFrame) -> tuple[str, str]:
    """Return what one row is called and what several are: slides, unless ROIs have rows of their own."""
    return items_called(of_rois=bool(table["roi"].notna().any()))


def _without_result(count: int, table: pd.DataFrame) -> str:
    verb = "has" if count == 1 else "have"
    return f"{count:,} of {counted(len(table), *_called(table))} {verb} no result; see Warnings."


def _facts(table: pd.DataFrame) -> Facts:
    states = table["state"].value_counts()
    rows: list[tuple[str, Any]] = [
        (f"{_called(table)[1]} {state}", f"{n:,}") for state, n in states.items()
    ]
    rows.append(("patients named", f"{table['patient'].nunique():,}"))
    for group, part in table.dropna(subset=["group"]).groupby("group"):
        named = part["patient"].nunique()
        told = [*([counted(named, "patient")] if named else []), _slides_in(part)]
        rows.append((f"group {group}", ", ".join(told)))
    rows.append(("tissue", f"{in_digits(table['tissue_mm2'].sum(), 4)} mm²"))
    rows.append(("nuclei", f"{table['nuclei'].sum():,.0f}"))
    return Facts(rows)


def _groups(table: pd.DataFrame, measures: Sequence[str] | None, by: str) -> Iterator[Block]:
    if measures is None:
        known = measures_of(table)
        measures = [each for each in USUAL_MEASURES if each in known]
        if by not in groupings_of(table) or not measures:
            yield Words(
                "Nothing is compared: that needs a column which names at least two groups, and "
                "slides with figures."
            )
            return
        try:
            found = compare_groups(table, measures, group=by)
        except CohortError as error:  # nobody asked for it, and the rest of the report stands
            yield Words(f"Nothing is compared: {error}")
            return
    else:
        found = compare_groups(table, measures, group=by)
    yield Plots(
        [
            ("", strips(by_patient(table, measure, group=by), title_of(measure), by))
            for measure in measures
        ]
    )
    yield Table(
        titles=["measure", "groups", "patients", "medians", "shift", "delta", "p", "adjusted"],
        rows=[_compared(row) for row in found.to_dict("records")],
        numbers=[False, False, True, True, True, True, True, True],
        widths=[18, 18, 9, 13, 18, 17, 8, 11],
    )
    for words in reasons_in_words(found):
        yield Words(words)
    yield Words(METHOD)


def _compared(row: dict[Any, Any]) -> list[str]:
    return [
        *(title_of(row["measure"]), row["groups"], row["patients"], row["medians"]),
        _with_interval(row, "shift", in_digits),
        _with_interval(row, "delta", "{:.2f}".format),
        _p(row["p"]),
        _p(row["p_adjusted"]),
    ]


def _with_interval(row: dict[Any, Any], name: str, form: Callable[[float], str]) -> str:
    value, *ends = (row[each] for each in (name, f"{name}_low", f"{name}_high"))
    if pd.isna(value):
        return _NONE
    if any(pd.isna(end) for end in ends):
        return with_minus(f"{form(value)} (no interval)")
    low, high = map(form, ends)
    return with_minus(f"{form(value)} ({low} to {high})")


def _p(value: float) -> str:
    if pd.isna(value):
        return _NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _slides(table: pd.DataFrame) -> Iterator[Block]:
    rows = [
        [
            *(_text(row[name]) for name in ("slide", "patient", "group", "state")),
            _number(row["nuclei"], "{:,.0f}"),
            _number(row["tissue_mm2"], "{:,.2f}"),
            in_digits(row.get("lymphocyte_per_mm2")),
            _til(row),
            _text(row["phenotype"]),
        ]
        for row in table.to_dict("records")
    ]
    yield Table(
        titles=[
            *("slide", "patient", "group", "state", "nuclei", "tissue, mm²"),
            *("lymphocytes per mm²", "TIL score, % (95 %)", "phenotype"),
        ],
        rows=rows,
        numbers=[False] * 4 + [True] * 4 + [False],
        widths=[20, 11, 15, 10, 9, 9, 13, 16, 12],
    )


def _til(row: dict[Any, Any]) -> str:
    if pd.isna(row["til_pct"]):
        return _NONE
    if pd.isna(row["til_low"]) or pd.isna(row["til_high"]):
        return in_percent(row["til_pct"])
    low, high = in_percent(row["til_low"]), in_percent(row["til_high"])
    return f"{in_percent(row['til_pct'])} ({low}–{high})"


def _maps(table: pd.DataFrame, store: Path) -> Iterator[Section]:
    files = [
        (str(row["slide"]), path)
        for row in table.dropna(subset=["folder"]).to_dict("records")
        if (path := map_of(store / str(row["folder"]), scored=is_scored(row))) is not None
    ]
    if files:
        yield Section(
            "TIL maps",
            [
                Picture(np.asarray(part), "TIL maps of the slides", MAP_WORDS)
                for part in mosaic(files)
            ],
        )


def _warnings(table: pd.DataFrame) -> Iterator[Section]:
    notes = {row["slide"]: sample_note(Path(row["slide_path"])) for row in table.to_dict("records")}
    blocks: list[Block] = [
        Words(note, "note", strong=f"{slide}:") for slide, note in notes.items() if note
    ]
    for row in table.to_dict("records"):
        said = [row[name] for name in ("error", "warnings") if isinstance(row[name], str)]
        if isinstance(row["til_reason"], str):
            said.append(f"No TIL score: {row['til_reason']}")
        if said:
            failed = isinstance(row["error"], str)
            words = Words(
                " ".join(said), "warning" if failed else "note", strong=f"{row['slide']}:"
            )
            blocks.append(words)
    if blocks:
        yield Section("Warnings", blocks)


def _settings(plan: dict[str, Any], table: pd.DataFrame) -> Iterator[Block]:
    model, taught = plan.get("model") or {}, plan.get("classifier")
    used = table[["engine", "precision"]].dropna().drop_duplicates()
    yield Facts(
        [
            ("model", model.get("name", _NONE)),
            ("SHA-256 of the weights", model.get("sha256", _NONE)),
            *([("SHA-256 of the context head", head)] if (head := model.get("context")) else []),
            *(
                [("classes by", "; ".join(said))]
                if (said := list(_classes_by(taught, table)))
                else []
            ),
            ("µm per pixel", _pixel_sizes(table["mpp"].dropna())),
            ("engine used", "; ".join(" ".join(each) for each in used.to_numpy()) or _NONE),
        ]
    )
    sentences = settings_in_words(plan.get("settings") or {})
    if sentences:
        yield Heading("In words")
        yield Words(" ".join(sentences), "plain")


def _classes_by(taught: object, table: pd.DataFrame) -> Iterator[str]:
    """Tell which classifier was to name the nuclei, and which others have named some since."""
    asked = taught if isinstance(taught, dict) else {}
    if asked:
        name, sha256 = (asked.get(each, _NONE) for each in ("name", "sha256"))
        yield f"the taught classifier {name}, SHA-256 {sha256}"
    for name, count in table["classifier"].dropna().value_counts().items():
        if name != asked.get("name"):
            yield f"the taught classifier {name} ({counted(count, 'slide')})"


def _pixel_sizes(mpp: "pd.Series[float]") -> str:
    """Tell what the slides were analysed with; of many sizes the range."""
    found = mpp.map("{:.4g}".format).value_counts()
    if len(found) > _MOST_PIXEL_SIZES:
        return f"{mpp.min():.4g} to {mpp.max():.4g}"
    return (
        "; ".join(f"{size} ({counted(count, 'slide')})" for size, count in found.items()) or _NONE
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) and value else _NONE


def _number(value: float | None, form: str) -> str:
    return _NONE if value is None or pd.isna(value) else form.format(value)


def check_report_path(path: Path) -> None:
    """Refuse a name before hours of work end in a report that cannot be written.

    Raises
    ------
    CohortError
        If it is neither HTML nor PDF, or there is no place for it.
    """
    if path.suffix.lower() not in (".html", ".htm", ".pdf"):
        raise CohortError(f"a report is HTML or PDF; {path.name} ends in neither .html nor .pdf.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise CohortError(
            f"no report can be written into {path.parent}, which is no folder or not yours; give "
            "another name."
        )
