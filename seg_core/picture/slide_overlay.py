"""A picture to show: the analysed part with its nuclei outlined, a legend and a scale bar."""

from collections.abc import Callable, Iterator, Sequence
from typing import IO

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from PIL import Image, ImageDraw, ImageFont

from seg_core.classes import ClassScheme
from seg_core.geometry import Raster, Region, Window
from seg_core.picture.nucleus_painting import RGBA, NucleusPainter
from seg_core.picture.viewport import Viewport
from seg_core.scoring import Counted
from seg_core.slide import Slide
from seg_core.store import Run

_RGB = npt.NDArray[np.uint8]
_Size = tuple[int, int]
_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# The longer side of the slide's part in the picture; the legend keeps the whole under 8192.
_LARGEST_PX, _SMALLEST_PX = 7600, 1200

# Letters of a fiftieth of the picture are read on a slide and in print.
_LETTERS_PER_SIDE = 50
_SMALLEST_LETTER_PX = 18

_STRIP_PX = 512
_PAPER, _INK = (255, 255, 255), (20, 20, 20)


def draw_overlay(run: Run, slide: Slide, counted: Counted) -> tuple[Image.Image, float]:
    """Draw the analysed part with its nuclei, at most 8192 pixels on a side.

    It is as fine as the model saw the slide where that fits; a small part is enlarged to 1200
    pixels.

    Parameters
    ----------
    run : Run
    slide : Slide
        Of the run.
    counted : Counted
        The nuclei to draw and to count in the legend; what is left out is framed.

    Returns
    -------
    image : Image
    mpp : float
        Its µm per pixel.

    Raises
    ------
    SlideError
        If the slide cannot be read.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    table = pd.concat(list(counted.nuclei(run)))
    names = counted.names(run)
    painter = NucleusPainter(table, run.scheme)
    grid = grid_over(run, _LARGEST_PX)
    image = Image.fromarray(paint_nuclei(slide, grid, painter, run.scheme.ids_of(names)))
    if run.roi is not None:
        draw_roi(image, run.roi.polygon, grid)
    for roi in counted.left_out:
        draw_roi(image, roi.polygon, grid)
    return with_legend(image, _entries(table, names, run.scheme), grid.mpp), grid.mpp


def paint_nuclei(slide: Slide, grid: Raster, painter: NucleusPainter, shown: Sequence[int]) -> _RGB:
    """Read the slide on a grid and draw its nuclei, some rows at a time.

    Parameters
    ----------
    slide : Slide
    grid : Raster
        Over the part to show.
    painter : NucleusPainter
    shown : sequence of int
        Ids of the classes to draw; see `ClassScheme.ids_of`.

    Returns
    -------
    rgb : (H, W, 3) uint8
    """
    return paint_layers(slide, grid, [(lambda viewport: painter.paint(viewport, shown), 1.0)])


def _nothing() -> None:
    """Do nothing between two strips."""


def paint_layers(
    slide: Slide,
    grid: Raster,
    layers: Sequence[tuple[Callable[[Viewport], _RGB | RGBA], float]],
    go_on: Callable[[], None] = _nothing,
) -> _RGB:
    """Read the slide on a grid and lay pictures over it, some rows at a time.

    Parameters
    ----------
    slide : Slide
    grid : Raster
        Over the part to show.
    layers : sequence of (paint, opacity)
        From the lowest to the topmost; ``paint`` answers (H, W, 3) or (H, W, 4) of a picture.
    go_on : callable
        Called before each strip; it may raise to stop the work.

    Returns
    -------
    rgb : (H, W, 3) uint8
    """
    rgb = np.empty((grid.height, grid.width, 3), dtype=np.uint8)
    for window in _strips(grid):
        go_on()
        x, y = grid.region.x, grid.region.y + window.y * grid.downsample
        viewport = Viewport(x, y, grid.downsample, window.width, window.height)
        strip = slide.read(grid, window)
        for paint, opacity in layers:
            strip = over(strip, paint(viewport), opacity)
        rgb[window.slices()] = strip
    return rgb


def write_png_of_layers(
    slide: Slide,
    region: Region,
    layers: Sequence[tuple[Callable[[Viewport], _RGB | RGBA], float]],
    legend: list[tuple[str, str]],
    file: IO[bytes],
    go_on: Callable[[], None] = _nothing,
) -> None:
    """Write a part of a slide with layers over it, legend and scale bar, at most 8192 pixels.

    Parameters
    ----------
    slide : Slide
    region : Region
    layers : sequence of (paint, opacity)
        As `paint_layers` takes them.
    legend : list of (words, colour)
    file : binary file
    go_on : callable
        As `paint_layers` takes it.
    """
    step = max(1.0, max(region.width, region.height) / _LARGEST_PX)
    mpp = slide.info.mpp
    grid = Raster(region, mpp=step * (mpp or 1.0), downsample=step)
    image = Image.fromarray(paint_layers(slide, grid, layers, go_on))
    go_on()
    whole = with_legend(image, legend, None if mpp is None else grid.mpp)
    whole.save(file, "PNG", compress_level=1)


def grid_over(run: Run, largest_px: int) -> Raster:
    """Lay pixels over the analysed part: the model's, where neither too many nor too few.

    Parameters
    ----------
    run : Run
    largest_px : int
        Of the longer side; a part below 1200 pixels is enlarged to that.
    """
    side = max(run.region.width, run.region.height)
    step = min(max(run.raster.downsample, side / largest_px), side / _SMALLEST_PX)
    return Raster(run.region, mpp=step * run.slide_mpp, downsample=step)


def scale_length_um(width_um: float) -> float:
    """Return a round length, 1, 2 or 5 times a power of ten, of at most a fifth of a width.

    Examples
    --------
    >>> scale_length_um(130), scale_length_um(2600), scale_length_um(60_000)
    (20.0, 500.0, 10000.0)
    """
    largest = width_um / 5
    power = 10.0 ** np.floor(np.log10(largest))
    return float(max(factor * power for factor in (1, 2, 5) if factor * power <= largest))


def _strips(grid: Raster) -> Iterator[Window]:
    for y in range(0, grid.height, _STRIP_PX):
        yield Window(0, y, grid.width, min(_STRIP_PX, grid.height - y))


def over(rgb: _RGB, colours: _RGB | RGBA, opacity: float = 1.0) -> _RGB:
    """Lay a picture with transparency over another."""
    below, above = Image.fromarray(rgb), Image.fromarray(colours)
    covered = above.getchannel("A") if colours.shape[2] == 4 else Image.new("L", above.size, 255)
    mask = covered.point([round(level * opacity) for level in range(256)])
    return np.asarray(Image.composite(above.convert("RGB"), below, mask))


def _entries(
    table: gpd.GeoDataFrame, names: Sequence[str], scheme: ClassScheme
) -> list[tuple[str, str]]:
    """Return the words of the legend and their colours."""
    counts = table["class_name"].value_counts()
    return [(f"{name} {counts.get(name, 0):,}", scheme.colours[name]) for name in names]


def draw_roi(image: Image.Image, polygon: shapely.Polygon, grid: Raster) -> None:
    """Draw the rings of a polygon in level-0 pixels onto a picture of a grid."""
    draw = ImageDraw.Draw(image)
    for ring in (polygon.exterior, *polygon.interiors):
        points = grid.from_level0(shapely.get_coordinates(ring))
        draw.line([*map(tuple, points)], fill=_INK, width=max(2, max(image.size) // 600))


def with_legend(
    image: Image.Image, entries: list[tuple[str, str]], mpp: float | None
) -> Image.Image:
    """Return the picture on paper, with the scale bar and the classes below.

    Where nobody has said how large a pixel is, there is no bar.
    """
    letter = max(_SMALLEST_LETTER_PX, max(image.size) // _LETTERS_PER_SIDE)
    font = ImageFont.load_default(letter)
    items = [] if mpp is None else [_scale_bar(image.width * mpp, mpp, letter, font)]
    items += [_swatch(words, colour, letter, font) for words, colour in entries]
    if not items:
        return image
    width = max(image.width, max(item.width for item in items) + 2 * letter)
    places, height = _places([item.size for item in items], width, letter)
    whole = Image.new("RGB", (width, image.height + height), _PAPER)
    whole.paste(image, (0, 0))
    for item, (x, y) in zip(items, places, strict=True):
        whole.paste(item, (x, image.height + y))
    return whole


def _places(sizes: list[_Size], width: int, letter: int) -> tuple[list[_Size], int]:
    """Put items side by side, in as many rows as they need; return corners and height."""
    places: list[_Size] = []
    x, y = letter, letter
    for item_width, item_height in sizes:
        if places and x + item_width + letter > width:
            x, y = letter, y + item_height + letter // 2
        places.append((x, y))
        x += item_width + 2 * letter
    return places, y + sizes[-1][1] + letter


def _swatch(words: str, colour: str, letter: int, font: _Font) -> Image.Image:
    """Draw a square of a colour and the words that say what it stands for."""
    length = int(font.getlength(words))
    item = Image.new("RGB", (letter + letter // 2 + length, _item_height(letter)), _PAPER)
    draw = ImageDraw.Draw(item)
    draw.rectangle((0, letter // 8, letter, letter // 8 + letter), fill=colour)
    draw.text((letter + letter // 2, 0), words, fill=_INK, font=font)
    return item


def _scale_bar(width_um: float, mpp: float, letter: int, font: _Font) -> Image.Image:
    """Draw a bar with its length in µm, mm from a thousand on."""
    length_um = scale_length_um(width_um)
    length = max(1, round(length_um / mpp))
    in_mm = length_um >= 1000
    number = f"{length_um / 1000 if in_mm else length_um:g} "
    unit_x = length + letter // 2 + int(font.getlength(number))
    unit = "mm" if in_mm else "um"
    item = Image.new("RGB", (unit_x + int(font.getlength(unit)) + 1, _item_height(letter)), _PAPER)
    draw = ImageDraw.Draw(item)
    thick = max(3, letter // 4)
    top = letter // 8 + (letter - thick) // 2
    draw.rectangle((0, top, length - 1, top + thick - 1), fill=_INK)
    draw.text((length + letter // 2, 0), number, fill=_INK, font=font)
    draw.text((unit_x, 0), unit, fill=_INK, font=font)
    if not in_mm:
        # Pillow's own letters have no µ: it is a u whose left stem goes on below the line
        left, upper, _, lower = draw.textbbox((unit_x, 0), "u", font=font)
        stem = max(1, letter // 12)
        draw.rectangle((left, upper, left + stem - 1, lower + letter // 5), fill=_INK)
    return item


def _item_height(letter: int) -> int:
    return letter + letter // 2
