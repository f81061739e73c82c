"""Where the epithelium is and where the stroma: estimated from the nuclei, on a grid.

MoNuSAC has no stroma class, and its epithelium is benign and malignant alike, so both compartments
are estimates. At the dilation of the settings E is made of polygons: its outlines are exact, and a
map of `TilSettings.grid_um` shows which pixels have their centre inside. At the other dilations, of
which only areas are shown, it is drawn on that grid with Euclidean distances between pixel centres:
outlines lie within about half a pixel, and areas within 3 %; the tests measure both.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import scipy.sparse
import scipy.sparse.csgraph

from seg_core.til.epithelium import epithelium_outlines, in_outlines
from seg_core.til.field import Field
from seg_core.til.masks import Mask, bands, distances_px, fill_polygons, shrunk, within
from seg_core.til.score_settings import TilSettings

_Floats = npt.NDArray[np.float64]

OUTSIDE, TISSUE, STROMA, EPITHELIUM = 0, 1, 2, 3
"""Values of the map of compartments."""

# 500 µm are measured on a grid so much coarser; the outer edge of S is then true to 5 µm.
_COARSER = 4


@dataclass(frozen=True)
class Compartments:
    """Estimated epithelium and stroma of a field.

    Attributes
    ----------
    field : Field
    labels : (H, W) uint8
        `OUTSIDE` the field, `TISSUE` of neither compartment, `STROMA` (S: tissue outside E and near
        it, or anywhere in a tumour that was drawn) or `EPITHELIUM` (E: the grown and shrunk union of the epithelial nuclei), in the window
        of the field.
    outlines : (N,) shapely.Polygon or None
        E exactly, level-0 pixels, of which the map shows each pixel's centre; None where E was made
        on the grid.
    """

    field: Field
    labels: npt.NDArray[np.uint8]
    outlines: npt.NDArray[np.object_] | None = None

    def places(
        self, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Tell which points of the field, level-0 pixels, lie in E and which in S.

        A small sample has tens of nuclei in E, so being half a pixel off would be percents: where
        its outlines are known they decide.
        """
        rows, columns = self.field.pixels_of(x, y).T
        label = self.labels[rows, columns]
        if self.outlines is None:
            return np.equal(label, EPITHELIUM), np.equal(label, STROMA)
        epithelium = in_outlines(self.outlines, x, y)
        return epithelium, (label >= STROMA) & ~epithelium

    @property
    def epithelium(self) -> Mask:
        """E as a mask."""
        return np.equal(self.labels, EPITHELIUM)

    @property
    def stroma(self) -> Mask:
        """S as a mask."""
        return np.equal(self.labels, STROMA)


def find_compartments(
    field: Field, epithelial: gpd.GeoDataFrame, settings: TilSettings
) -> Iterator[tuple[float, Compartments]]:
    """Estimate epithelium and stroma from the epithelial nuclei of a field, at every dilation of interest.

    The growth past the outermost nuclei, dilation less erosion of the settings, is the same at all
    of them: what changes is how wide a gap between nuclei is closed.

    Parameters
    ----------
    field : Field
    epithelial : NucleusTable
        Epithelial nuclei with their centroids in the field.
    settings : TilSettings

    Yields
    ------
    dilation_um : float
        That of the settings, then `TilSettings.other_dilations_um`.
    compartments : Compartments
    """
    exact = _exact(field, epithelial, settings)
    yield settings.dilation_um, exact
    centres = field.pixels_of(epithelial["x"], epithelial["y"])
    others = settings.other_dilations_um
    if not others:
        return
    dilations = sorted({*others})
    levels = _dilation_levels(field, epithelial.geometry.to_numpy(), dilations, settings.grid_um)
    for dilation in others:
        if dilation == settings.dilation_um:
            yield dilation, exact
            continue
        erosion_px = (dilation - settings.growth_um) / settings.grid_um
        closed = _closed(field, levels, dilations.index(dilation), erosion_px)
        yield dilation, _with_stroma(field, _large_islands(closed, centres, settings), settings)


def _exact(field: Field, epithelial: gpd.GeoDataFrame, settings: TilSettings) -> Compartments:
    """Return the compartments at the dilation of the settings, E by its outlines."""
    mpp = field.raster.slide_mpp
    outlines = epithelium_outlines(epithelial, mpp, settings)
    mask = fill_polygons(outlines, field.raster, field.window) & field.mask
    return replace(_with_stroma(field, mask, settings), outlines=outlines)


def _closed(field: Field, levels: npt.NDArray[np.uint8], reached: int, erosion_px: float) -> Mask:
    """Return the pixels of the field that one dilation reaches and its erosion leaves."""
    margin = (len(levels) - field.window.height) // 2
    closed = shrunk(levels <= reached, erosion_px)
    return closed[margin:-margin, margin:-margin] & field.mask


def _dilation_levels(
    field: Field,
    outlines: npt.NDArray[np.object_],
    dilations_um: Sequence[float],
    grid_um: float,
) -> npt.NDArray[np.uint8]:
    """Return how many of the rising dilations do not reach each pixel of the window.

    A margin around the window lets what the window's edge cuts shrink as it would without an edge.
    """
    window = field.window.expanded(_margin_px(dilations_um, grid_um))
    outside = ~fill_polygons(outlines, field.raster, window)
    levels = np.full(outside.shape, len(dilations_um), dtype=np.uint8)
    for band, distance in distances_px(outside, dilations_um[-1] / grid_um):
        levels[band] = sum((distance * grid_um > each).astype(np.uint8) for each in dilations_um)
    return levels


def _margin_px(dilations_um: Sequence[float], grid_um: float) -> int:
    return math.ceil(max(dilations_um) / grid_um) + 1


def _with_stroma(field: Field, epithelium: Mask, settings: TilSettings) -> Compartments:
    labels = field.mask.astype(np.uint8)
    if field.tumour is not None:
        labels[field.mask] = STROMA
        labels[epithelium] = EPITHELIUM
        return Compartments(field, labels)
    reach_px = settings.stroma_reach_um / (settings.grid_um * _COARSER)
    near = within(_coarser(epithelium), reach_px)
    for band in bands(len(labels)):
        rows = near[np.arange(band.start, band.stop) // _COARSER]
        reached = rows.repeat(_COARSER, axis=1)[:, : labels.shape[1]] & field.mask[band]
        labels[band][reached] = STROMA
        labels[band][epithelium[band]] = EPITHELIUM
    return Compartments(field, labels)


def _coarser(mask: Mask) -> Mask:
    """Return which blocks of pixels are covered by half."""
    height, width = mask.shape
    counts = np.zeros((math.ceil(height / _COARSER), math.ceil(width / _COARSER)), dtype=np.uint8)
    for row, column in np.ndindex(_COARSER, _COARSER):
        part = mask[row::_COARSER, column::_COARSER]
        counts[: part.shape[0], : part.shape[1]] += part
    return counts * 2 >= _COARSER**2


def _large_islands(mask: Mask, centres: npt.NDArray[np.int64], settings: TilSettings) -> Mask:
    """Return the connected parts, four neighbours a pixel, that hold enough centres."""
    parts = bands(len(mask))
    nuclei: list[_Floats] = [np.zeros(1)]
    links, offsets = [np.zeros((0, 2), np.int64)], []
    offset, above = 0, np.zeros(mask.shape[1], np.int32)
    for band in parts:
        offsets.append(offset)
        count, labels = _label(mask[band], offset)
        own = centres[(centres[:, 0] >= band.start) & (centres[:, 0] < band.stop)]
        held = labels[own[:, 0] - band.start, own[:, 1]]
        inside = held[held > 0] - offset - 1
        nuclei.append(np.bincount(inside, minlength=count).astype(np.float64))
        touching = (above > 0) & (labels[0] > 0)
        links.append(np.unique(np.stack([above, labels[0]], axis=1)[touching], axis=0))
        offset, above = offset + count, labels[-1]
    i, j = np.concatenate(links).T
    graph = scipy.sparse.coo_array((np.ones(len(i)), (i, j)), shape=(offset + 1, offset + 1))
    _, island_of = scipy.sparse.csgraph.connected_components(graph, directed=False)
    nuclei_of_island = np.bincount(island_of, weights=np.concatenate(nuclei))
    large = nuclei_of_island[island_of] >= settings.min_island_nuclei
    large[0] = False  # label 0 is what is not in the mask
    kept = np.zeros_like(mask)
    for band, before in zip(parts, offsets, strict=True):
        kept[band] = large[_label(mask[band], before)[1]]
    return kept


def _label(mask: Mask, offset: int) -> tuple[int, npt.NDArray[np.int32]]:
    """Return how many parts a band has, and their labels, counted on from those before."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    labels[labels > 0] += offset
    return count - 1, labels
