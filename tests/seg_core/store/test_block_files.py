"""Nuclei of single blocks on disk between two stages of an analysis."""

from pathlib import Path

import numpy as np
import pytest

from seg_core.geometry import Window
from seg_core.nuclei import BlockNuclei
from seg_core.nuclei.nucleus_table import FEATURES
from seg_core.store import Run
from seg_core.store.block_files import BlockFiles

CORE = Window(0, 0, 256, 256)


@pytest.fixture
def files(painted_run: Run, tmp_path: Path) -> BlockFiles:
    """With the nuclei of one block."""
    table = painted_run.nuclei().head(20)
    features = np.arange(60, dtype=np.float16).reshape(20, 3)
    files = BlockFiles(tmp_path / "blocks")
    files.write(
        BlockNuclei(CORE, table.assign(**{FEATURES: list(features)}), 1.5), painted_run.scheme
    )
    return files


def test_nuclei_of_a_block_come_back_as_they_were(files: BlockFiles, painted_run: Run) -> None:
    block = files.read(CORE)
    assert block is not None
    assert block.overlarge_um2 == 1.5
    assert np.stack(block.table[FEATURES]).tolist() == np.arange(60).reshape(20, 3).tolist()
    assert block.table.drop(columns=FEATURES).equals(painted_run.nuclei().head(20))


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 0.999])
def test_a_damaged_block_is_looked_at_again(
    files: BlockFiles, tmp_path: Path, share: float
) -> None:
    (path,) = (tmp_path / "blocks").iterdir()
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 0x10
    path.write_bytes(content)
    assert files.read(CORE) is None


def test_a_block_that_was_not_kept_is_none(files: BlockFiles) -> None:
    assert files.read(Window(256, 0, 256, 256)) is None
