from pathlib import Path

import pytest

from tests.seg_core.labelled_images import write_labelled_folder


@pytest.fixture
def labelled_folder(tmp_path: Path) -> Path:
    return write_labelled_folder(tmp_path / "labelled")
