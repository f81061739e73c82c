"""The ROIs of the chosen slide: where they are kept, which one is selected, what is drawn."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import shapely

from pages.shared import reader_place, resources, state
from seg_core.errors import SegCoreError
from seg_core.roi import Roi
from seg_core.store import Store
from seg_core.store.rois import keep_rois, rois_of


def slide_rois(chosen: state.ChosenSlide) -> list[Roi]:
    """Return the ROIs of a slide in the order in which they were drawn, no two with one name.

    Raises
    ------
    RegionError
        If their file was changed by hand and can no longer be read.
    """
    place = reader_place.of_slide(chosen.path)
    if place is None:
        return list(state.ROIS.get() or ())
    found = rois_of(place, resources.identity(chosen.path))
    if found:
        return found
    earlier = Store().earlier_id(chosen.path)
    return rois_of(place, earlier) if earlier else []


def selected_roi(chosen: state.ChosenSlide) -> Roi | None:
    """Return the ROI that the reader works on."""
    name = state.ROI.get()
    return next((roi for roi in slide_rois(chosen) if roi.name == name), None)


def keep_slide_rois(chosen: state.ChosenSlide, rois: Sequence[Roi]) -> None:
    """Keep the ROIs of a slide instead of those before.

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


def add_rois(chosen: state.ChosenSlide, new: Sequence[Roi]) -> None:
    """Keep more ROIs; one whose name is taken gets a number behind it. The last one is selected."""
    rois = slide_rois(chosen)
    taken = {roi.name for roi in rois}
    numbers: dict[str, int] = {}
    for roi in new:
        name = roi.name
        while name in taken:
            numbers[roi.name] = numbers.get(roi.name, 1) + 1
            name = f"{roi.name} {numbers[roi.name]}"
        taken.add(name)
        rois.append(replace(roi, name=name))
    keep_slide_rois(chosen, rois)
    if new:
        state.ROI.set(rois[-1].name)


def free_name(name: str, rois: Sequence[Roi]) -> str:
    """Return a name, with a number behind it where it is taken.

    Examples
    --------
    >>> square = shapely.box(0, 0, 9, 9)
    >>> free_name("tumour", [Roi("tumour", square), Roi("tumour 2", square)])
    'tumour 3'
    """
    taken = {roi.name for roi in rois}
    number = 2
    wanted = name
    while wanted in taken:
        wanted = f"{name} {number}"
        number += 1
    return wanted


def take_drawn(chosen: state.ChosenSlide, drawn: dict[str, Any]) -> None:
    """Take over what was drawn in the viewer; what cannot be is refused in words and undone."""
    state.PROBLEM.clear()
    state.ROI_REVISION.set(drawn["revision"])
    try:
        rois = [_roi_of(entry) for entry in drawn["rois"]]
        if rois != slide_rois(chosen):
            keep_slide_rois(chosen, rois)
    except SegCoreError as error:
        state.PROBLEM.set(str(error))
        return
    if drawn["selected"] is None:
        state.ROI.clear()
    else:
        state.ROI.set(drawn["selected"])


def drawing_of(chosen: state.ChosenSlide) -> dict[str, Any]:
    """Return the ROIs as the viewer draws them."""
    rois = slide_rois(chosen)
    names = {roi.name for roi in rois}
    return {
        "revision": state.ROI_REVISION.get() or 0,
        "selected": state.ROI.get() if state.ROI.get() in names else None,
        "problem": state.PROBLEM.get(),
        "rois": [
            {"name": roi.name, "kind": roi.kind, "rings": _rings_of(roi.polygon)} for roi in rois
        ],
    }


def is_rectangle(roi: Roi) -> bool:
    """Tell whether a ROI is its own bounding box in whole pixels, so that it may be asked as one."""
    region = roi.region
    box = shapely.box(region.x, region.y, region.right, region.bottom)
    return bool(shapely.equals(roi.polygon, box))


def _roi_of(entry: dict[str, Any]) -> Roi:
    outline, *holes = entry["rings"]
    return Roi(entry["name"], shapely.Polygon(outline, holes), entry["kind"])


def _rings_of(polygon: shapely.Polygon) -> list[list[list[float]]]:
    """Return outline and holes as lists of [x, y], without the first point again at the end."""
    rings = [polygon.exterior, *polygon.interiors]
    return [[list(point) for point in ring.coords[:-1]] for ring in rings]
