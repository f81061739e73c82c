"""The maps of a run as a pyramid that OME-Zarr readers open, written band by band.

``maps.zarr`` follows NGFF 0.5 (Zarr version 3). It is a collection of two images, each a multiscale
group with planes. *maps* has the planes class, ternary and score, and the levels ``0`` (the raster of
the whole slide), ``1``, ``2`` … of half the side each, down to 512 pixels. The *shares* of these three
(see `seg_core.store.shares`) begin at level 2::

    maps.zarr/  OME/            names the images, in order
                maps/           0  1  2 …     uint8, chunks of 512 × 512 of one plane
                shares/               2 …     uint8, all planes in a chunk of 256 × 256
    bands.json                  windows of the raster that are finished, what of them the coarser
                                levels still lack, and checksums of all that is there

Files are what writing and copying a run costs. So at level 0 one holds the chunks of all planes of
512 × 2048 pixels (Zarr's *shards*), which still are read one by one. Chunks in which there is nothing
do not exist, so a map costs what was analysed and not what the slide measures.

This is version 2 of the layout; `seg_core.store.earlier_layout` reads what was before.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import EllipsisType
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from seg_core.classes import BACKGROUND, MONUSAC
from seg_core.errors import SegCoreError, StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.geometry import Raster
from seg_core.maps import MapName
from seg_core.store.chunk_files import ZSTD_LEVEL, ArrayFiles
from seg_core.store.seal import damaged
from seg_core.store.shares import FIRST_SHARE_LEVEL, class_count_of, share_planes

LAYOUT = 2
"""Version of the layout of maps, in the attributes of their root."""

CHUNK_PX = 512

SHARD_PX = 4 * CHUNK_PX
"""Columns of level 0 in a file."""

MAP_NAMES: tuple[MapName, ...] = get_args(MapName)

SHARES_CHUNK_PX = 256

SHARES_STEP = 2**FIRST_SHARE_LEVEL
"""Pixels of the raster to a side of a pixel of the finest shares that are kept."""

USUAL_CLASS_COUNT = len(MONUSAC.classes)

_MAPS, _SHARES = "maps", "shares"
_VERSION = "seg_core_layout"


_AXES = ("c", "y", "x")


class Planes(NamedTuple):
    """Planes of a level: all that is told of a pixel by one map, or by all of them."""

    array: zarr.Array[Any]
    """(…, H, W) uint8."""

    chosen: int | slice | EllipsisType
    """Which of the first axis; the ellipsis where there is none."""


@dataclass(frozen=True)
class Pyramid:
    """The arrays of maps, the finest level first.

    Attributes
    ----------
    root : Path
        Their folder.
    maps : list of zarr.Array
        (3, H, W) uint8 in the order of `MAP_NAMES`.
    shares : list of zarr.Array
        (P, h, w) uint8 from `FIRST_SHARE_LEVEL` on; see `seg_core.store.shares.share_planes`.
    """

    root: Path
    maps: list[zarr.Array[Any]]
    shares: list[zarr.Array[Any]]

    def map_files(self) -> list[ArrayFiles]:
        """Return the levels of the maps by their files."""
        return [ArrayFiles(array, self.root) for array in self.maps]

    def share_files(self) -> list[ArrayFiles]:
        """Return the levels of the shares by their files."""
        return [ArrayFiles(array, self.root) for array in self.shares]

    @property
    def arrays(self) -> list[zarr.Array[Any]]:
        """All of them."""
        return [*self.maps, *self.shares]

    @property
    def class_count(self) -> int:
        """Classes without background."""
        return class_count_of(self.shares[0].shape[0])

    def levels(self) -> dict[MapName, list[Planes]]:
        """Return the levels of each map."""
        return {
            name: [Planes(array, number) for array in self.maps]
            for number, name in enumerate(MAP_NAMES)
        }

    def share_levels(self) -> dict[MapName, list[Planes]]:
        """Return the levels of the shares of each map."""
        planes = share_planes(self.class_count)
        return {name: [Planes(each, planes[name]) for each in self.shares] for name in MAP_NAMES}


def open_pyramid(path: Path, mode: Literal["r", "r+"]) -> Pyramid | None:
    """Open the maps; None where they have the layout of an earlier version.

    Raises
    ------
    StoreError
        If there are none, they are damaged, or a later version has written them.
    """
    with store_errors(path):
        if not path.is_dir():
            raise StoreError(f"there are no maps in {path.parent}; run the analysis again.")
        with map_damage(path):
            group = zarr.open_group(path, mode=mode)
            written = group.attrs.get(_VERSION, 1)
            if written == 1:
                return None
            if written != LAYOUT:
                raise StoreError(
                    f"the maps in {path.parent} have the layout {written}, this version of the "
                    f"program reads {LAYOUT}; analyse the slide again, or update the program."
                )
            pyramid = Pyramid(path, levels_of(group[_MAPS]), levels_of(group[_SHARES]))
            if any(array.shape[0] != len(MAP_NAMES) for array in pyramid.maps):
                raise ValueError("these are no maps")
            return pyramid


@contextmanager
def map_damage(path: Path) -> Iterator[None]:
    """Turn what zarr and its codecs raise on damaged files into a sentence.

    Raises
    ------
    StoreError
        For every error but those of the operating system, which mean something else.
    """
    try:
        yield
    except (SegCoreError, OSError, MemoryError):
        raise
    except Exception as error:  # each codec has errors of its own
        raise damaged(path) from error


def levels_of(image: Any) -> list[zarr.Array[Any]]:
    """Return the arrays of an image, the finest first; ValueError where they are none of ours."""
    datasets = image.attrs["ome"]["multiscales"][0]["datasets"]
    levels = [image[dataset["path"]] for dataset in datasets]
    sides = {CHUNK_PX, SHARES_CHUNK_PX}
    if not levels or any(
        level.dtype != np.uint8 or level.chunks[-1] not in sides or level.ndim not in (2, 3)
        for level in levels
    ):
        raise ValueError("these are no maps")
    return levels


def create_pyramid(path: Path, raster: Raster, class_count: int) -> None:
    """Lay out the empty collection: bioformats2raw.layout 3, which names images by a series."""
    attributes = {**_ome({"bioformats2raw.layout": 3}), _VERSION: LAYOUT}
    group = zarr.create_group(path, zarr_format=3, attributes=attributes, overwrite=True)
    group.create_group("OME", attributes=_ome({"series": [_MAPS, _SHARES]}))
    shapes = _level_shapes(raster.height, raster.width)
    _create_image(group, _MAPS, 0, [(len(MAP_NAMES), *shape) for shape in shapes], raster.mpp)
    coarse = _level_shapes(-(-raster.height // SHARES_STEP), -(-raster.width // SHARES_STEP))
    planes = share_planes(class_count)["score"].stop
    shares = [(planes, *shape) for shape in coarse]
    _create_image(group, _SHARES, FIRST_SHARE_LEVEL, shares, raster.mpp)


def _create_image(
    group: zarr.Group, name: str, first: int, shapes: Sequence[tuple[int, int, int]], mpp: float
) -> None:
    """Lay out the levels of an image from the level ``first`` on; ``mpp`` is the raster's."""
    levels = range(first, first + len(shapes))
    multiscale = _multiscale(name, mpp, levels)
    image = group.create_group(name, attributes=_ome({"multiscales": [multiscale]}))
    for level, shape in zip(levels, shapes, strict=True):
        chunks = (1, CHUNK_PX, CHUNK_PX)
        if name == _SHARES:
            chunks = (shape[0], SHARES_CHUNK_PX, SHARES_CHUNK_PX)
        image.create_array(
            str(level),
            shape=shape,
            chunks=chunks,
            shards=(shape[0], CHUNK_PX, SHARD_PX) if level == 0 else None,
            dtype="uint8",
            fill_value=BACKGROUND,
            compressors=ZstdCodec(level=ZSTD_LEVEL, checksum=True),
            dimension_names=_AXES,
        )


def join_step_px(raster: Raster) -> int:
    """Return at which rows of a raster two parts of its maps can meet.

    There chunks begin, and pixels of every coarser level.

    Examples
    --------
    >>> from seg_core.geometry import Region
    >>> join_step_px(Raster(Region(0, 0, 100_000, 80_000), mpp=0.25, downsample=1.0))
    512
    """
    return max(CHUNK_PX, 2 ** (len(_level_shapes(raster.height, raster.width)) - 1))


def _ome(entries: dict[str, Any]) -> dict[str, Any]:
    return {"ome": {"version": "0.5", **entries}}


def _level_shapes(height: int, width: int) -> list[tuple[int, int]]:
    shapes = [(height, width)]
    while max(shapes[-1]) > CHUNK_PX:
        height, width = shapes[-1]
        shapes.append(((height + 1) // 2, (width + 1) // 2))
    return shapes


def _multiscale(name: str, mpp: float, levels: range) -> dict[str, Any]:
    """Return NGFF's description of an image, in µm from the centre of the raster's first pixel."""
    return {
        "name": name,
        "type": "mean" if name == _SHARES else "mode",
        "axes": [
            {"name": "c", "type": "channel"},
            *({"name": axis, "type": "space", "unit": "micrometer"} for axis in _AXES[1:]),
        ],
        "datasets": [
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1.0, *[mpp * 2**level] * 2]},
                    {
                        "type": "translation",
                        "translation": [0.0, *[mpp * (2**level - 1) / 2] * 2],
                    },
                ],
            }
            for level in levels
        ],
    }
