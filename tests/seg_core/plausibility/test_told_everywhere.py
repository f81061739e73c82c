"""A slide that is unlike the training images is said so in JSON, report, scores and table of runs.

That viewer, statistics and TIL page show it is tested in ``tests/pages/test_run_warnings.py``.
"""

import json
from pathlib import Path

import numpy as np
import painted_slides
import pypdf
import pytest
from nuclei_tables import random_nuclei

from seg_core import analysis, subject
from seg_core.classes import MONUSAC
from seg_core.cohort.catalog import RunCatalog
from seg_core.commands import main
from seg_core.errors import capitalised
from seg_core.export.options import ExportOptions
from seg_core.export.report import write_report
from seg_core.nuclei.nucleus_table import FEATURES
from seg_core.plausibility import digest_of
from seg_core.plausibility.profile import write_profile
from seg_core.scoring.assessment import assess
from seg_core.store import Run, Store
from seg_core.store.run import RUN_FILE
from tests.seg_core.painted_slides import PaintedEngine
from tests.seg_core.plausibility.test_doubts import profile_around
from tests.seg_core.plausibility.test_pixel_size import AREA_UM2

UNLIKE = "this slide is unlike the images that the model has learnt from"


@pytest.fixture
def find_unlike(
    tmp_path: Path, painted_engines: list[PaintedEngine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model whose training images were nothing like a painting."""
    table = random_nuclei(500).assign(area_um2=AREA_UM2)
    table[FEATURES] = list(np.random.default_rng(2).normal(size=(500, 3)).astype(np.float16))
    weights = tmp_path / "painted.safetensors"
    write_profile(profile_around(digest_of(table, MONUSAC)), weights)
    monkeypatch.setattr(subject, "find_model", lambda _=None: (painted_slides.CARD, weights))


@pytest.fixture
def run(find_unlike: None, painted_slide: Path, tmp_path: Path) -> Run:
    return analysis.analyse(painted_slide, tmp_path / "store", mpp=0.25)


def test_the_json_of_a_run_and_of_its_scores_has_it(run: Run) -> None:
    (warning,) = run.facts.warnings
    assert warning.startswith(UNLIKE)
    assert json.loads((run.path / RUN_FILE).read_text("utf-8"))["warnings"] == [warning]
    assert assess(run).to_json()["warnings"] == [warning]


def test_the_commands_say_it_in_words_and_in_json(
    find_unlike: None, painted_slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, store = tmp_path / "out.json", tmp_path / "store"
    asked = [
        "analyse",
        str(painted_slide),
        "--out",
        str(store),
        "--mpp",
        "0.25",
        "--json",
        str(out),
    ]
    assert main(asked) == 0
    assert UNLIKE in capsys.readouterr().out
    (warning,) = json.loads(out.read_text("utf-8"))["warnings"]
    assert warning.startswith(UNLIKE)
    (run,) = Store(store).runs()
    assert main(["til", str(run.path), "--json", str(tmp_path / "til.json")]) == 0
    assert UNLIKE in capsys.readouterr().out
    assert json.loads((tmp_path / "til.json").read_text("utf-8"))["warnings"] == [warning]


def test_both_reports_and_the_table_of_runs_have_it(run: Run, tmp_path: Path) -> None:
    write_report(run, tmp_path / "report.html", ExportOptions(assessed=()))
    assert capitalised(UNLIKE) in (tmp_path / "report.html").read_text("utf-8")
    write_report(run, tmp_path / "report.pdf", ExportOptions(assessed=()))
    first = pypdf.PdfReader(tmp_path / "report.pdf").pages[0].extract_text()
    assert capitalised(UNLIKE) in " ".join(first.split())
    table = RunCatalog(Store(tmp_path / "store")).runs()
    assert table["warnings"].iloc[0].startswith(UNLIKE)
