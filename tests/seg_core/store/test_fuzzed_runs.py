from pathlib import Path

import pytest

from seg_core.store import Run
from tests.fuzz.fuzzing import fuzz_run


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_run_never_reads_as_another_result(
    painted_run: Run, seed: int, tmp_path: Path
) -> None:
    assert fuzz_run(painted_run.path, seed, tmp_path) is None
