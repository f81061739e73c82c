"""Pictures of single nuclei: how one judges in a minute what the model has found."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme
from seg_core.geometry import Raster, Region
from seg_core.picture.nucleus_painting import NucleusPainter
from seg_core.picture.slide_overlay import paint_nuclei
from seg_core.slide import Slide
from seg_core.store import NucleusQueries, Selection

CROP_UM = 24
"""Side of a picture: a large nucleus and its surroundings."""

CROP_PX = 208  # shown at half that, sharp on fine screens and on paper


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

    Near the edge of the slide the square is moved into it.

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
    side = min(round(CROP_UM / slide_mpp), slide.info.width, slide.info.height)
    step = side / CROP_PX
    crops = []
    for row in range(len(nuclei)):
        nucleus = nuclei.iloc[[row]]
        x, y = (
            min(max(0, round(float(nucleus[axis].iloc[0]) - side / 2)), length - side)
            for axis, length in (("x", slide.info.width), ("y", slide.info.height))
        )
        grid = Raster(Region(x, y, side, side), mpp=step * slide_mpp, downsample=step)
        shown = scheme.ids_of(nucleus["class_name"]) if outlined else []
        crops.append(paint_nuclei(slide, grid, NucleusPainter(nucleus, scheme), shown))
    return crops
