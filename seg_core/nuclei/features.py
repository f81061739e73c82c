"""Measure nuclei: all of them at once, by counting pixels."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from seg_core.classes import ClassScheme
from seg_core.geometry import Raster
from seg_core.nuclei.contours import outline_polygons
from seg_core.nuclei.instances import Instances
from seg_core.nuclei.nucleus_table import empty_table, make_table, share_columns
from seg_core.nuclei.perimeter import crofton_perimeters
from seg_core.nuclei.pixels import NucleusPixels
from seg_core.slide.stain import densities_of_sums, optical_density

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]


def measure_nuclei(
    instances: Instances, rgb: npt.NDArray[np.uint8], scheme: ClassScheme
) -> gpd.GeoDataFrame:
    """Return the table of nuclei of a window.

    Numbers of a nucleus do not depend on the window it is seen in.

    Parameters
    ----------
    instances : Instances
    rgb : (H, W, 3) uint8
        The slide in the window of the instances.
    scheme : ClassScheme

    Returns
    -------
    NucleusTable
        See `seg_core.nuclei.nucleus_table`; row i is label i + 1 and has ``nucleus_id`` i + 1.
    """
    if rgb.shape[:2] != instances.labels.shape:
        raise ValueError(
            f"the picture has {rgb.shape[1]} × {rgb.shape[0]} pixels, the window of the nuclei "
            f"{instances.window.width} × {instances.window.height}."
        )
    if not len(instances):
        return empty_table(scheme)
    raster, window = instances.raster, instances.window
    pixels = instances.pixels
    polygons = outline_polygons(instances.labels, len(instances))
    corner = np.array([window.x, window.y])
    columns: dict[str, npt.ArrayLike] = {
        "nucleus_id": np.arange(1, len(instances) + 1),
        "class_name": [scheme.name_of(class_id) for class_id in instances.class_ids.tolist()],
        "class_score": instances.class_scores,
        **dict(zip(share_columns(scheme), instances.class_shares.T, strict=True)),
        **_place(pixels, corner, raster),
        **_shape(pixels, instances.labels, polygons, raster.mpp),
        **_stain(pixels, rgb),
    }
    outlines = shapely.transform(polygons, lambda points: raster.to_level0(points + corner))
    return make_table(columns, outlines, scheme)


def _place(pixels: NucleusPixels, corner: _Integers, raster: Raster) -> dict[str, npt.ArrayLike]:
    # From whole numbers, so that a nucleus has one centroid in whatever window it is seen.
    sums = pixels.coordinate_sums + corner * pixels.areas_px[:, None]
    centroids = (2 * sums + pixels.areas_px[:, None]) / (2 * pixels.areas_px[:, None])
    x, y = raster.to_level0(centroids).T
    return {"x": x, "y": y}


def _shape(
    pixels: NucleusPixels,
    labels: npt.NDArray[np.int32],
    polygons: npt.NDArray[np.object_],
    mpp: float,
) -> dict[str, npt.ArrayLike]:
    major_px, minor_px = _axes(*pixels.central_moments())
    # A single pixel has no axes, as in scikit-image, and is round.
    narrowness = np.divide(minor_px, major_px, out=np.ones_like(major_px), where=major_px > 0)
    perimeters_px = crofton_perimeters(labels, pixels.areas_px)
    return {
        "area_um2": pixels.areas_px * mpp**2,
        "perimeter_um": perimeters_px * mpp,
        "major_um": major_px * mpp,
        "minor_um": minor_px * mpp,
        "eccentricity": np.sqrt(1 - narrowness**2),
        "solidity": shapely.area(polygons) / shapely.area(shapely.convex_hull(polygons)),
        "circularity": np.minimum(1, 4 * np.pi * pixels.areas_px / perimeters_px**2),
    }


def _axes(xx: _Floats, yy: _Floats, xy: _Floats) -> tuple[_Floats, _Floats]:
    """Return the axes of the ellipse with these second moments, as scikit-image has them."""
    middle = (xx + yy) / 2
    half_gap = np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return 4 * np.sqrt(middle + half_gap), 4 * np.sqrt(np.maximum(middle - half_gap, 0))


def _stain(pixels: NucleusPixels, rgb: npt.NDArray[np.uint8]) -> dict[str, npt.ArrayLike]:
    # the stains are sums of the channels' densities, so these are added up before
    colours = rgb.reshape(-1, 3)[pixels.indices]
    sums = [pixels.sums(optical_density(colours[:, channel])) for channel in range(3)]
    haematoxylin, eosin = densities_of_sums(*sums)
    return {
        "haematoxylin_od": haematoxylin / pixels.areas_px,
        "eosin_od": eosin / pixels.areas_px,
    }
