"""Maps with blobs of all values, and what is true of them at every level."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from seg_core.geometry import Raster, Region, Window
from seg_core.maps import MapBand, MapName
from seg_core.store import RunMaps
from seg_core.store.halving import coarser_classes, coarser_score
from seg_core.store.shares import FIRST_SHARE_LEVEL

Image = npt.NDArray[np.uint8]


def raster_of(height: int, width: int) -> Raster:
    return Raster(Region(0, 0, width, height), mpp=0.25, downsample=1.0)


def painted(height: int, width: int) -> dict[str, Image]:
    """Blobs of all values, so that coarser levels have ties and edges of every kind."""
    rng = np.random.default_rng(7)
    cells = (-(-height // 9), -(-width // 9))
    blobs = {
        "class_map": rng.choice([0, 0, 1, 2, 3, 4], cells),
        "ternary_map": rng.choice([0, 1, 2], cells),
        "score": rng.integers(0, 256, cells),
    }
    return {
        name: values.astype(np.uint8).repeat(9, 0).repeat(9, 1)[:height, :width]
        for name, values in blobs.items()
    }


def band(planes: dict[str, Image], window: Window) -> MapBand:
    return MapBand(window, **{name: plane[window.slices()] for name, plane in planes.items()})


def bands_of(window: Window, height: int) -> list[Window]:
    return [
        Window(window.x, y, window.width, min(height, window.bottom - y))
        for y in range(window.y, window.bottom, height)
    ]


def assert_pyramid(run_maps: RunMaps, planes: dict[str, Image]) -> None:
    """Each level is the one before it halved as a whole, whatever the order it was written in."""
    for level in range(run_maps.level_count):
        height, width = run_maps.level_shape(level)
        found = run_maps.read(Window(0, 0, width, height), level)
        for name, plane in planes.items():
            np.testing.assert_array_equal(getattr(found, name), plane, f"{name}, level {level}")
        planes = {
            name: coarser_score(plane) if name == "score" else coarser_classes(plane)
            for name, plane in planes.items()
        }


def averaged_as_a_whole(name: str, planes: dict[str, Image], level: int) -> np.ndarray:
    """Shares of a level, straight from level 0, the slide's last row and column repeated."""
    classes = planes["class_map"]
    by_plane = {
        "class": [(classes == each) * 255.0 for each in range(1, 5)],
        "ternary": [(planes["ternary_map"] == each) * 255.0 for each in (1, 2)],
        "score": [np.where(classes > 0, planes["score"], 0.0)],
    }
    shares = np.array(by_plane[name])
    for step in (2,) if level == 1 else (4, *[2] * (level - 2)) if level else ():
        _, height, width = shares.shape
        even = np.pad(shares, ((0, 0), (0, -height % step), (0, -width % step)), mode="edge")
        blocks = even.reshape(len(even), even.shape[1] // step, step, -1, step)
        shares = blocks.mean(axis=(2, 4))
    return shares


def assert_shares(run_maps: RunMaps, planes: dict[str, Image]) -> None:
    names: tuple[MapName, ...] = ("class", "ternary", "score")
    for level in range(FIRST_SHARE_LEVEL, run_maps.share_level_count):
        for name in names:
            wanted = averaged_as_a_whole(name, planes, level)
            _, height, width = wanted.shape
            found = run_maps.read_shares(name, Window(0, 0, width, height), level)
            np.testing.assert_allclose(found, wanted, atol=0.5 * level)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
