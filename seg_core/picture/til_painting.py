"""TIL scores as pictures over the slide: compartments and squares, in the viewer and as a file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from seg_core.classes import MONUSAC, rgb_of
from seg_core.files.atomic import new_file
from seg_core.geometry import Raster, Region
from seg_core.picture.nucleus_painting import RGBA
from seg_core.picture.slide_overlay import over, with_legend
from seg_core.picture.viewport import Viewport
from seg_core.slide import Slide
from seg_core.til import TilResult
from seg_core.til.compartments import EPITHELIUM, STROMA, Compartments

EPITHELIUM_COLOUR = MONUSAC.colours["epithelial"]
STROMA_COLOUR = "#56b4e9"

_NUMBERS = 6
_LARGEST_PX = 2400
_SQUARES_OPACITY = 0.6
_EDGE_SHARE = 0.02  # of a square's side is left free, so that neighbours are told apart

LEAST_AREA = 0.1
"""Of a square: a score of less area than that is one of a speck, 0 % or more than anywhere else."""

# All but the few highest squares share the colours; what lies above has the last one.
_SHOWN_QUANTILE = 0.98


@dataclass(frozen=True)
class SquareMap:
    """What the squares of a map show.

    Attributes
    ----------
    title, unit : str
    column : str
        Of the squares, or of the squares of the phenotype.
    area : str, optional
        The column of the area that the number is of; where that is less than `LEAST_AREA` of the
        square there is nothing to show.
    colours : dict of str to str, optional
        ``#rrggbb`` by word, where the squares fall into kinds; by default they have numbers.
    top : float, optional
        The number from which squares have the last colour, where maps of several slides are to be
        compared; by default nearly the highest of the slide.
    """

    title: str
    unit: str
    column: str
    area: str | None = None
    colours: dict[str, str] | None = None
    top: float | None = None

    def values(self, result: TilResult) -> pd.DataFrame:
        """Return the squares that have something to show, with it in the column ``value``."""
        if self.column == "phenotype":
            squares = result.phenotype_squares
            return squares.assign(value=squares["phenotype"])[squares["phenotype"] != ""]
        squares = result.squares
        if self.column == "hotspot":
            both = squares["lymphocyte_hotspot"] & squares["epithelial_hotspot"]
            kinds = [both, squares["lymphocyte_hotspot"], squares["epithelial_hotspot"]]
            value = np.select(kinds, ["both", "lymphocytes", "epithelium"], "")
            return squares.assign(value=value)[value != ""]
        if self.area is not None:
            least_um2 = LEAST_AREA * result.settings.square_um**2
            squares = squares[squares[self.area] >= least_um2]
        return squares.assign(value=squares[self.column]).dropna(subset="value")

    def limit(self, squares: pd.DataFrame) -> float:
        """Return the number from which squares have the last colour."""
        if self.top is not None:
            return self.top
        numbers = squares["value"].to_numpy(float)
        highest = float(np.quantile(numbers, _SHOWN_QUANTILE)) if len(numbers) else 0.0
        return _round_up(highest)


MapName = Literal["stil", "tissue", "stroma", "epithelium", "hotspots", "phenotype"]

SQUARE_MAPS: dict[MapName, SquareMap] = {
    "stil": SquareMap("sTIL area", "% of stroma", "stil_area_pct", "stroma_um2"),
    "tissue": SquareMap(
        "Lymphocytes in tissue", "per mm²", "lymphocyte_per_mm2_tissue", "tissue_um2"
    ),
    "stroma": SquareMap(
        "Lymphocytes in stroma", "per mm²", "lymphocyte_per_mm2_stroma", "stroma_um2"
    ),
    "epithelium": SquareMap(
        "Lymphocytes in epithelium", "per mm²", "lymphocyte_per_mm2_epithelium", "epithelium_um2"
    ),
    "hotspots": SquareMap(
        "Hotspots (Gi*)",
        "",
        "hotspot",
        colours={"lymphocytes": "#0072ff", "epithelium": "#e69f00", "both": "#cc79a7"},
    ),
    "phenotype": SquareMap(
        "Immune phenotype",
        "",
        "phenotype",
        colours={"inflamed": "#d55e00", "excluded": "#f0e442", "desert": "#0072b2"},
    ),
}


def colours_of_numbers(count: int) -> list[str]:
    """Return so many colours from low to high, ``#rrggbb``: viridis, which all eyes can order.

    Examples
    --------
    >>> colours_of_numbers(2)
    ['#440154', '#fde725']
    """
    steps = np.linspace(0, 255, count).round().astype(np.uint8)
    blue_green_red = cv2.applyColorMap(steps[:, None], cv2.COLORMAP_VIRIDIS)[:, 0]
    return [f"#{red:02x}{green:02x}{blue:02x}" for blue, green, red in blue_green_red]


def render_compartments(compartments: Compartments, viewport: Viewport) -> RGBA:
    """Colour epithelium and stroma, each pixel by the nearest one of the map.

    Parameters
    ----------
    compartments : Compartments
    viewport : Viewport

    Returns
    -------
    rgba : (H, W, 4) uint8
    """
    colours = np.zeros((256, 4), dtype=np.uint8)
    colours[EPITHELIUM] = (*rgb_of(EPITHELIUM_COLOUR), 255)
    colours[STROMA] = (*rgb_of(STROMA_COLOUR), 255)
    field = compartments.field
    across = viewport.x + (np.arange(viewport.width) + 0.5) * viewport.step
    down = viewport.y + (np.arange(viewport.height) + 0.5) * viewport.step
    _, columns = field.pixels_of(across, np.full_like(across, viewport.y)).T
    rows, _ = field.pixels_of(np.full_like(down, viewport.x), down).T
    height, width = compartments.labels.shape
    labels = compartments.labels[
        np.ix_(np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1))
    ]
    labels[(rows < 0) | (rows >= height)] = 0
    labels[:, (columns < 0) | (columns >= width)] = 0
    return colours[labels]


def render_squares(result: TilResult, shown: SquareMap, viewport: Viewport) -> RGBA:
    """Fill the squares of a map with their colours.

    Parameters
    ----------
    result : TilResult
    shown : SquareMap
    viewport : Viewport

    Returns
    -------
    rgba : (H, W, 4) uint8
    """
    squares = shown.values(result)
    rgba = np.zeros((viewport.height, viewport.width, 4), dtype=np.uint8)
    palette, numbers = _palette(shown, squares)
    rows = zip(squares["x_px"], squares["y_px"], squares["side_px"], numbers, strict=True)
    for x, y, side, number in rows:
        gap = side * _EDGE_SHARE / 2
        left, right = _span(x + gap, x + side - gap, viewport.x, viewport.step, viewport.width)
        top, bottom = _span(y + gap, y + side - gap, viewport.y, viewport.step, viewport.height)
        rgba[top:bottom, left:right] = (*rgb_of(palette[number]), 255)
    return rgba


def backdrop_of(
    slide: Slide, result: TilResult, largest_px: int
) -> tuple[Raster, npt.NDArray[np.uint8]]:
    """Read the part of the slide that the squares of an assessment cover.

    Parameters
    ----------
    slide : Slide
    result : TilResult
    largest_px : int
        Of the longer side; a smaller part is not enlarged.

    Returns
    -------
    grid : Raster
        Its pixels on the slide.
    rgb : (H, W, 3) uint8
    """
    field = result.compartments.field
    squares, bounds = result.squares, slide.info.bounds
    if len(squares):
        left, top = squares[["x_px", "y_px"]].min()
        right, bottom = squares[["x_px", "y_px"]].max() + squares["side_px"].iloc[0]
        whole = Region(int(left), int(top), round(right - left), round(bottom - top))
        region = whole.intersection(bounds) or bounds
    else:
        region = bounds
    step = max(1.0, max(region.width, region.height) / largest_px)
    grid = Raster(region, field.raster.slide_mpp * step, step)
    return grid, slide.read(grid, grid.window)


def write_map_png(
    result: TilResult, slide: Slide, name: MapName, path: Path, *, force: bool = False
) -> None:
    """Write a map of squares over the slide, with its legend and a scale bar.

    Parameters
    ----------
    result : TilResult
    slide : Slide
    name : {"stil", "tissue", "stroma", "epithelium", "hotspots", "phenotype"}
    path : Path
    force : bool
        Replace a file of that name.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    """
    with new_file(path, force=force) as temporary:
        draw_map(result, slide, name, _LARGEST_PX).save(temporary, "PNG")


def draw_map(
    result: TilResult,
    slide: Slide,
    name: MapName,
    largest_px: int,
    *,
    top: float | None = None,
) -> Image.Image:
    """Draw a map of squares over the slide, with its legend and a scale bar.

    Parameters
    ----------
    result : TilResult
    slide : Slide
    name : {"stil", "tissue", "stroma", "epithelium", "hotspots", "phenotype"}
    largest_px : int
        Of the longer side of the map.
    top : float, optional
        As of `SquareMap`.
    """
    shown = replace(SQUARE_MAPS[name], top=top)
    grid, rgb = backdrop_of(slide, result, largest_px)
    viewport = Viewport(grid.region.x, grid.region.y, grid.downsample, grid.width, grid.height)
    squares = render_squares(result, shown, viewport)
    squares[..., 3] = np.where(squares[..., 3] > 0, round(255 * _SQUARES_OPACITY), 0)
    image = Image.fromarray(over(rgb, squares))
    return with_legend(image, _legend(shown, result), grid.mpp)


def _palette(shown: SquareMap, squares: pd.DataFrame) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return colours, and the number of each square's colour."""
    if shown.colours is not None:
        words = list(shown.colours)
        return list(shown.colours.values()), np.array(
            [words.index(value) for value in squares["value"]], dtype=np.int64
        )
    shares = squares["value"].to_numpy(float) / shown.limit(squares)
    return colours_of_numbers(256), np.clip(shares * 255, 0, 255).astype(np.int64)


def _legend(shown: SquareMap, result: TilResult) -> list[tuple[str, str]]:
    if shown.colours is not None:
        return list(shown.colours.items())
    limit = shown.limit(shown.values(result))
    steps = np.linspace(0, limit, _NUMBERS)
    words = [f"{step:g}" for step in steps]
    words[-1] += f" and more, {shown.unit.replace('²', '2')}"
    return list(zip(words, colours_of_numbers(_NUMBERS), strict=True))


def _span(low: float, high: float, start: float, step: float, pixels: int) -> tuple[int, int]:
    """Return which pixels of a picture a length covers, at least one where it is in view."""
    first, past = round((low - start) / step), round((high - start) / step)
    return min(max(first, 0), pixels), min(max(past, first + 1, 0), pixels)


def _round_up(number: float) -> float:
    """Return the next number with one digit that is not zero; 1 for none.

    Examples
    --------
    >>> _round_up(0.034), _round_up(1234), _round_up(0)
    (0.04, 2000.0, 1.0)
    """
    if number <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(number))
    return float(round(np.ceil(number / power - 1e-9) * power, 12))
