"""Pictures of single nuclei: how one judges in a minute what the model has found."""

from collections.abc import Sequence
from functools import partial

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme
from seg_core.geometry import Raster, Region
from seg_core.picture.nucleus_painting import NucleusPainter
from seg_core.picture.slide_overlay import paint_layers
from seg_core.slide import Slide
from seg_core.store import NucleusQueries, Selection

CROP_UM = 24
"""Side of a picture: a large nucleus and its surroundings."""

CROP_PX = 208  # shown at half that, sharp on fine screens and on paper

_LINE_PX = 3  # shown at half that, too: a finer line is not seen on a dark nucleus

_GLASS = 255


def by_certainty(
    queries: NucleusQueries,
    selection: Selection,
    count: int,
    *,
    most: bool,
    without: Sequence[int] = (),
) -> gpd.GeoDataFrame:
    """Return the nuclei of a selection with the highest, or the lowest, class score.

    Parameters
    ----------
    queries : NucleusQueries
    selection : Selection
    count : int
        How many at most.
    most : bool
        The most certain first, else the least certain.
    without : sequence of int
        Ids that are shown already.

    Returns
    -------
    nuclei : NucleusTable
    """
    limit = count + len(without)
    rows = queries.page(selection, sort_by="class_score", descending=most, limit=limit)
    rows = rows[~rows["nucleus_id"].isin(without)].head(count)
    outlines = queries.outlines(rows["nucleus_id"].tolist())
    return gpd.GeoDataFrame(rows, geometry=[outlines[number] for number in rows["nucleus_id"]])


def crop_nuclei(
    slide: Slide,
    slide_mpp: float,
    nuclei: gpd.GeoDataFrame,
    scheme: ClassScheme,
    *,
    outlined: bool = True,
) -> list[npt.NDArray[np.uint8]]:
    """Cut a square out of the slide for each nucleus, with the nucleus in its middle.

    Who names the nucleus in the middle must not be shown its neighbour there: what of the square is
    beyond the edge of the slide is white.

    Parameters
    ----------
    slide : Slide
    slide_mpp : float
        Size of a level-0 pixel, µm.
    nuclei : NucleusTable
    scheme : ClassScheme
    outlined : bool
        Draw the outline of the nucleus, and of no other, in the colour of its class.

    Returns
    -------
    crops : list of (208, 208, 3) uint8
    """
    side = max(1, round(CROP_UM / slide_mpp))
    step = side / CROP_PX
    whole = Region(0, 0, slide.info.width, slide.info.height)
    crops = []
    for row in range(len(nuclei)):
        nucleus = nuclei.iloc[[row]]
        x, y = (round(float(nucleus[axis].iloc[0]) - side / 2) for axis in ("x", "y"))
        crop = np.full((CROP_PX, CROP_PX, 3), _GLASS, dtype=np.uint8)
        if inside := Region(x, y, side, side).intersection(whole):
            grid = Raster(inside, mpp=step * slide_mpp, downsample=step)
            painter = NucleusPainter(nucleus, scheme)
            shown = scheme.ids_of(nucleus["class_name"]) if outlined else []
            paint = partial(painter.paint, shown=shown, line_px=_LINE_PX)
            left, top = round((inside.x - x) / step), round((inside.y - y) / step)
            room = crop[top:, left:]
            painted = paint_layers(slide, grid, [(paint, 1.0)])[: len(room), : room.shape[1]]
            room[: painted.shape[0], : painted.shape[1]] = painted
        crops.append(crop)
    return crops
