"""Time each stage of making maps by itself; in an analysis they go on at the same time.

As in an analysis the engine gives features too, which are joined by pieces and kept.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.maps import MapBand
from seg_core.model import ModelCard
from seg_core.settings import AnalysisSettings
from seg_core.slide import Slide
from seg_core.store import MapsWriter
from seg_core.store.piece_files import PieceFiles
from seg_core.tiling import Blender, TileGrid
from seg_core.tiling.predict import read_tiles

STAGES = ("read", "infer", "blend", "nuclei", "write")

_Tile = tuple[int, npt.NDArray[np.uint8]]

# The network alone is timed on so many pixels of tiles and taken for all: half a minute at most.
_NETWORK_PX = 4 * 2**20


def engine_stages(
    engine: Any, card: ModelCard, slide: Slide, settings: AnalysisSettings, folder: Path
) -> dict[str, float]:
    """Return the seconds of all stages but the nuclei.

    Parameters
    ----------
    engine : Engine
    card : ModelCard
    slide : Slide
        Worked on whole.
    settings : AnalysisSettings
    folder : Path
        Where maps may be written.
    """
    raster = slide.raster(card.mpp)
    grid = TileGrid.of(raster, settings)
    tiles: list[_Tile] = []
    asked = np.ones((grid.rows, grid.columns), np.bool_)
    read = _seconds(lambda: tiles.extend(read_tiles(slide, raster, grid, asked)))
    infer = _network_seconds(engine.describe, tiles)
    # any answer will do, as long as it is of the tile's size: tiles are smaller at the far edges
    one_each = {tile.shape: (0, tile) for _, tile in tiles}
    answers = {shape: next(engine.describe(iter([tile]))) for shape, tile in one_each.items()}
    bands: list[MapBand] = []

    def blend() -> None:
        blender = Blender(grid, grid.cell_rows(raster.window), asked)
        for number, tile in tiles:
            answer = answers[tile.shape]
            row, column = divmod(number, grid.columns)
            blender.add(column, row, answer.logits, answer.features)
            bands.extend(blender.finished())

    def write() -> None:
        count = len(card.scheme.classes)
        pieces = PieceFiles(folder / "again" / "pieces")
        pieces.begin()
        with MapsWriter(folder / "again" / "maps.zarr", raster, class_count=count) as writer:
            for band in bands:
                pieces.write(band)
                writer.write(band)

    (folder / "again").mkdir()
    return {"read": read, "infer": infer, "blend": _seconds(blend), "write": _seconds(write)}


def baseline_stages(
    worker: Any, card: ModelCard, slide: Slide, settings: AnalysisSettings, folder: Path
) -> dict[str, float]:
    """Return the seconds of what can be timed by itself; the rest is blending.

    Parameters are those of `engine_stages`; ``folder`` holds the maps as ``maps.npy``.
    """
    raster = slide.raster(card.mpp)
    grid = TileGrid.of(raster, settings)
    maps = np.load(folder / "maps.npy")
    return {
        "read": _seconds(lambda: slide.read(raster, raster.window)),
        "infer": _network_seconds(
            worker.run, list(worker.cut(slide.read(raster, raster.window), grid))
        ),
        "write": _seconds(lambda: np.save(folder / "again.npy", maps)),
        "nuclei": 0.0,
    }


def _network_seconds(
    ask: Callable[[Iterator[_Tile]], Iterable[object]], tiles: list[_Tile]
) -> float:
    """Return what the network alone needs for all tiles, by some of them."""
    pixels = np.cumsum([tile.shape[0] * tile.shape[1] for _, tile in tiles])
    count = int(np.searchsorted(pixels, _NETWORK_PX)) + 1
    some = tiles[:count]
    seconds = _seconds(lambda: deque(ask(iter(some)), maxlen=0))
    return seconds * float(pixels[-1] / pixels[len(some) - 1])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
