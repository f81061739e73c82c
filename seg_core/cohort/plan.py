"""Which slides belong to a cohort, and what is known of them beside their pixels."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from seg_core.errors import CohortError, RegionError, SlideError
from seg_core.roi import Roi, included, read_rois
from seg_core.settings import AnalysisSettings
from seg_core.slide import SLIDE_SUFFIXES, bounds_of

SLIDE, MPP, ROI, PATIENT, GROUP = "slide", "mpp", "roi", "patient", "group"

_ROW_OF_FIRST_SLIDE = 2  # a table's first row names its columns


@dataclass(frozen=True)
class Item:
    """One slide, or one ROI of it: what becomes one run.

    Attributes
    ----------
    slide : Path
    mpp : float or None
        Size of a level-0 pixel, µm, where the table gives it.
    roi : Roi or None
    patient, group : str or None
    columns : dict of str
        All other columns of the table, as they stand there.
    problem : str or None
        Why nothing can be analysed, where that is known before.
    """

    slide: Path
    mpp: float | None = None
    roi: Roi | None = None
    patient: str | None = None
    group: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def name(self) -> str:
        """What a person calls it: the slide's file and the ROI, if there is one."""
        return self.slide.name if self.roi is None else f"{self.slide.name}, {self.roi.name}"

    def key(
        self, model_sha256: str, settings: AnalysisSettings, classifier_sha256: str | None = None
    ) -> str:
        """Return sixteen hexadecimal digits: another file, question, model or classifier has others."""
        asked = {
            "slide": str(self.slide),
            "file": _file_stamp(self.slide),
            "mpp": self.mpp,
            "roi": None if self.roi is None else self.roi.polygon.wkb_hex,
            "problem": self.problem,
            "model": model_sha256,
            "settings": settings.to_json(),
        }
        if classifier_sha256 is not None:
            asked["classifier"] = classifier_sha256
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
        }


def read_plan(sources: Sequence[Path], *, rois: Path | None = None) -> list[Item]:
    """Return the items of folders, tables and slides, in their order.

    Parameters
    ----------
    sources : sequence of Path
        A folder stands for all slides in it and in its folders. A ``.csv`` has a row a slide: its
        column ``slide`` names the file, from the table's own folder on; ``mpp`` (µm), ``roi``
        (a GeoJSON file), ``patient`` and ``group`` may be there, other columns are kept. Anything
        else is a slide.
    rois : Path, optional
        GeoJSON polygons for each slide that has none of its own.

    Raises
    ------
    CohortError
        If there is no slide, a table makes no sense or a slide is named twice.
    """
    items = [item for source in sources for item in _items_of(source)]
    if not items:
        raise CohortError(
            f"there is no slide in {', '.join(map(str, sources))}; give a folder of slides "
            f"({', '.join(sorted(SLIDE_SUFFIXES))}), a CSV with a column slide, or slides."
        )
    if rois is not None:
        items = [
            part
            for item in items
            for part in ([item] if item.roi or item.problem else _with_rois(item, rois))
        ]
    _refuse_repeated(items)
    return items


def _items_of(source: Path) -> Iterator[Item]:
    if source.is_dir():
        yield from map(Item, _slides_in(source))
    elif source.suffix.lower() == ".csv":
        yield from _items_of_table(source)
    else:
        yield Item(source.absolute())


def _slides_in(folder: Path) -> list[Path]:
    """Return the slides below a folder; one of several DICOM files is the folder that holds them."""
    files = (
        path
        for path in folder.absolute().rglob("*")
        if path.suffix.lower() in SLIDE_SUFFIXES and not path.name.startswith(".")
    )
    # Any one of a series' files opens the whole series, so the first stands for it.
    first: dict[Path, Path] = {}
    for path in sorted(files):
        first.setdefault(path.parent if path.suffix.lower() == ".dcm" else path, path)
    return sorted(first.values())


def _items_of_table(path: Path) -> Iterator[Item]:
    table = _read_table(path)
    others = [name for name in table.columns if name not in {SLIDE, MPP, ROI, PATIENT, GROUP}]
    for number, row in enumerate(table.to_dict("records"), start=_ROW_OF_FIRST_SLIDE):
        if not row[SLIDE]:
            raise CohortError(
                f"row {number} of {path.name} names no slide; fill it in or remove it."
            )
        item = Item(
            slide=(path.parent / row[SLIDE]).absolute(),
            mpp=_mpp(row.get(MPP, ""), number, path),
            patient=row.get(PATIENT) or None,
            group=row.get(GROUP) or None,
            columns={str(name): row[name] for name in others},
        )
        if roi := row.get(ROI):
            yield from _with_rois(item, path.parent / roi)
        else:
            yield item


def _read_table(path: Path) -> pd.DataFrame:
    try:
        text = path.read_text("utf-8-sig")
        # spreadsheets of some languages write semicolons; the first row names the columns
        separator = max(",;\t", key=text.partition("\n")[0].count)
        table = pd.read_csv(StringIO(text), dtype=str, keep_default_na=False, sep=separator)
    except (OSError, ValueError) as error:
        raise CohortError(
            f"{path.name} cannot be read as a CSV ({error}); save the table as CSV in UTF-8."
        ) from error
    table.columns = table.columns.str.strip()
    if SLIDE not in table.columns:
        raise CohortError(
            f"{path.name} has the columns {', '.join(table.columns)} and none called slide; "
            "name the column with the files slide."
        )
    return table.apply(lambda column: column.str.strip())


def _mpp(text: str, number: int, path: Path) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value > 0:
        return value
    raise CohortError(
        f"row {number} of {path.name} has the mpp {text!r}; give the size of a pixel in µm, "
        "for instance 0.25, or leave it empty."
    )


def _with_rois(item: Item, path: Path) -> Iterable[Item]:
    """Return one item for each ROI to include, less what is to be left out, as `analyse --roi` does.

    A file that cannot be read is the item's problem. A slide that cannot be opened says so when its
    turn comes.
    """
    try:
        drawn = read_rois(path)
        try:
            bounds = bounds_of(item.slide)
        except SlideError:
            rois = [roi for roi in drawn if roi.kind == "include"]
        else:
            rois = included([roi.moved(bounds.x, bounds.y) for roi in drawn], bounds)
    except RegionError as error:
        return [replace(item, problem=str(error))]
    if not rois:
        sentence = f"{path.name} holds no ROI to include; draw at least one and export it."
        return [replace(item, problem=sentence)]
    return [replace(item, roi=roi) for roi in rois]


def _refuse_repeated(items: Iterable[Item]) -> None:
    seen: set[tuple[Path, bytes | None]] = set()
    for item in items:
        asked = (item.slide, None if item.roi is None else item.roi.polygon.wkb)
        if asked in seen:
            raise CohortError(
                f"{item.name} is named twice; a cohort has each slide, or each ROI of it, once."
            )
        seen.add(asked)


def _file_stamp(path: Path) -> tuple[int, int] | None:
    """Return what changes when a file is replaced; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
