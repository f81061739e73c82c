"""The maps of a run as a pyramid that OME-Zarr readers open, written band by band.

``maps.zarr`` follows NGFF 0.5 (Zarr version 3). It is a collection of images, each a multiscale
group. *class*, *ternary* and *score* have the levels ``0`` (the raster of the whole slide), ``1``,
``2`` … of half the side each, down to 512 pixels. Their *shares* (see `seg_core.store.shares`) have
several planes and begin at level 2::

    maps.zarr/  OME/            names the images, in order
                class/          0  1  2 …     uint8, chunks of 512 × 512
                ternary/        0  1  2 …
                score/          0  1  2 …
                class_shares/         2 …     uint8, all planes in a chunk of 256 × 256
                ternary_shares/       2 …
                score_shares/         2 …
    bands.json                  windows of the raster that are finished, and what of them the
                                coarser levels still lack

Chunks in which there is nothing do not exist as files, so a map costs what was analysed and not
what the slide measures.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import zarr
from zarr.codecs import ZstdCodec

from seg_core.classes import BACKGROUND, BOUNDARY, INSIDE, MONUSAC
from seg_core.errors import SegCoreError, StoreError
from seg_core.files.disk_errors import store_errors
from seg_core.geometry import Raster
from seg_core.maps import MapName
from seg_core.store.seal import damaged
from seg_core.store.shares import FIRST_SHARE_LEVEL

CHUNK_PX = 512

RECORD_FILE = "bands.json"

MAP_NAMES: tuple[MapName, ...] = get_args(MapName)

SHARES_CHUNK_PX = 256

SHARES_STEP = 2**FIRST_SHARE_LEVEL
"""Pixels of the raster to a side of a pixel of the finest shares that are kept."""

USUAL_CLASS_COUNT = len(MONUSAC.classes)

Levels = dict[str, list[zarr.Array[Any]]]


def open_levels(path: Path, mode: Literal["r", "r+"]) -> Levels:
    """Return the levels of the maps by name, the finest first."""
    with store_errors(path):
        if not path.is_dir():
            raise StoreError(f"there are no maps in {path.parent}; run the analysis again.")
        with map_damage(path):
            group = zarr.open_group(path, mode=mode)
            return {name: _levels_of(group[name]) for name in MAP_NAMES}


def open_shares(path: Path, mode: Literal["r", "r+"]) -> Levels:
    """Return the shares by name, nothing where the run is of a version that kept none."""
    with store_errors(path), map_damage(path):
        group = zarr.open_group(path, mode=mode)
        if shares_name("score") not in group:
            return {}
        return {name: _levels_of(group[shares_name(name)]) for name in MAP_NAMES}


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


def shares_name(name: MapName) -> str:
    """Return the name of the image that holds the shares of a map."""
    return f"{name}_shares"


def _levels_of(image: Any) -> list[zarr.Array[Any]]:
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
    group = zarr.create_group(
        path, zarr_format=3, attributes=_ome({"bioformats2raw.layout": 3}), overwrite=True
    )
    series = [*MAP_NAMES, *map(shares_name, MAP_NAMES)]
    group.create_group("OME", attributes=_ome({"series": series}))
    planes = {"class": class_count, "ternary": len((INSIDE, BOUNDARY)), "score": 1}
    shapes = _level_shapes(raster.height, raster.width)
    coarse = _level_shapes(-(-raster.height // SHARES_STEP), -(-raster.width // SHARES_STEP))
    for name in MAP_NAMES:
        _create_image(group, name, shapes, raster.mpp)
        shares = [(planes[name], *shape) for shape in coarse]
        _create_image(group, shares_name(name), shares, raster.mpp)


def _create_image(
    group: zarr.Group, name: str, shapes: Sequence[tuple[int, ...]], mpp: float
) -> None:
    """Lay out a map or, where the shapes have planes, shares; ``mpp`` is the raster's."""
    has_planes = len(shapes[0]) > 2
    first, side = (FIRST_SHARE_LEVEL, SHARES_CHUNK_PX) if has_planes else (0, CHUNK_PX)
    axes = ("c", "y", "x") if has_planes else ("y", "x")
    levels = range(first, first + len(shapes))
    multiscale = _multiscale(name, axes, mpp, levels)
    image = group.create_group(name, attributes=_ome({"multiscales": [multiscale]}))
    for level, shape in zip(levels, shapes, strict=True):
        image.create_array(
            str(level),
            shape=shape,
            chunks=(*shape[:-2], side, side),
            dtype="uint8",
            fill_value=BACKGROUND,
            compressors=ZstdCodec(checksum=True),
            dimension_names=axes,
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


def _multiscale(name: str, axes: Sequence[str], mpp: float, levels: range) -> dict[str, Any]:
    """Return NGFF's description of an image, in µm from the centre of the raster's first pixel."""
    plane_axes = len(axes) - 2
    return {
        "name": name,
        "type": "mode" if name in ("class", "ternary") else "mean",
        "axes": [
            {"name": axis, "type": "channel"}
            if axis == "c"
            else {"name": axis, "type": "space", "unit": "micrometer"}
            for axis in axes
        ],
        "datasets": [
            {
                "path": str(level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1.0] * plane_axes + [mpp * 2**level] * 2},
                    {
                        "type": "translation",
                        "translation": [0.0] * plane_axes + [mpp * (2**level - 1) / 2] * 2,
                    },
                ],
            }
            for level in levels
        ],
    }
