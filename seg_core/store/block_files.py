"""Nuclei that were found of some blocks before the table is written: one file a block.

::

    blocks/  0_2048_2048_2048.parquet     of the block with this core: x, y, width, height

A block without nuclei has no file; to look at it again takes no time. Each file ends with its
checksum, and one that is damaged is none.
"""

import io
import shutil
from pathlib import Path

import pyarrow.parquet as pq

from seg_core.classes import ClassScheme
from seg_core.files.atomic import replacing, take_file
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import add_seal, sealed_content
from seg_core.geometry import Window
from seg_core.nuclei import BlockNuclei
from seg_core.nuclei.nucleus_table import FEATURES, empty_table
from seg_core.store.nuclei_file import table_in, write_geoparquet

_OVERLARGE = b"overlarge_um2"


class BlockFiles:
    """Writes and reads the nuclei of single blocks of a run.

    Every method raises `seg_core.errors.StoreError` if the disk is full or cannot be used.

    Parameters
    ----------
    folder : Path
        Made when the first block is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, core: Window) -> bool:
        """Tell whether the nuclei of a block are kept."""
        return self._path(core).is_file()

    def write(self, block: BlockNuclei, scheme: ClassScheme) -> None:
        """Keep the nuclei of a block, numbered from 1."""
        if not len(block.table) and not block.overlarge_um2:
            return
        features = block.table.get(FEATURES, ())
        path = self._path(block.core)
        with store_errors(self._folder):
            self._folder.mkdir(exist_ok=True)
            with replacing(path) as temporary:
                write_geoparquet(
                    [block.table],
                    temporary,
                    empty_table(scheme),
                    feature_count=len(features[0]) if len(features) else 0,
                    metadata={_OVERLARGE: block.overlarge_um2.hex().encode()},
                )
                add_seal(temporary)

    def read(self, core: Window) -> BlockNuclei | None:
        """Return the nuclei of a block, None where they are not kept."""
        content = sealed_content(self._path(core))
        if content is None:
            return None
        said = pq.read_schema(io.BytesIO(content)).metadata[_OVERLARGE]
        table, features = table_in(content)
        if features is not None:
            table[FEATURES] = list(features)
        return BlockNuclei(core, table, float.fromhex(said.decode()))

    def take(self, others: "BlockFiles") -> None:
        """Take the files of a range of rows of the same run."""
        with store_errors(self._folder):
            for path in others._folder.glob("*.parquet"):
                take_file(path, self._folder / path.name)

    def discard(self) -> None:
        """Remove them all."""
        with store_errors(self._folder):
            shutil.rmtree(self._folder, ignore_errors=not self._folder.exists())

    def _path(self, core: Window) -> Path:
        return self._folder / f"{core.x}_{core.y}_{core.width}_{core.height}.parquet"
