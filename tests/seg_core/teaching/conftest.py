"""Labels of the painted run, whose classes are as red as they are painted."""

import shutil
from pathlib import Path

import pytest

from seg_core.store import Run, open_run


@pytest.fixture
def run(painted_run: Run, tmp_path: Path) -> Run:
    """A copy that may be corrected."""
    folder = tmp_path / painted_run.path.parent.name / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    return open_run(folder)
