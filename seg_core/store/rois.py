"""The ROIs of a slide, kept beside its runs as GeoJSON that QuPath reads too."""

import json
from collections.abc import Sequence
from pathlib import Path

import shapely

from seg_core.annotations import read_rois
from seg_core.errors import RegionError
from seg_core.files.atomic import write_json
from seg_core.files.disk_errors import store_errors
from seg_core.roi import CLASS_OF_KIND, Roi

ROI_FILE = "rois.geojson"
"""Name of the ROIs in the folder of a slide."""

_DAMAGED_FILE = "rois.damaged.geojson"


def rois_of(store: Path, slide_id: str) -> list[Roi]:
    """Return the ROIs that were kept with a slide, in the order in which they were drawn.

    Raises
    ------
    RegionError
        If the file is damaged; it is put aside, so that this is said once.
    """
    path = store / slide_id / ROI_FILE
    if not path.is_file():
        return []
    try:
        return read_rois(path)
    except RegionError as error:
        aside = path.with_name(_DAMAGED_FILE)
        with store_errors(path.parent):
            path.replace(aside)
        raise RegionError(
            f"the ROIs that were kept with this slide cannot be read ({error}) and have been put "
            f"aside as {aside.name}; load the page again to go on without them."
        ) from error


def keep_rois(store: Path, slide_id: str, rois: Sequence[Roi]) -> None:
    """Keep the ROIs of a slide instead of those before; none leaves no file.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    path = store / slide_id / ROI_FILE
    with store_errors(path.parent):
        if rois:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, geojson_of(rois))
        else:
            path.unlink(missing_ok=True)


def geojson_of(rois: Sequence[Roi]) -> dict[str, object]:
    """Return ROIs as a FeatureCollection in level-0 pixels; `seg_core.annotations.read_rois` reads it back."""
    return {
        "type": "FeatureCollection",
        "features": [_feature_of(roi) for roi in rois],
    }


def _feature_of(roi: Roi) -> dict[str, object]:
    properties: dict[str, object] = {
        "objectType": "annotation",
        "name": roi.name,
        "kind": roi.kind,
    }
    class_name = roi.class_name
    if not roi.counts or not class_name:
        class_name = CLASS_OF_KIND.get(roi.kind, class_name)
    colour = [int(roi.colour[at : at + 2], 16) for at in (1, 3, 5)] if roi.colour else None
    if class_name:
        properties["classification"] = {"name": class_name} | ({"color": colour} if colour else {})
    elif colour:
        properties["color"] = colour
    return {
        "type": "Feature",
        **({"id": roi.roi_id} if roi.roi_id else {}),
        "geometry": json.loads(shapely.to_geojson(roi.polygon)),
        "properties": properties,
    }
