"""Test-time augmentation: predictions on flips and rotations of a tile are averaged."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from seg_core.model.engine import Engine, NumberedLogits, NumberedTile

T = TypeVar("T", bound=np.generic)


def answer(engine: Engine, tiles: Iterable[NumberedTile], views: int) -> Iterator[NumberedLogits]:
    """Give the mean of the engine's logits over the views of each tile.

    Parameters
    ----------
    engine : Engine
    tiles : iterable of (int, (S, S, 3) uint8)
    views : int
        1 the tile, 2 its mirror image too, 4 both upside down too, 8 all four with rows and columns
        exchanged too; the work grows by as much.

    Yields
    ------
    number, logits : int, (C + 3, S, S) float32
        In any order.
    """
    if views == 1:
        yield from engine.run(tiles)
        return
    sums: dict[int, npt.NDArray[np.float32]] = {}
    missing: dict[int, int] = {}
    for key, logits in engine.run(_views_of(tiles, views)):
        number, view = divmod(key, views)
        upright = seen_upright(logits.transpose(1, 2, 0), view).transpose(2, 0, 1)
        sums[number] = upright + sums[number] if number in sums else upright
        missing[number] = missing.get(number, views) - 1
        if not missing[number]:
            del missing[number]
            yield number, sums.pop(number) / np.float32(views)


def _views_of(tiles: Iterable[NumberedTile], views: int) -> Iterator[NumberedTile]:
    for number, tile in tiles:
        for view in range(views):
            yield number * views + view, np.ascontiguousarray(seen_from(tile, view))


def seen_from(tile: npt.NDArray[T], view: int) -> npt.NDArray[T]:
    """Return a square tile (S, S, …) as one of its eight views; 0 is the tile itself."""
    if view & 1:
        tile = tile[:, ::-1]
    if view & 2:
        tile = tile[::-1]
    return tile.swapaxes(0, 1) if view & 4 else tile


def seen_upright(tile: npt.NDArray[T], view: int) -> npt.NDArray[T]:
    """Undo `seen_from`."""
    if view & 4:
        tile = tile.swapaxes(0, 1)
    if view & 2:
        tile = tile[::-1]
    return tile[:, ::-1] if view & 1 else tile
