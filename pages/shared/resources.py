"""What all sessions share and what is worth keeping; the only place with Streamlit's caches.

What depends on a file is kept by its path and time of change, so a replaced file is read anew; what
depends on the names of a run's nuclei by their version too, so that corrections and classifiers, of
any process, are seen at once.
All is shared as it is, by pages and tile routes alike: nobody may write into it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
import streamlit as st
from PIL import Image, ImageOps

from pages.shared import singletons
from pages.shared.evaluation_files import painter_of_outcomes
from pages.shared.slide_shelf import SlideShelf
from seg_core.classes import ClassScheme
from seg_core.cohort.catalog import RunCatalog
from seg_core.cohort.journal import OUTCOMES_FILE, PLAN_FILE, Journal
from seg_core.errors import SlideError
from seg_core.geometry import Raster
from seg_core.labelled.slide_reference import SlideReference, read_slide_reference
from seg_core.nuclei.index import NucleusIndex
from seg_core.nuclei.names import Names
from seg_core.picture.crops import by_certainty, crop_nuclei
from seg_core.picture.encoding import encode_jpeg, url_of_jpeg
from seg_core.picture.nucleus_painting import NucleusPainter
from seg_core.picture.outline_squares import OutlineSquares
from seg_core.picture.til_painting import backdrop_of
from seg_core.picture.uncounted import Uncounted
from seg_core.roi import Roi
from seg_core.scoring import Part, Statistics, counted_of, describe_part, told_apart
from seg_core.slide import (
    Slide,
    SlideQuality,
    StainFit,
    TissueMask,
    assess_quality,
    find_tissue,
    fit_stain,
    forget_decoded,
    open_slide,
    slide_id,
)
from seg_core.store import NucleusQueries, Run, RunMaps, Selection, Store, default_store, open_run
from seg_core.store.answer import ANSWER_FILE
from seg_core.store.journal import JOURNAL_FILE
from seg_core.store.rois import ROI_FILE
from seg_core.teaching.features import FEATURE_GROUPS
from seg_core.teaching.known import Known

# What is equal has one entry, whichever object says it.
_BY_VALUE: dict[type | str, Callable[[Any], Any]] = {
    type(Path()): os.fsencode,  # a name may hold bytes that are no letters
    Part: lambda part: (part.name, part.polygon.wkb, part.everything),
    Selection: lambda selection: (
        *(selection.names, selection.min_score, selection.scores, selection.areas_um2),
        *(selection.ids, selection.part and selection.part.wkb),
    ),
    shapely.Polygon: lambda polygon: polygon.wkb,
    shapely.MultiPolygon: lambda polygons: polygons.wkb,
    # where a run was made anew in its folder, its nuclei are others
    Run: lambda run: (os.fsencode(run.path), run.nuclei_checksum, run.names_version),
}

# What looks at the slide of a run too: it may be elsewhere, gone, or back again.
_BY_VALUE_AND_SLIDE = _BY_VALUE | {
    Run: lambda run: (
        *_BY_VALUE[Run](run),
        *(os.fsencode(run.slide_path), changed(run.slide_path)),
    )
}

# What a cohort's table tells of runs stands in these: facts, figures, corrections, answers, regions.
_OF_RUNS = ("*/*/*.json", f"*/*/{JOURNAL_FILE}", f"*/*/{ANSWER_FILE}", f"*/{ROI_FILE}")

# Of ordinary images, which are held decoded: the largest takes 400 MB.
_IMAGES_BYTES = 512 * 1024 * 1024

_shelf = SlideShelf(lambda path, mpp: open_slide(path, mpp=mpp), most=16, most_bytes=_IMAGES_BYTES)

_ASSOCIATED_PX = 1600
_THUMBNAIL_PX = 420
_CARD_PX = (420, 300)
_BACKDROP_PX = 1000


@st.cache_resource(max_entries=8, show_spinner="Reading the reference …")
def slide_reference(file: Path, mpp: float | None, run_folder: Path) -> SlideReference:
    """Return what somebody labelled on the slide of a run; the file never changes."""
    of = run(run_folder)
    return read_slide_reference(file, of.facts.slide, of.slide_mpp, mpp)


def outcomes(file: Path) -> gpd.GeoDataFrame:
    """Return what became of each nucleus of an evaluation."""
    return _outcomes(file, changed(file))


def outcome_painter(file: Path) -> NucleusPainter:
    """Return what draws the nuclei of an evaluation by what became of them."""
    return _outcome_painter(file, changed(file))


def cohort(name: str) -> pd.DataFrame:
    """Return the table of a cohort as it is now."""
    journal = Journal(default_store(), name)
    files = (journal.folder / PLAN_FILE, journal.folder / OUTCOMES_FILE)
    # runs are named, deleted, moved, corrected and answered without a word in the cohort's own files
    runs = sum(changed(path) for each in _OF_RUNS for path in journal.store.glob(each))
    return _cohort(journal.store, name, (*map(changed, files), runs))


def changed(path: Path) -> int:
    """Return when a file was last written, to know whether what is kept of it is still true."""
    try:
        return path.stat().st_mtime_ns
    except OSError:  # it is not there, or somebody has just removed it
        return 0


def slide(path: Path, mpp: float | None = None) -> Slide:
    """Return an open slide, one for all sessions."""
    return _shelf.get(path, changed(path), mpp)


def forget_slides() -> None:
    """Open slides anew: after one error OpenSlide's handle answers nothing any more."""
    _shelf.forget_files()


def forget_pixels() -> None:
    """Give back what is held of slides in memory; what is asked for next is read from the files."""
    _shelf.forget()
    forget_decoded()


def forget_run(folder: Path) -> None:
    """Read a run anew that has been deleted, should the same question be asked again."""
    for of_folder in (run, maps):
        of_folder.clear(folder)
    of_outlines = (_found_table, _found_painter, _found_squares, _found_index)
    of_names = (nucleus_painter, outline_squares, nucleus_queries, said_since, _names)
    of_figures = (nucleus_index, uncounted, counts, statistics, gallery)
    for of_run in (*of_outlines, *of_names, *of_figures, _known, _run_tissue):
        of_run.clear()


def identity(path: Path) -> str:
    """Return the id under which a slide's runs are kept."""
    return _identity(path, changed(path))


def thumbnail(path: Path) -> npt.NDArray[np.uint8]:
    """Return a small picture of a slide."""
    return _thumbnail(path, changed(path))


def kept_thumbnail(file: Path) -> str | None:
    """Return a small picture that is kept beside a run as an address; None where there is none."""
    when = changed(file)
    return _kept_thumbnail(file, when) if when else None


def card_picture(path: Path) -> Image.Image:
    """Return a picture of a slide's middle, of one shape for all slides."""
    return ImageOps.fit(Image.fromarray(thumbnail(path)), _CARD_PX)


def associated_images(path: Path) -> dict[str, Image.Image]:
    """Return the label, the macro image and the like."""
    return _associated_images(path, changed(path))


def tissue(path: Path, mpp: float | None = None) -> TissueMask:
    """Return where a slide holds tissue."""
    return _tissue(path, changed(path), mpp)


def quality(path: Path, mpp: float | None = None) -> SlideQuality:
    """Return what of a slide cannot be relied on."""
    return _quality(path, changed(path), mpp)


def stain_fit(path: Path, mpp: float | None = None) -> StainFit:
    """Return what the stain of a slide is like."""
    return _stain_fit(path, changed(path), mpp)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=_BY_VALUE)
def run(folder: Path) -> Run:
    """Return a finished run, which changes no more."""
    return open_run(folder)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=_BY_VALUE)
def maps(folder: Path) -> RunMaps:
    """Return the maps of a finished run."""
    return run(folder).maps()


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=_BY_VALUE)
def growing_maps(folder: Path, version: str) -> RunMaps:
    """Return the maps of a run that is at work or was stopped, as they are in one version."""
    return open_run(folder).maps()


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_BY_VALUE)
def nucleus_painter(run: Run) -> NucleusPainter:
    """Return what draws the nuclei of a finished run, with their spatial index."""
    return _found_painter(run.as_found()).renamed(_names(run), run.scheme)


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_BY_VALUE)
def outline_squares(run: Run) -> OutlineSquares:
    """Return what packs the outlines of a finished run, square by square."""
    return _found_squares(run.as_found()).renamed(_names(run), run.scheme)


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_BY_VALUE)
def uncounted(run: Run, min_score: float, left_out: shapely.Geometry | None) -> Uncounted | None:
    """Return what hides the nuclei of a finished run that the class map is wrong about; None where none.

    Those that do not count, and those that have been called something else since.
    """
    found = _found_table(run.as_found())
    parts = () if left_out is None else shapely.get_parts(left_out)
    rois = [Roi("left out", each, "exclude") for each in parts]
    counted = counted_of(run, rois, min_score=min_score)
    chosen = counted.selection(run, run.scheme.names)
    named = nucleus_queries(run).columns(chosen, ["nucleus_id", "class_name"])
    before = found.set_index("nucleus_id")["class_name"].reindex(named["nucleus_id"])
    is_as_found = named["class_name"].astype(str).to_numpy() == before.astype(str).to_numpy()
    ids = named["nucleus_id"].to_numpy()[is_as_found]
    if len(ids) == len(found) and left_out is None:
        return None
    return Uncounted(found, ids, run.model_scheme, left_out)


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs=_BY_VALUE)
def nucleus_index(run: Run, min_score: float = 0.0) -> NucleusIndex:
    """Return what finds single nuclei of a finished run, some of them called *uncertain*."""
    if min_score:
        return nucleus_index(run).with_min_score(min_score)
    return _found_index(run.as_found()).renamed(_names(run))


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_BY_VALUE)
def counts(run: Run, min_score: float, part: Part | None = None) -> dict[str, int]:
    """Return how many nuclei of a finished run have each name."""
    names = run.scheme.counted_names(other=True, uncertain=True)
    limit = None if part is None else part.limit
    return nucleus_queries(run).counts(Selection(names, min_score, limit))


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=_BY_VALUE)
def nucleus_queries(run: Run) -> NucleusQueries:
    """Return what answers questions about the nuclei of a finished run."""
    return run.nucleus_queries()


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_BY_VALUE)
def said_since(run: Run) -> list[str]:
    """Return sentences on who named the nuclei but the model."""
    return run.said_since()


def run_tissue(run: Run) -> TissueMask | None:
    """Return the tissue of a run's slide; None where the slide is gone or another one."""
    return _run_tissue(run.as_found())  # whatever its nuclei are called


@st.cache_resource(max_entries=128, show_spinner="Counting …", hash_funcs=_BY_VALUE_AND_SLIDE)
def statistics(run: Run, part: Part, *, min_score: float, other: bool) -> Statistics:
    """Return the numbers of a part of a run."""
    return describe_part(
        nucleus_queries(run),
        part,
        run.scheme,
        tissue=run_tissue(run),
        tissue_um2=run.facts.tissue_um2 if part.everything else None,
        min_score=min_score,
        other=other,
        told=told_apart(run),
    )


@st.cache_resource(
    max_entries=64, show_spinner="Cutting out nuclei …", hash_funcs=_BY_VALUE_AND_SLIDE
)
def gallery(
    run: Run,
    selection: Selection,
    count: int,
    scheme: ClassScheme,
    *,
    most: bool,
    outlined: bool,
) -> tuple[gpd.GeoDataFrame, list[bytes]]:
    """Return the most or the least certain nuclei of a selection, and a JPEG of each."""
    nuclei = by_certainty(nucleus_queries(run), selection, count, most=most)
    opened = slide(run.slide_path, run.slide_mpp)
    crops = crop_nuclei(opened, run.slide_mpp, nuclei, scheme, outlined=outlined)
    return nuclei, [encode_jpeg(crop) for crop in crops]


def known(run: Run) -> Known:
    """Return what a classifier may be told of the nuclei of a run, as they were found."""
    return _known(run.as_found())


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=_BY_VALUE)
def til_backdrop(path: Path, key: str) -> tuple[Raster, npt.NDArray[np.uint8]] | None:
    """Return the slide under the squares of an answer of `scorings`; None where that is not there."""
    result = singletons.scorings().find(key)
    return None if result is None else backdrop_of(slide(path), result, _BACKDROP_PX)


@st.cache_resource(max_entries=4, show_spinner="Reading the nuclei …", hash_funcs=_BY_VALUE)
def _known(found: Run) -> Known:
    return Known.of(found, FEATURE_GROUPS)


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_BY_VALUE)
def _names(run: Run) -> Names:
    return run.names_of(_found_table(run.as_found()))


@st.cache_resource(
    max_entries=8, show_spinner="Looking for tissue …", hash_funcs=_BY_VALUE_AND_SLIDE
)
def _run_tissue(run: Run) -> TissueMask | None:
    try:
        return run.tissue()
    except SlideError:
        return None


# Outlines are read and what finds them is made, which takes seconds on a whole slide, once for all
# corrections and readers.


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_BY_VALUE)
def _found_table(found: Run) -> gpd.GeoDataFrame:
    return found.nuclei()


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_BY_VALUE)
def _found_painter(found: Run) -> NucleusPainter:
    return NucleusPainter(_found_table(found), found.model_scheme)


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_BY_VALUE)
def _found_squares(found: Run) -> OutlineSquares:
    return OutlineSquares(_found_table(found), found.model_scheme)


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs=_BY_VALUE)
def _found_index(found: Run) -> NucleusIndex:
    return NucleusIndex(_found_table(found), found.slide_mpp)


@st.cache_resource(max_entries=8, show_spinner=False)
def _outcomes(file: Path, changed: int) -> gpd.GeoDataFrame:
    return gpd.read_parquet(file)


@st.cache_resource(max_entries=4, show_spinner=False)
def _outcome_painter(file: Path, changed: int) -> NucleusPainter:
    return painter_of_outcomes(outcomes(file))


@st.cache_resource(max_entries=4, show_spinner="Reading the cohort …", hash_funcs=_BY_VALUE)
def _cohort(store: Path, name: str, stamps: tuple[int, ...]) -> pd.DataFrame:
    return RunCatalog(Store(store)).cohort(name)


@st.cache_resource(max_entries=256, show_spinner=False, hash_funcs=_BY_VALUE)
def _identity(path: Path, changed: int) -> str:
    return slide_id(path)


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=_BY_VALUE)
def _thumbnail(path: Path, changed: int) -> npt.NDArray[np.uint8]:
    return slide(path).thumbnail(_THUMBNAIL_PX)


@st.cache_resource(max_entries=4096, show_spinner=False, hash_funcs=_BY_VALUE)
def _kept_thumbnail(file: Path, changed: int) -> str | None:
    try:
        return url_of_jpeg(file.read_bytes())
    except OSError:  # somebody has just removed the run
        return None


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_VALUE)
def _associated_images(path: Path, changed: int) -> dict[str, Image.Image]:
    pictures = slide(path).associated_images()
    for picture in pictures.values():
        picture.thumbnail((_ASSOCIATED_PX, _ASSOCIATED_PX))
    return pictures


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=_BY_VALUE)
def _tissue(path: Path, changed: int, mpp: float | None) -> TissueMask:
    return find_tissue(slide(path, mpp))


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=_BY_VALUE)
def _quality(path: Path, changed: int, mpp: float | None) -> SlideQuality:
    return assess_quality(slide(path, mpp))


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=_BY_VALUE)
def _stain_fit(path: Path, changed: int, mpp: float | None) -> StainFit:
    return fit_stain(slide(path, mpp), tissue(path, mpp), "macenko")
