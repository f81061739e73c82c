"""The chunks of an array as files: taken from another array of the same shape."""

from pathlib import Path
from typing import Any

import zarr

from seg_core.files.atomic import take_file
from seg_core.geometry import Window


def take_chunks(
    source: zarr.Array[Any], source_root: Path, target: zarr.Array[Any], root: Path, part: Window
) -> None:
    """Give an array what another has of a part of the raster.

    A file of chunks that the target lacks is taken, which costs nothing; where both have
    something of it, as at the border of two parts, the rows of the part are copied.

    Parameters
    ----------
    source, target : zarr.Array
        (…, H, W), named by their level: each of their pixels is 2 ** level of the raster's.
    source_root, root : Path
        Folders of the groups that they are in.
    part : Window
        Of the raster.
    """
    step = 2 ** int(target.basename)
    top, bottom = part.y // step, min(-(-part.bottom // step), target.shape[-2])
    height, width = (target.shards or target.chunks)[-2:]
    chunks = source_root / source.path / "c"
    for path in sorted(path for path in chunks.rglob("*") if path.is_file()):
        goal = root / target.path / path.relative_to(source_root / source.path)
        if not goal.exists():
            take_file(path, goal)
        elif not goal.samefile(path):
            row, column = (int(name) for name in path.parts[-2:])
            rows = slice(max(row * height, top), min((row + 1) * height, bottom))
            columns = slice(column * width, (column + 1) * width)
            target[..., rows, columns] = source[..., rows, columns]
