"""Which slides belong to a cohort, and what is known of them beside their pixels."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from seg_core.annotations import read_rois
from seg_core.classes import VoteWeight
from seg_core.cohort.columns import is_unknown
from seg_core.cohort.named_classifier import NamedClassifier
from seg_core.cohort.slide_table import GROUP, KNOWN, MPP, PATIENT, ROI, SLIDE, Row, read_rows
from seg_core.errors import CohortError, RegionError, SlideError, quoted
from seg_core.files.names import listed
from seg_core.geometry import Region
from seg_core.question import model_to_json
from seg_core.roi import Roi, included
from seg_core.settings import AnalysisSettings
from seg_core.slide import (
    PLAUSIBLE_MPP,
    SLIDE_SUFFIXES,
    bounds_of,
    series_apart,
    slides_below,
    whole_of,
)


@dataclass(frozen=True)
class CohortQuestion:
    """What is asked of every slide alike; another question makes other runs.

    Attributes
    ----------
    model : str
        Its name.
    model_sha256 : str
    settings : AnalysisSettings
    classifier : NamedClassifier or None
        Names the nuclei of every slide.
    region : Region or None
        A part of every slide, level-0 pixels; ROIs of the table go before.
    til : bool
        Whether TILs are scored too.
    votes : tuple of VoteWeight or None
        What calibrates the votes of the model's classes, which its card may say anew of the same
        weights.
    context_head : str or None
        Checksum of the model's context head, which may be learnt anew for the same weights too.
    """

    model: str
    model_sha256: str
    settings: AnalysisSettings = field(default_factory=AnalysisSettings)
    classifier: NamedClassifier | None = None
    region: Region | None = None
    til: bool = True
    votes: tuple[VoteWeight, ...] | None = None
    context_head: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what stands in ``cohort.json`` of it."""
        taught = self.classifier
        return {
            "model": model_to_json(self.model, self.model_sha256, self.context_head),
            "settings": self.settings.to_json(),
            "classifier": None
            if taught is None
            else {"name": taught.name, "sha256": taught.sha256},
            "region": None if self.region is None else self.region.to_json(),
            "til": self.til,
        }


@dataclass(frozen=True)
class Item:
    """One slide, or one ROI of it: what becomes one run.

    Attributes
    ----------
    slide : Path
    mpp : float or None
        Size of a level-0 pixel, µm, which wins over what the file says.
    roi : Roi or None
    patient, group : str or None
    columns : dict of str
        All other columns of the table, as they stand there.
    problem : str or None
        Why nothing can be analysed, where that is known before.
    unstated_mpp : float or None
        Size of a level-0 pixel, µm, where ``mpp`` is None and the file says nothing.
    note : str or None
        What was left out of the file of its ROIs.
    """

    slide: Path
    mpp: float | None = None
    roi: Roi | None = None
    patient: str | None = None
    group: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    problem: str | None = None
    unstated_mpp: float | None = None
    note: str | None = None

    def sized(self, mpp: float | None, *, overrides: bool) -> "Item":
        """Return the item with the size of a pixel that was given for the whole cohort.

        Parameters
        ----------
        mpp : float or None
            µm; what the item's own row says goes before.
        overrides : bool
            Whether it wins over what the file says.
        """
        if self.mpp is not None or mpp is None:
            return self
        return replace(self, mpp=mpp) if overrides else replace(self, unstated_mpp=mpp)

    @property
    def name(self) -> str:
        """What a person calls it: the slide's file and the ROI, if there is one."""
        return self.slide.name if self.roi is None else f"{self.slide.name}, {self.roi.name}"

    def key(self, question: CohortQuestion) -> str:
        """Return sixteen hexadecimal digits: another file, row or question has others."""
        asked = {
            "slide": str(self.slide),
            "file": _file_stamp(self.slide),
            "mpp": self.mpp,
            "roi": None if self.roi is None else self.roi.polygon.wkb_hex,
            "problem": self.problem,
            "model": question.model_sha256,
            "settings": question.settings.to_json(),
        }
        # what is not usual is named, so that the usual has the key that it has always had
        if self.unstated_mpp is not None:
            asked["unstated_mpp"] = self.unstated_mpp
        if question.classifier is not None:
            asked["classifier"] = question.classifier.sha256
        if question.region is not None:
            asked["region"] = question.region.to_json()
        if not question.til:
            asked["til"] = False
        if question.votes is not None:
            asked["votes"] = [asdict(each) for each in question.votes]
        if question.context_head is not None:
            asked["context_head"] = question.context_head
        canonical = json.dumps(asked, sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        """Return what stands in ``cohort.json`` of this item."""
        return {
            SLIDE: str(self.slide),
            "name": self.name,
            MPP: self.mpp,
            ROI: None if self.roi is None else self.roi.name,
            PATIENT: self.patient,
            GROUP: self.group,
            "columns": self.columns,
            "note": self.note,
        }


def items_called(*, of_rois: bool) -> tuple[str, str]:
    """Return what one item is called and what several are: slides, unless some are ROIs of slides."""
    return ("analysis", "analyses") if of_rois else ("slide", "slides")


def read_plan(sources: Sequence[Path], *, rois: Path | None = None) -> list[Item]:
    """Return the items of folders, tables and slides, in their order.

    Parameters
    ----------
    sources : sequence of Path
        A folder stands for all slides in it and in its folders, as the Slides page lists them: a
        DICOM series as one. A ``.csv`` has a row a slide: its column ``slide`` names the file, from
        the table's own folder on; ``mpp`` (µm), ``roi`` (a GeoJSON file), ``patient`` and ``group``
        may be there, other columns are kept. Anything else is a slide.
    rois : Path, optional
        GeoJSON polygons for each slide that has none of its own.

    Raises
    ------
    CohortError
        If there is no slide, or a table cannot be read. What is wrong with one row is the `Item.problem`
        of that row.
    """
    items = [item for source in series_apart(sources) for item in _items_of(source)]
    if not items:
        # a table may be an upload, and where those lie is nobody's affair
        names = [str(each) if each.is_dir() else each.name for each in sources]
        raise CohortError(
            f"there is no slide in {listed(names)}; give a folder of slides "
            f"({', '.join(sorted(SLIDE_SUFFIXES))}), a CSV with a column slide, or slides."
        )
    if rois is not None:
        items = [
            part
            for item in items
            for part in ([item] if item.roi or item.problem else _with_rois(item, rois))
        ]
    return list(_told_once(items))


def _items_of(source: Path) -> Iterator[Item]:
    if source.is_dir():
        try:
            yield from map(Item, slides_below(source.absolute()))
        except OSError as error:
            raise CohortError(
                f"{source} cannot be read ({error.strerror}); check your permissions."
            ) from error
    elif source.suffix.lower() == ".csv":
        for row in read_rows(source):
            yield from _items_of_row(row, source)
    elif source.suffix.lower() in SLIDE_SUFFIXES or source.exists():
        yield Item(source.absolute())
    else:
        raise CohortError(f"there is no {source}; check the name.")


def _items_of_row(row: Row, table: Path) -> Iterable[Item]:
    """Return what a row asks for; what is wrong with it is its own problem."""
    cells, here = row.cells, f"row {row.number} of {table.name}"
    item = Item(
        # a row that names no slide is called by its place
        slide=(table.parent / (cells[SLIDE] or here)).absolute(),
        patient=_said(cells.get(PATIENT, "")),
        group=_said(cells.get(GROUP, "")),
        columns={name: cell for name, cell in cells.items() if name not in KNOWN},
    )
    if row.problem is not None:
        return [replace(item, problem=f"{here} {row.problem}")]
    if not cells[SLIDE]:
        return [replace(item, problem=f"{here} names no slide; fill it in or remove the row.")]
    if (text := _said(cells.get(MPP, ""))) is not None:
        mpp = _mpp(text)
        if mpp is None:
            low, high = PLAUSIBLE_MPP
            sentence = (
                f"{here} has the mpp {quoted(text)}; give the size of a pixel in µm, {low:g} to {high:g}, "
                "for instance 0.25, or leave it empty."
            )
            return [replace(item, problem=sentence)]
        item = replace(item, mpp=mpp)
    if (roi := _said(cells.get(ROI, ""))) is None:
        return [item]
    return [
        each if each.problem is None else replace(each, problem=f"{here}: {each.problem}")
        for each in _with_rois(item, table.parent / roi)
    ]


def _said(cell: str) -> str | None:
    return None if is_unknown(cell) else cell


def _mpp(text: str) -> float | None:
    """Return a number as it is written with a point or a comma, None where it is none."""
    low, high = PLAUSIBLE_MPP
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if low <= value <= high else None


def _with_rois(item: Item, path: Path) -> Iterable[Item]:
    """Return one item for each ROI to include, less what is to be left out, as `analyse --roi` does.

    A file that cannot be read is the item's problem. A slide that cannot be opened says so when its
    turn comes.
    """
    left_out: list[str] = []
    try:
        drawn = read_rois(path, left_out.append)
        try:
            bounds = bounds_of(item.slide)
        except SlideError:
            rois = [roi for roi in drawn if roi.counts]
        else:
            rois = included([roi.moved(bounds.x, bounds.y) for roi in drawn], bounds)
    except RegionError as error:
        return [replace(item, problem=str(error))]
    if not rois:
        sentence = f"{path.name} holds no ROI to include; draw at least one and export it."
        return [replace(item, problem=sentence)]
    return [replace(item, roi=roi, note=" ".join(left_out) or None) for roi in rois]


def _told_once(items: Iterable[Item]) -> Iterator[Item]:
    """Give each slide, or each ROI of it, once; that it is named again is a problem of the later row."""
    times: Counter[tuple[tuple[Path, str], bytes | None]] = Counter()
    for item in items:
        outline = None if item.roi is None else item.roi.polygon.wkb
        asked = (whole_of(_place_of(item.slide)), outline)
        times[asked] += item.problem is None
        if item.problem is None and times[asked] > 1:
            sentence = (
                f"{item.name} is named {times[asked]} times; a cohort has each slide, or each ROI of "
                "it, once, and the first counts."
            )
            yield replace(item, problem=sentence)
        else:
            yield item


def _place_of(path: Path) -> Path:
    """Return where a file lies, by whatever name or link it is called."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, or no name of a file
        return path


def _file_stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is replaced; None where there is none."""
    try:
        status = path.stat()
    except (OSError, ValueError):  # the latter of a NUL in a name
        return None
    return status.st_size, status.st_mtime_ns
