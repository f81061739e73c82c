"""The maps of a run and its nuclei as pixels, in one pyramidal OME-TIFF.

The file holds three images of the analysed part, at the model's µm per pixel:

0. *class map*, 8 bit, in the colours of the classes
1. *ternary map*, 8 bit: 0 background, 1 inside, 2 boundary
2. *nuclei*, 32 bit: the ``nucleus_id`` of the table, 0 where there is none

Each has levels of half the side, tiles of 512 pixels, the size of a pixel and the place of its
corner on the slide in µm. The levels are those of the store, so the part is widened to whole pixels
of the coarsest one. OpenSlide shows the first image; tifffile, Bio-Formats and QuPath read all.

Tiles are written one by one. Nuclei are drawn from their outlines, part after part of the table,
into a compressed array on disk that is removed afterwards: memory does not grow with the slide.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
import tifffile
import zarr

from seg_core.classes import BACKGROUND, BOUNDARY, INSIDE, ClassScheme
from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.files.atomic import new_file, scratch_folder
from seg_core.geometry import Raster, Window
from seg_core.nuclei.filling import fill_polygons
from seg_core.store import Run

TILE_PX = 512

# Nuclei are drawn in squares of this side, so that a square is read and packed seldom.
_BLOCK_PX = 4 * TILE_PX

_TERNARY_COLOURS = {BACKGROUND: (0, 0, 0), INSIDE: (255, 255, 255), BOUNDARY: (128, 128, 128)}

_UM_PER_CM = 1e4

_ReadLevel = Callable[[Window, int], npt.NDArray[Any]]


def write_ome_tiff(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> None:
    """Write class map, ternary map and nuclei.

    Parameters
    ----------
    run : Run
    path : Path
    options : ExportOptions
        ``other``, ``part`` and ``rois``, of which the third image tells, and ``force``.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    StoreError
        If the run has no nuclei yet.
    """
    parts = options.counted(run).nuclei(run)
    maps = run.maps()
    pyramid = _Pyramid.around(run.window, run.raster)
    with (
        new_file(path, force=options.force) as temporary,
        scratch_folder(path) as folder,
        tifffile.TiffWriter(temporary, bigtiff=True, ome=True) as file,
    ):
        labels = _label_levels(parts, pyramid, run.raster, folder)
        class_names = [
            "0 background",
            *(f"{each.id} {each.name}" for each in run.model_scheme.classes),
        ]
        pyramid.write(
            file,
            lambda window, level: maps.read(window, level).class_map,
            np.dtype(np.uint8),
            name="class map",
            description=", ".join(class_names),
            colormap=_colormap_of_classes(run.model_scheme),
        )
        pyramid.write(
            file,
            lambda window, level: maps.read(window, level).ternary_map,
            np.dtype(np.uint8),
            name="ternary map",
            description="0 background, 1 inside, 2 boundary",
            colormap=_colormap(_TERNARY_COLOURS),
        )
        pyramid.write(
            file,
            lambda window, level: _padded(labels[level], window.moved(*pyramid.corner_to(level))),
            np.dtype(np.uint32),
            name="nuclei",
            description=f"nucleus_id of the table of nuclei; 0 none. {options.counted(run).in_words(run)}",
        )


@dataclass(frozen=True)
class _Pyramid:
    """The part that is exported, in pixels of the raster, and how it is written.

    Attributes
    ----------
    window : Window
        Its corner is whole in pixels of the coarsest level.
    shapes : tuple of (int, int)
        Height and width of each level.
    raster : Raster
    """

    window: Window
    shapes: tuple[tuple[int, int], ...]
    raster: Raster

    @classmethod
    def around(cls, window: Window, raster: Raster) -> "_Pyramid":
        """Widen a window to whole pixels of its coarsest level, the first within one tile."""
        count = 1
        while max(window.width, window.height) > TILE_PX << (count - 1):
            count += 1
        step = 1 << (count - 1)
        x, y = window.x // step * step, window.y // step * step
        right = min(-(-window.right // step) * step, raster.width)
        bottom = min(-(-window.bottom // step) * step, raster.height)
        widened = Window(x, y, right - x, bottom - y)
        shapes = tuple(
            (-(-widened.height // (1 << level)), -(-widened.width // (1 << level)))
            for level in range(count)
        )
        return cls(widened, shapes, raster)

    def corner_to(self, level: int) -> tuple[int, int]:
        """Return the way from the window's corner to the raster's, in pixels of a level."""
        return -(self.window.x >> level), -(self.window.y >> level)

    def write(
        self,
        file: tifffile.TiffWriter,
        read: _ReadLevel,
        dtype: np.dtype[Any],
        *,
        name: str,
        description: str,
        colormap: npt.NDArray[np.uint16] | None = None,
    ) -> None:
        """Write an image with all its levels; ``read`` takes windows of a level of the raster."""
        mpp = self.raster.mpp
        ((x, y),) = self.raster.to_level0([[self.window.x, self.window.y]])
        slide_mpp = self.raster.slide_mpp
        place = (
            f"Its corner is level-0 pixel ({x:g}, {y:g}) of the slide, and a pixel measures "
            f"{self.raster.downsample:g} level-0 pixels."
        )
        metadata = {
            "axes": "YX",
            "Name": name,
            "Description": f"{description}. {place}",
            "PhysicalSizeX": mpp,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": mpp,
            "PhysicalSizeYUnit": "µm",
            "Plane": {
                "PositionX": [x * slide_mpp],
                "PositionXUnit": ["µm"],
                "PositionY": [y * slide_mpp],
                "PositionYUnit": ["µm"],
            },
        }
        for level, shape in enumerate(self.shapes):
            per_cm = _UM_PER_CM / (mpp * 2**level)
            file.write(
                self._tiles(read, level),
                shape=shape,
                dtype=dtype,
                tile=(TILE_PX, TILE_PX),
                compression="zlib",
                photometric="minisblack" if colormap is None else "palette",
                colormap=colormap,
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                subifds=len(self.shapes) - 1 if level == 0 else None,
                subfiletype=0 if level == 0 else 1,
                metadata=metadata if level == 0 else None,
                maxworkers=1,
            )

    def _tiles(self, read: _ReadLevel, level: int) -> Iterator[npt.NDArray[Any]]:
        height, width = self.shapes[level]
        dx, dy = self.corner_to(level)
        for y in range(0, height, TILE_PX):
            for x in range(0, width, TILE_PX):
                yield read(Window(x - dx, y - dy, TILE_PX, TILE_PX), level)


def _label_levels(
    parts: Iterator[gpd.GeoDataFrame], pyramid: _Pyramid, raster: Raster, folder: Path
) -> list[zarr.Array[Any]]:
    """Draw the nuclei into an array on disk, and make its coarser levels."""
    levels = [
        zarr.create_array(
            folder / str(level),
            shape=shape,
            chunks=(TILE_PX, TILE_PX),
            dtype="uint32",
            fill_value=0,
        )
        for level, shape in enumerate(pyramid.shapes)
    ]
    corner = np.array([pyramid.window.x, pyramid.window.y])
    for part in parts:
        polygons = shapely.transform(
            part.geometry.to_numpy(), lambda points: raster.from_level0(points) - corner
        )
        _draw(polygons, part["nucleus_id"].to_numpy(dtype=np.uint32), levels[0])
    for finer, coarser in pairwise(levels):
        _halve(finer, coarser)
    return levels


def _draw(
    polygons: npt.NDArray[np.object_], ids: npt.NDArray[np.uint32], labels: zarr.Array[Any]
) -> None:
    """Draw polygons block by block, each block that any of them touches once."""
    tree = shapely.STRtree(polygons)
    height, width = labels.shape
    for y in range(0, height, _BLOCK_PX):
        for x in range(0, width, _BLOCK_PX):
            rows = np.sort(tree.query(shapely.box(x, y, x + _BLOCK_PX, y + _BLOCK_PX)))
            if len(rows):
                block = np.s_[y : y + _BLOCK_PX, x : x + _BLOCK_PX]
                values = np.array(labels[block], dtype=np.uint32)
                moved = shapely.transform(polygons[rows], lambda points, at=(x, y): points - at)
                fill_polygons(moved, ids[rows], values)
                labels[block] = values


def _halve(finer: zarr.Array[Any], coarser: zarr.Array[Any]) -> None:
    """Take the first of each 2 × 2: a mixture of two numbers would be a third nucleus."""
    height, width = coarser.shape
    for y in range(0, height, TILE_PX):
        for x in range(0, width, TILE_PX):
            four = np.asarray(finer[2 * y : 2 * (y + TILE_PX), 2 * x : 2 * (x + TILE_PX)])
            if four.any():
                coarser[y : y + TILE_PX, x : x + TILE_PX] = four[::2, ::2]


def _padded(level: zarr.Array[Any], window: Window) -> npt.NDArray[np.uint32]:
    """Read a window that begins in an array and may reach past its end."""
    values = np.zeros((window.height, window.width), dtype=np.uint32)
    there = np.asarray(level[window.slices()])
    values[: there.shape[0], : there.shape[1]] = there
    return values


def _colormap_of_classes(scheme: ClassScheme) -> npt.NDArray[np.uint16]:
    return _colormap({BACKGROUND: (0, 0, 0), **{each.id: each.rgb for each in scheme.classes}})


def _colormap(colours: dict[int, tuple[int, int, int]]) -> npt.NDArray[np.uint16]:
    """Return TIFF's table of 256 colours, 16 bit, (3, 256)."""
    table = np.zeros((3, 256), dtype=np.uint16)
    for value, rgb in colours.items():
        table[:, value] = np.array(rgb) * 257
    return table
