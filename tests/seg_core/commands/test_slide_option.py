"""Commands on a run whose slide lies elsewhere than when it was analysed."""

import json
import shutil
from pathlib import Path

import pytest

from seg_core.commands import main
from seg_core.store import Run, RunWriter, open_run


@pytest.fixture
def moved(painted_run: Run, tmp_path: Path) -> Run:
    """A run whose slide was analysed at a place that is no more, with a correction."""
    folder = tmp_path / "store" / painted_run.slide_id / painted_run.run_id
    run = open_run(shutil.copytree(painted_run.path, folder))
    run.journal().correct([1], ["other"], "macrophage", by="ada")
    return RunWriter(run.path).write_facts(run.with_slide_at(tmp_path / "gone/painted.png").facts)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """One nucleus, as somebody drew it."""
    ring = [[10, 10], [30, 10], [30, 30], [10, 30], [10, 10]]
    properties = {"classification": {"name": "lymphocyte"}}
    geometry = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    path = tmp_path / "reference.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return path


@pytest.mark.parametrize("command", ["til", "export", "masks", "evaluate"])
def test_the_slide_is_read_where_the_option_says_and_its_absence_names_the_option(
    moved: Run,
    painted_run: Run,
    reference: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    """It had to be put back to its old place."""
    run, report = str(moved.path), str(tmp_path / "report.html")
    arguments = {
        "til": ["til", run],
        "export": ["export", run, "--report", report],
        "masks": ["masks", run, "--out", str(tmp_path / "masks")],
        "evaluate": ["evaluate", "--run", run, "--reference", str(reference)],
    }[command]
    assert main(arguments) == 1
    sentence = capsys.readouterr().err
    assert f"{moved.slide_path}, which was analysed, is no longer there" in sentence
    assert "say where it is now with --slide FILE." in sentence
    other = shutil.copy(painted_run.slide_path, tmp_path / "other.png")
    assert main([*arguments, "--slide", str(other)]) == 1
    assert f"{other} is not the slide of the run, which is painted-" in capsys.readouterr().err
    assert main([*arguments, "--slide", str(painted_run.slide_path)]) == 0
    assert open_run(moved.path).slide_path == moved.slide_path


def test_what_needs_no_slide_asks_for_none(moved: Run, tmp_path: Path) -> None:
    run, labels = str(moved.path), str(tmp_path / "labels.geojson")
    assert main(["export", run, "--csv", str(tmp_path / "nuclei.csv")]) == 0
    assert main(["teach", run, "--labels-out", labels]) == 0
