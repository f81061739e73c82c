"""What the maps of a run look like at any enlargement, also of a whole slide on a screen.

Where a picture is as fine as the maps, each of its pixels has the colour of the nearest value. Where
it is coarser it shows shares: how much of the pixel's area each class covers. A single sampled
value would be one nucleus or one gap out of hundreds, by chance.
"""

import math
from collections.abc import Collection, Sequence

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.classes import ClassScheme
from seg_core.geometry import Raster, Window
from seg_core.maps import MapName
from seg_core.picture.nucleus_painting import (
    BOUNDARY_RGBA,
    INSIDE_RGBA,
    RGBA,
    paint_classes,
    paint_ternary,
    sample_map,
)
from seg_core.picture.uncounted import Uncounted
from seg_core.picture.viewport import Viewport
from seg_core.slide import TissueMask
from seg_core.store import RunMaps

_Planes = npt.NDArray[np.uint8]
_Box = tuple[float, float, float, float]

# A class that covers a twentieth of an area would hardly be seen, and a dense infiltrate covers
# but a third: opacity is the square root of the share.
_OPACITY_OF_SHARE = np.rint(np.sqrt(np.arange(256) / 255) * 255).astype(np.uint8)

TISSUE_RGB = (0, 150, 110)
"""A green that no stain has."""


SCORE_RANGE = (0.2, 1.0)
"""Scores at the ends of the colour scale: the largest of five probabilities is never below 0.2."""

# Cividis, read alike with and without colour blindness: dark blue is unsure, yellow is sure.
_SCORE_COLOURS: npt.NDArray[np.uint8] = cv2.applyColorMap(
    np.arange(256, dtype=np.uint8)[None], cv2.COLORMAP_CIVIDIS
)[0, :, ::-1]


def render_classes(
    maps: RunMaps,
    raster: Raster,
    viewport: Viewport,
    scheme: ClassScheme,
    shown: Collection[int],
    *,
    uncounted: Uncounted | None = None,
) -> RGBA:
    """Paint the class map; the stronger a colour, the more of the pixel is nuclei of the class.

    Where several classes share a pixel, so do their colours.

    Parameters
    ----------
    maps : RunMaps
    raster : Raster
        The maps' level 0.
    viewport : Viewport
    scheme : ClassScheme
    shown : collection of int
        Ids of the classes to paint.
    uncounted : Uncounted, optional
        Nuclei that are not painted.

    Returns
    -------
    rgba : (H, W, 4) uint8
    """
    if viewport.step <= raster.downsample:
        rgba = paint_classes(sample_map(maps, "class", raster, viewport), scheme, shown)
        if uncounted is not None:
            rgba[..., 3] = uncounted.hide(rgba[..., 3], viewport)
        return rgba
    planes = sample_shares(maps, "class", raster, viewport)
    if uncounted is not None:
        planes = uncounted.take_out(planes, viewport)
    wanted = [each for each in scheme.classes if each.id in shown]
    shares = planes[[each.id - 1 for each in wanted]]
    rgba = paint_shares(shares, [(*each.rgb, 255) for each in wanted])
    rgba[..., 3] = _OPACITY_OF_SHARE[rgba[..., 3]]
    return rgba


def render_boundaries(maps: RunMaps, raster: Raster, viewport: Viewport) -> RGBA:
    """Paint rims and insides of nuclei; from afar both fade into one another as they would to the eye.

    Parameters
    ----------
    maps : RunMaps
    raster : Raster
    viewport : Viewport

    Returns
    -------
    rgba : (H, W, 4) uint8
    """
    if viewport.step <= raster.downsample:
        return paint_ternary(sample_map(maps, "ternary", raster, viewport))
    shares = sample_shares(maps, "ternary", raster, viewport)
    return paint_shares(shares, [INSIDE_RGBA, BOUNDARY_RGBA])


def render_scores(maps: RunMaps, raster: Raster, viewport: Viewport) -> RGBA:
    """Paint how sure the network is of the class of nuclei, from afar their mean.

    Parameters
    ----------
    maps : RunMaps
    raster : Raster
    viewport : Viewport

    Returns
    -------
    rgba : (H, W, 4) uint8
    """
    classes, box = _shares_under(maps, "class", raster, viewport)
    nuclei = np.minimum(classes.sum(axis=0, keepdims=True), 255).astype(np.uint8)
    (covered,) = _averaged(nuclei, box, viewport)
    score = sample_shares(maps, "score", raster, viewport)[0] / np.maximum(covered, 1)
    low, high = SCORE_RANGE
    rgba = np.empty((viewport.height, viewport.width, 4), dtype=np.uint8)
    place = (np.clip(score, low, high) - low) / (high - low)
    rgba[..., :3] = _SCORE_COLOURS[np.rint(place * 255).astype(np.uint8)]
    rgba[..., 3] = _OPACITY_OF_SHARE[covered]
    return rgba


def render_mask(
    tissue: TissueMask, viewport: Viewport, colour: tuple[int, int, int] = TISSUE_RGB
) -> RGBA:
    """Paint what a coarse mask covers; from afar by its share.

    Parameters
    ----------
    tissue : TissueMask
    viewport : Viewport
    colour : (red, green, blue)

    Returns
    -------
    rgba : (H, W, 4) uint8
    """
    corner = tissue.raster.from_level0([viewport.box[:2]])[0]
    step = viewport.step / tissue.raster.downsample
    wide, high = viewport.width * step, viewport.height * step
    # a pixel more on each side: smoothing looks at the neighbours
    x, y = (math.floor(each) - 1 for each in corner)
    width, height = math.ceil(corner[0] + wide) + 1 - x, math.ceil(corner[1] + high) + 1 - y
    seen = np.zeros((height, width), dtype=np.uint8)
    inside = Window(x, y, width, height).intersection(tissue.raster.window)
    if inside is not None:
        seen[inside.moved(-x, -y).slices()] = tissue.mask[inside.slices()] * np.uint8(255)
    left, top = corner - (x, y)
    smooth = Image.fromarray(seen).resize(
        (viewport.width, viewport.height),
        Image.Resampling.BILINEAR,
        box=(left, top, left + wide, top + high),
    )
    rgba = np.empty((viewport.height, viewport.width, 4), dtype=np.uint8)
    rgba[..., :3] = colour
    rgba[..., 3] = np.asarray(smooth)
    return rgba


def score_colours(count: int) -> list[str]:
    """Return evenly spaced colours of the score's scale, the lowest first, as ``#rrggbb``.

    Examples
    --------
    >>> score_colours(2)
    ['#00224e', '#fee838']
    """
    chosen = _SCORE_COLOURS[np.linspace(0, 255, count).round().astype(int)]
    return ["#" + bytes(colour).hex() for colour in chosen]


def sample_shares(maps: RunMaps, name: MapName, raster: Raster, viewport: Viewport) -> _Planes:
    """Average the shares of a map over each pixel of a picture.

    The coarsest level is read that is not coarser than the picture, and each of its pixels counts
    for the one pixel of the picture that holds its centre. Outside the raster all is 0.

    Parameters
    ----------
    maps : RunMaps
        Of the whole raster.
    name : {"class", "ternary", "score"}
    raster : Raster
    viewport : Viewport

    Returns
    -------
    (P, H, W) uint8
        Planes as `seg_core.store.shares` describes them, 255 for all of the pixel.
    """
    return _averaged(*_shares_under(maps, name, raster, viewport), viewport)


def _shares_under(
    maps: RunMaps, name: MapName, raster: Raster, viewport: Viewport
) -> tuple[_Planes, _Box]:
    """Return the shares of the level to take, and where in them the picture lies."""
    ratio = viewport.step / raster.downsample
    level = max(0, min(maps.share_level_count - 1, math.floor(math.log2(ratio))))
    pixel = raster.downsample * 2**level
    left, top = (viewport.x - raster.region.x) / pixel, (viewport.y - raster.region.y) / pixel
    width, height = (side * viewport.step / pixel for side in (viewport.width, viewport.height))
    x, y = math.floor(left), math.floor(top)
    window = Window(x, y, math.ceil(left + width) - x, math.ceil(top + height) - y)
    box = (left - x, top - y, left - x + width, top - y + height)
    return maps.read_shares(name, window, level), box


def _averaged(planes: _Planes, box: _Box, viewport: Viewport) -> _Planes:
    size = (viewport.width, viewport.height)
    resized = [
        Image.fromarray(plane).resize(size, Image.Resampling.BOX, box=box) for plane in planes
    ]
    return np.stack([np.asarray(each) for each in resized])


def paint_shares(shares: _Planes, colours: Sequence[tuple[int, int, int, int]]) -> RGBA:
    """Mix colours in proportion to their shares, as the eye would from afar.

    Parameters
    ----------
    shares : (P, H, W) uint8
    colours : sequence of P times (red, green, blue, opacity)

    Returns
    -------
    rgba : (H, W, 4) uint8

    Examples
    --------
    >>> half = np.full((2, 1, 1), 127, dtype=np.uint8)
    >>> paint_shares(half, [(200, 0, 0, 255), (0, 100, 0, 255)]).tolist()
    [[[100, 50, 0, 254]]]
    """
    _, height, width = shares.shape
    if not shares.any():
        return np.zeros((height, width, 4), dtype=np.uint8)
    table = np.array(colours, dtype=np.float32)
    opacity = shares.reshape(len(table), -1) * (table[:, 3:] / 255)
    total = opacity.sum(axis=0)
    mixed = (opacity.T @ table[:, :3]) / np.maximum(total, 1e-6)[:, None]
    rgba = np.column_stack([mixed, np.minimum(total, 255)])
    return np.rint(rgba).astype(np.uint8).reshape(height, width, 4)
