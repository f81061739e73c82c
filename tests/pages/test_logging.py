import logging
import shutil
from pathlib import Path

import pytest

from seg_core import analysis
from seg_core.errors import SegCoreError
from seg_core.process.logs import JsonLines, KeyValues
from seg_core.store import Run, Store, default_store


@pytest.mark.parametrize("formatter", [JsonLines(), KeyValues()])
def test_a_run_is_logged_by_its_id_and_never_by_the_name_of_its_slide(
    run: Run,
    slide_path: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    formatter: logging.Formatter,
) -> None:
    path = tmp_path / "SMITH-1961.png"
    shutil.copy(slide_path, path)
    with caplog.at_level(logging.INFO, "seg_core"):
        done = analysis.analyse(path, default_store(), mpp=0.25, model="once more")
        (done.path / "run.json").write_text("damaged")
        Store().runs(done.path.parent.name)
        with pytest.raises(SegCoreError, match="SMITH"):
            analysis.analyse(path, default_store())  # nobody says how large a pixel is
    lines = "\n".join(map(formatter.format, caplog.records))
    assert done.run_id in lines
    assert "running" in lines
    assert "finished" in lines
    assert "SMITH" not in lines
