"""What people said of a run's nuclei as labelled images, to train and to measure with.

The images are in the mask layout, which `train` and `evaluate` read as the data set
``monusac-patches``. Only nuclei that somebody has named, or called rightly named, are labelled; what
somebody called no nucleus is background, and so is a rim around both, but for the nuclei there of which
nobody has said anything. All else is to be ignored: nobody has looked there.
"""

import math
from contextlib import closing
from pathlib import Path

import cv2
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from PIL import Image

from seg_core.classes import ClassScheme
from seg_core.errors import ExportError
from seg_core.files.atomic import new_folder
from seg_core.geometry import Region
from seg_core.labelled.data_sets import data_set_of
from seg_core.labelled.layouts import CLASSES, IGNORE, IMAGES, INSTANCES
from seg_core.slide import Slide
from seg_core.store import Run

DATA_SET = data_set_of("monusac-patches")
"""What the class ids in the masks mean."""

SIDE_PX = 512
"""Of an image, pixels of the data set's size."""

_RIM_UM = 1.0
"""Around a nucleus that somebody has looked at: that it ends there was seen as well."""

# Labels of nuclei that are none, and of those whose class nobody has told or the data set does not have.
_NO_NUCLEUS, _UNNAMED = -1, -2

# Corners are handed to OpenCV in sixteenths of a pixel.
_SHIFT = 4


def write_corrected(run: Run, folder: Path, *, force: bool = False, anonymous: bool = False) -> int:
    """Write what people said of a run's nuclei in the mask layout.

    An image is a square of the slide's grid that holds the centroid of a nucleus with a word of
    somebody's. A class of one's own counts as the class of the data set that has its role; a
    nucleus whose class has none there is ignored.

    Parameters
    ----------
    run : Run
    folder : Path
        Gets ``images/``, ``inst/``, ``class/`` and ``ignore/``.
    force : bool
        Replace a folder of that kind.
    anonymous : bool
        Call the images by the run and not by the slide.

    Returns
    -------
    nuclei : int
        How many nuclei are labelled, those that are none included.

    Raises
    ------
    ExportError
        If nobody has said anything of the nuclei, or the folder cannot be written.
    SlideError
        If the slide is gone or another one by now.
    """
    said = {} if run.only_found else {k: each.name for k, each in run.journal().said().items()}
    if not said:
        raise ExportError(
            f"nobody has said anything of the nuclei of the run {run.run_id}; correct some in the "
            "viewer first."
        )
    table = run.as_found().nuclei()
    told = table["nucleus_id"].isin(list(said))
    table["label"] = [
        _label(said[number], run.scheme) if number in said else _UNNAMED
        for number in table["nucleus_id"]
    ]
    with (
        new_folder(folder, replaceable=_is_mask_folder, force=force) as temporary,
        closing(run.open_slide()) as slide,
    ):
        for name in (IMAGES, INSTANCES, CLASSES, IGNORE):
            (temporary / name).mkdir(parents=True)
        scale = run.slide_mpp / DATA_SET.mpp
        side = SIDE_PX / scale
        stem = f"slide-{run.run_id}" if anonymous else run.slide_path.stem
        squares = np.floor(table.loc[told, ["x", "y"]].to_numpy() / side).astype(int)
        for column, row in np.unique(squares, axis=0).tolist():
            _write_square(table, slide, (column * side, row * side), scale, temporary / stem)
    return int(told.sum())


def _label(name: str | None, scheme: ClassScheme) -> int:
    """Return the data set's class id of what a nucleus was called, or one of the two below."""
    if name is None:
        return _NO_NUCLEUS
    ids = {theirs: number for number, theirs in DATA_SET.ids.items()}
    if name in ids:
        return ids[name]
    roles = [each.role for each in scheme.classes if each.name == name]
    alike = [ids[each] for role in roles for each in scheme.names_of_role(role) if each in ids]
    return next(iter(alike), _UNNAMED)


def _write_square(
    table: gpd.GeoDataFrame, slide: Slide, corner: tuple[float, float], scale: float, place: Path
) -> None:
    """Write the four files of one square; ``scale`` is pixels of it per level-0 pixel.

    ``place`` is the folder, and how the names of the files begin.
    """
    side = math.ceil(SIDE_PX / scale)
    whole = Region(0, 0, slide.info.width, slide.info.height)
    region = Region(round(corner[0]), round(corner[1]), side, side).intersection(whole)
    if region is None:
        return  # a centroid on the slide's very edge
    width, height = (max(1, round(each * scale)) for each in (region.width, region.height))
    box = shapely.box(region.x, region.y, region.right, region.bottom)
    near = table[shapely.intersects(table.geometry.to_numpy(), box)]
    instances = np.zeros((height, width), np.uint16)
    classes, seen, unnamed = (np.zeros((height, width), np.uint8) for _ in range(3))
    for number, (outline, label) in enumerate(
        zip(near.geometry, near["label"], strict=True), start=1
    ):
        corners = (shapely.get_coordinates(outline.exterior) - (region.x, region.y)) * scale
        if label == _UNNAMED:
            _fill(unnamed, corners, 1)
            continue
        _fill(seen, corners, 1)
        if label != _NO_NUCLEUS:
            _fill(instances, corners, number)
            _fill(classes, corners, label)
    rim = 2 * round(_RIM_UM / DATA_SET.mpp) + 1
    ignore = (cv2.dilate(seen, np.ones((rim, rim), np.uint8)) == 0) | ((unnamed > 0) & (seen == 0))
    name = f"{place.name}_{region.x}_{region.y}.png"
    for kind, pixels in (
        (IMAGES, slide.read_level0(region, (width, height))),
        (INSTANCES, instances),
        (CLASSES, classes),
        (IGNORE, ignore.astype(np.uint8) * 255),
    ):
        Image.fromarray(pixels).save(place.parent / kind / name)


def _fill(mask: npt.NDArray[np.integer], corners: npt.NDArray[np.float64], value: int) -> None:
    """Fill a polygon; corners count from that of the mask, OpenCV's from the middle of a pixel."""
    points = np.rint((corners - 0.5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [points], value, cv2.LINE_8, _SHIFT)


def _is_mask_folder(folder: Path) -> bool:
    known = {IMAGES, INSTANCES, CLASSES, IGNORE}
    return {each.name for each in folder.iterdir()} <= known
