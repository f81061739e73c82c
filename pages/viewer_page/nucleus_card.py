"""The one nucleus that the viewer tells about: picked by a click, a key or another page."""

from typing import Any

import numpy as np
import shapely

from pages.shared import min_score, palettes, resources, state
from seg_core.classes import UNCERTAIN
from seg_core.geometry import Region
from seg_core.picture.encoding import jpeg_url
from seg_core.slide import Slide
from seg_core.store import Run

# The nucleus with what lies around it.
_CROP_UM = 40.0
_CROP_PX = 224

# Of more nuclei a browser is not told; a cloud of points is better looked at on its own page.
_MOST_PICKED = 2000

_MEASURES = {
    "area_um2": ("Area", "{:.1f} µm²"),
    "perimeter_um": ("Perimeter", "{:.1f} µm"),
    "major_um": ("Long axis", "{:.1f} µm"),
    "minor_um": ("Short axis", "{:.1f} µm"),
    "circularity": ("Circularity", "{:.2f}"),
    "solidity": ("Solidity", "{:.2f}"),
    "haematoxylin_od": ("Haematoxylin", "{:.2f} OD"),
    "eosin_od": ("Eosin", "{:.2f} OD"),
}


def take_pick(run: Run | None, asked: dict[str, Any]) -> None:
    """Turn to the nucleus at a point, or to the next of its class; none where there is none.

    Parameters
    ----------
    run : Run or None
        The one shown.
    asked : dict
        ``x``, ``y`` (level-0 pixels) and ``classes`` (ids of those shown), or ``step``, or neither.
    """
    before = chosen_nucleus(run)
    state.NUCLEUS.clear()
    if run is None:
        return
    index = resources.nucleus_index(run, min_score.chosen())
    if "step" in asked:
        found = None if before is None else index.next_of_class(before, asked["step"])
    elif "x" in asked:
        names = [run.scheme.name_of(each) for each in asked["classes"]]
        found = index.at(asked["x"], asked["y"], names)
    else:
        found = None
    if found is not None:
        state.NUCLEUS.set((run.run_id, found))


def chosen_nucleus(run: Run | None) -> int | None:
    """Return the id of the nucleus that was picked in the run shown."""
    run_id, nucleus_id = state.NUCLEUS.get() or (None, None)
    return nucleus_id if run is not None and run.run_id == run_id else None


def card_of(run: Run | None, slide: Slide) -> dict[str, Any] | None:
    """Return all that the viewer shows of the picked nucleus."""
    nucleus_id = chosen_nucleus(run)
    if run is None or nucleus_id is None:
        return None
    index = resources.nucleus_index(run, min_score.chosen())
    row, name = index.row(nucleus_id), index.name(nucleus_id)
    if row is None or name is None:
        return None
    number, count = index.place_in_class(nucleus_id)
    colours = palettes.scheme_of(run).colours
    return {
        "id": nucleus_id,
        "class": row["class_name"],
        "colour": colours[name],
        "score": float(row["class_score"]),
        "uncertain": name == UNCERTAIN,
        "byHand": is_named_by_hand(run, nucleus_id, float(row["class_score"])),
        "number": number,
        "count": count,
        "x": float(row["x"]),
        "y": float(row["y"]),
        "ring": ring_of(row["geometry"]),
        "crop": _crop(slide, run.slide_mpp, row["x"], row["y"]),
        "shares": [
            {
                "name": name,
                "colour": colours.get(name, colours["other"]),
                "share": float(row[f"share_{name}"]),
            }
            for name in ("background", *run.model_scheme.names)
        ],
        "measures": [
            [label, digits.format(row[name])] for name, (label, digits) in _MEASURES.items()
        ],
    }


def is_named_by_hand(run: Run, nucleus_id: int, score: float) -> bool:
    """Tell whether somebody gave a nucleus its class: its score of 1 is no vote then."""
    return score == 1 and nucleus_id in run.corrections()


def picked_outlines(run: Run | None) -> list[list[list[float]]]:
    """Return the outlines of the nuclei that were selected on any page."""
    picked = state.PICKED.get() or ()
    if run is None or not picked:
        return []
    index = resources.nucleus_index(run)
    return [ring_of(polygon) for polygon in index.outlines(picked[:_MOST_PICKED])]


def ring_of(polygon: shapely.Polygon) -> list[list[float]]:
    """Return the outline as the browser draws it, without the first corner again at the end."""
    return np.round(shapely.get_coordinates(polygon.exterior)[:-1], 2).tolist()


def _crop(slide: Slide, slide_mpp: float, x: float, y: float) -> dict[str, Any]:
    """Return the picture of a nucleus as it was scanned, and where it lies."""
    side = max(1, round(_CROP_UM / slide_mpp))
    region = Region(round(x) - side // 2, round(y) - side // 2, side, side)
    whole = Region(0, 0, slide.info.width, slide.info.height)
    region = region.intersection(whole) or whole
    scale = _CROP_PX / side
    size = (max(1, round(region.width * scale)), max(1, round(region.height * scale)))
    return {
        "picture": jpeg_url(slide.read_level0(region, size)),
        "x": region.x,
        "y": region.y,
        "width": region.width,
        "height": region.height,
    }
