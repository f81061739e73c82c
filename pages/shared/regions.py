"""The ROIs of the chosen slide: where they are kept, which one is selected, what is drawn."""

import re
import secrets
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import shapely

from pages.shared import reader_place, resources, state
from seg_core.errors import RegionError, SegCoreError
from seg_core.files.names import printable
from seg_core.roi import Roi, RoiKind
from seg_core.store import Store
from seg_core.store.rois import keep_rois, rois_of

_FAR_PX = 1e9
_MOST_LETTERS = 200
_COLOUR = re.compile("(#[0-9a-fA-F]{6})?")

# All visits of a server change the same file.
_changing = threading.Lock()


def slide_rois(chosen: state.ChosenSlide) -> list[Roi]:
    """Return the ROIs of a slide in the order in which they were drawn.

    No two have one name, and each has an id that stays when it is renamed.

    Raises
    ------
    RegionError
        If their file was changed by hand and can no longer be read.
    """
    place = reader_place.of_slide(chosen.path)
    if place is None:
        return _with_ids(state.ROIS.get() or ())
    found = rois_of(place, resources.identity(chosen.path))
    if not found:
        earlier = Store().earlier_id(chosen.path)
        found = rois_of(place, earlier) if earlier else []
    return _with_ids(found)


def _with_ids(rois: Sequence[Roi]) -> list[Roi]:
    """Give those of earlier versions an id, which stays the same as long as nobody renames them."""
    return [roi if roi.roi_id else replace(roi, roi_id=f"name:{roi.name}") for roi in rois]


def selected_roi(chosen: state.ChosenSlide) -> Roi | None:
    """Return the ROI that the reader works on."""
    name = state.ROI.get()
    return next((roi for roi in slide_rois(chosen) if roi.name == name), None)


def keep_slide_rois(chosen: state.ChosenSlide, rois: Sequence[Roi]) -> None:
    """Keep the ROIs of a slide instead of those before; `change_rois` heeds what others draw.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    place = reader_place.of_slide(chosen.path)
    if place is None:
        state.ROIS.set(tuple(rois))
    else:
        keep_rois(place, resources.identity(chosen.path), rois)
        earlier = Store().earlier_id(chosen.path)
        if earlier:  # they have moved to the new id
            keep_rois(place, earlier, ())


def change_rois(
    chosen: state.ChosenSlide, *, put: Sequence[Roi] = (), remove: Sequence[Roi] = ()
) -> list[Roi]:
    """Change some ROIs of a slide and leave the others as they are now, whoever drew them.

    Parameters
    ----------
    chosen : ChosenSlide
    put : sequence of Roi
        Take the place of those with the same id, or are new; one whose name is taken gets a number
        behind it.
    remove : sequence of Roi
        Known by their ids. They can be brought back as they are now, see `bring_back`; one that was
        drawn and removed before it was ever kept, as it is given here.

    Returns
    -------
    kept : list of Roi
        Those of ``put`` as they are called now.
    """
    with _changing:
        before = slide_rois(chosen)
        known, gone = {roi.roi_id for roi in before}, {roi.roi_id for roi in remove}
        removed = [roi for roi in before if roi.roi_id in gone]
        removed += [roi for roi in remove if roi.roi_id not in known]
        rois = [roi for roi in before if roi.roi_id not in gone]
        kept = _put(rois, put)
        if _written(rois) != _written(before):
            keep_slide_rois(chosen, rois)
    if removed:
        state.REMOVED.set(tuple(removed))
    elif put:
        state.REMOVED.clear()
    return kept


def bring_back(chosen: state.ChosenSlide) -> None:
    """Undo the last removal, wherever it was done."""
    change_rois(chosen, put=state.REMOVED.get() or ())
    state.REMOVED.clear()


def add_rois(chosen: state.ChosenSlide, new: Sequence[Roi]) -> None:
    """Keep more ROIs; one whose name is taken gets a number behind it. The last one is selected."""
    taken = {roi.roi_id for roi in slide_rois(chosen)}
    known = []
    for roi in new:
        roi_id = roi.roi_id if roi.roi_id and roi.roi_id not in taken else secrets.token_hex(8)
        taken.add(roi_id)
        known.append(replace(roi, roi_id=roi_id))
    kept = change_rois(chosen, put=known)
    if kept:
        state.ROI.set(kept[-1].name)


def _put(rois: list[Roi], new: Sequence[Roi]) -> list[Roi]:
    """Put ROIs into a list, each in the place of the one with its id or at the end, and return them.

    A file may bring thousands, perhaps all of one name: none is compared with each other.
    """
    places = {roi.roi_id: place for place, roi in reversed([*enumerate(rois)])}
    names = Names(roi.name for roi in rois)
    kept = []
    for roi in new:
        place = places.setdefault(roi.roi_id, len(rois))
        if place < len(rois):
            names.give_back(rois[place].name)
        named = replace(roi, name=names.take(roi.name))
        rois[place : place + 1] = [named]
        kept.append(named)
    return kept


class Names:
    """Names of which no two are the same.

    Examples
    --------
    >>> names = Names(["tumour", "tumour 2"])
    >>> names.take("tumour"), names.take("stroma")
    ('tumour 3', 'stroma')
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = Counter(taken)
        # the numbers below are taken
        self._numbers: dict[str, int] = {}

    def take(self, name: str) -> str:
        """Return a name that is now taken, with the lowest number behind it that is free if it was."""
        wanted = name
        if name in self._taken:
            number = self._numbers.get(name, 2)
            while (wanted := f"{name} {number}") in self._taken:
                number += 1
            self._numbers[name] = number
        self._taken[wanted] += 1
        return wanted

    def give_back(self, name: str) -> None:
        """Let another have the name."""
        self._taken[name] -= 1
        if not self._taken[name]:
            del self._taken[name]
            self._numbers.clear()


def take_drawn(chosen: state.ChosenSlide, drawn: dict[str, Any]) -> None:
    """Take over what was drawn in the viewer; what cannot be is refused in words and undone.

    Only what this viewer has ``touched`` since the page last told it the ROIs: the others may have
    been drawn anew by somebody else in the meantime. Streamlit calls this once more for what it was
    called for before, where a run of the page was cut short by the next one; by then a ROI may have
    been renamed.
    """
    if drawn["revision"] <= (state.ROI_REVISION.get() or 0):
        return
    state.PROBLEM.clear()
    state.ROI_REVISION.set(drawn["revision"])
    touched = set(drawn["touched"])
    try:
        rois = [_roi_of(entry) for entry in drawn["rois"]]
        put = [roi for roi in rois if roi.roi_id in touched]
        kept = change_rois(chosen, put=put, remove=[_roi_of(entry) for entry in drawn["removed"]])
    except SegCoreError as error:
        state.PROBLEM.set(str(error))
        return
    # a name may have been taken by somebody else
    names = {drawn_roi.name: roi.name for drawn_roi, roi in zip(put, kept, strict=True)}
    if drawn["selected"] is None:
        state.ROI.clear()
    else:
        state.ROI.set(names.get(drawn["selected"], drawn["selected"]))


def drawing_of(chosen: state.ChosenSlide) -> dict[str, Any]:
    """Return the ROIs as the viewer draws them."""
    rois = slide_rois(chosen)
    names = {roi.name for roi in rois}
    return {
        "revision": state.ROI_REVISION.get() or 0,
        "selected": state.ROI.get() if state.ROI.get() in names else None,
        "problem": state.PROBLEM.get(),
        "rois": [_entry_of(roi) for roi in rois],
    }


def is_rectangle(roi: Roi) -> bool:
    """Tell whether a ROI is its own bounding box in whole pixels, so that it may be asked as one."""
    region = roi.region
    box = shapely.box(region.x, region.y, region.right, region.bottom)
    return bool(shapely.equals(roi.polygon, box))


def _entry_of(roi: Roi) -> dict[str, Any]:
    return {
        "id": roi.roi_id,
        "name": roi.name,
        "kind": roi.kind,
        "className": roi.class_name,
        "colour": roi.colour,
        "rings": _rings_of(roi.polygon),
    }


def _roi_of(entry: Any) -> Roi:
    """Return a ROI as a browser sends it; who runs that browser may send anything.

    Raises
    ------
    RegionError
        If it is none.
    """
    try:
        outline, *holes = [np.asarray(ring, dtype=float).reshape(-1, 2) for ring in entry["rings"]]
        if not all((np.abs(ring) < _FAR_PX).all() for ring in (outline, *holes)):
            raise ValueError("it lies nowhere")
        said = (entry["name"], entry["kind"], entry["id"], entry.get("className", ""))
        colour = entry.get("colour", "")
        if not all(isinstance(each, str) for each in said) or not _COLOUR.fullmatch(colour):
            raise TypeError("these are no words")
        polygon = shapely.Polygon(outline, holes)
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.GEOSException) as error:
        raise RegionError("what was drawn cannot be kept; draw it again.") from error
    name, kind, roi_id, class_name = (printable(each)[:_MOST_LETTERS] for each in said)
    return Roi(
        name,
        polygon,
        cast("RoiKind", kind),  # which Roi checks
        roi_id=roi_id,
        class_name=class_name,
        colour=colour,
    )


def _written(rois: Sequence[Roi]) -> list[dict[str, Any]]:
    return [_entry_of(roi) for roi in rois]


def _rings_of(polygon: shapely.Polygon) -> list[list[list[float]]]:
    """Return outline and holes as lists of [x, y], without the first point again at the end."""
    rings = [polygon.exterior, *polygon.interiors]
    return [[list(point) for point in ring.coords[:-1]] for ring in rings]
