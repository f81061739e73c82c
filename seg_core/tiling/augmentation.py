"""Test-time augmentation: predictions on flips and rotations of a tile are averaged."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from seg_core.model.engine import Engine, NumberedLogits, NumberedTile
from seg_core.model.features import DescribedTile

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
    answers = ((number, (logits,)) for number, logits in engine.run(_views_of(tiles, views)))
    for number, (logits,) in _averaged(answers, views):
        yield number, logits


def describe(engine: Engine, tiles: Iterable[NumberedTile], views: int) -> Iterator[DescribedTile]:
    """Give the means of the engine's logits and features over the views of each tile.

    Parameters are those of `answer`; squares of features turn with the tile.
    """
    if views == 1:
        yield from engine.describe(tiles)
        return
    answers = (
        (each.number, (each.logits, each.features))
        for each in engine.describe(_views_of(tiles, views))
    )
    for number, (logits, features) in _averaged(answers, views):
        yield DescribedTile(number, logits, features.astype(np.float16))


def _averaged(
    answers: Iterable[tuple[int, Sequence[npt.NDArray[Any]]]], views: int
) -> Iterator[tuple[int, list[npt.NDArray[np.float32]]]]:
    """Turn arrays of planes upright, and give the mean over the views of each tile."""
    sums: dict[int, list[npt.NDArray[np.float32]]] = {}
    missing: dict[int, int] = {}
    for key, arrays in answers:
        number, view = divmod(key, views)
        upright = [
            seen_upright(planes.transpose(1, 2, 0), view).transpose(2, 0, 1).astype(np.float32)
            for planes in arrays
        ]
        before = sums.get(number)
        sums[number] = upright if before is None else list(map(np.add, upright, before))
        missing[number] = missing.get(number, views) - 1
        if not missing[number]:
            del missing[number]
            yield number, [total / np.float32(views) for total in sums.pop(number)]


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
