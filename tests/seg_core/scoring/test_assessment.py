"""TIL scores of runs, from Python and from the command line."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import shapely
from painted_slides import MPP, PaintedEngine, Painting, paint

from seg_core import commands as cli
from seg_core.analysis import analyse
from seg_core.classes import ClassScheme, NucleusClass
from seg_core.cohort.summary import is_kept_for
from seg_core.commands import til
from seg_core.errors import ModelError, SlideError, StoreError
from seg_core.files.sealed import read_sealed
from seg_core.roi import Roi
from seg_core.scoring import WHOLE, parts_of
from seg_core.scoring.assessment import TIL_FILE, assess, assess_parts, keep_scores
from seg_core.settings import AnalysisSettings
from seg_core.store import Run, open_run
from seg_core.store.rois import geojson_of, keep_rois
from seg_core.til import TilResult, TilSettings
from seg_core.unbroken import unbroken

# What is painted is a fiftieth of a mm² with nuclei 12 µm apart.
LENIENT = TilSettings(
    min_tissue_mm2=0.005,
    min_epithelial_nuclei=5,
    min_island_nuclei=1,
    dilation_um=2,
    erosion_um=1,
    sensitivity_um=(2.0, 5.0),
    labellings=9,
)


@pytest.fixture
def own_run(painted_run: Run, tmp_path: Path) -> Run:
    """A copy of the painted run in a store of its own."""
    place = Path(painted_run.path.parent.name, painted_run.run_id)
    return open_run(Path(shutil.copytree(painted_run.path, tmp_path / "own" / place)))


@pytest.fixture
def moved_run(painted_run: Run, tmp_path: Path) -> Run:
    """The painted run with a slide that is not there."""
    gone = replace(painted_run.facts.slide, path=tmp_path / "painted.png")
    return Run(painted_run.path, replace(painted_run.facts, slide=gone))


def test_a_run_is_scored_on_its_tissue(painted_run: Run) -> None:
    result = assess(painted_run, settings=LENIENT)
    assert result.evaluable
    tissue_mm2 = painted_run.facts.tissue_um2 / 1e6
    assert result.areas_mm2["tissue"] == pytest.approx(tissue_mm2, rel=0.02)
    table = painted_run.nuclei()
    assert result.counts["lymphocyte"] == (table["class_name"] == "lymphocyte").sum()
    assert result.stil_area_pct.value is not None
    again = painted_run.path / TIL_FILE
    assert keep_scores(painted_run, result) == again
    told = {"nuclei_checksum": painted_run.nuclei_checksum}  # which nuclei they are of
    assert read_sealed(again) == json.loads(json.dumps(result.to_json())) | told
    again.unlink()


def corrected(run: Run) -> None:
    """Call a nucleus otherwise, as somebody does on a page."""
    number = int(run.nuclei()["nucleus_id"].iloc[0])
    run.journal().correct([number], ["lymphocyte"], "macrophage", by="Ada")


def test_scores_are_kept_as_of_the_names_and_rois_that_were_read(own_run: Run) -> None:
    """They had the version of whatever people said while they were computed, and passed for of that."""
    result = assess(own_run)
    keep_scores(own_run, result)
    assert is_kept_for(own_run, TIL_FILE)
    corrected(own_run)
    keep_scores(own_run, result)
    assert not is_kept_for(own_run, TIL_FILE)
    keep_scores(own_run, assess(own_run))
    assert is_kept_for(own_run, TIL_FILE)

    before = assess(own_run)
    tumour = Roi("T", shapely.box(0, 0, 300, 300), "tumour")
    keep_rois(own_run.path.parents[1], own_run.path.parent.name, [tumour])
    keep_scores(own_run, before)
    assert not is_kept_for(own_run, TIL_FILE)


def test_what_is_said_between_reading_and_keeping_is_not_in_the_scores_of_the_command(
    own_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(*args: object, **options: object) -> TilResult:
        result = assess(*args, **options)  # type: ignore[arg-type]
        corrected(own_run)
        return result

    monkeypatch.setattr(til, "assess", late)
    assert cli.main(["til", str(own_run.path)]) == 0
    assert (own_run.path / TIL_FILE).is_file()
    assert not is_kept_for(own_run, TIL_FILE)
    monkeypatch.setattr(til, "assess", assess)
    assert cli.main(["til", str(own_run.path)]) == 0
    assert is_kept_for(own_run, TIL_FILE)


def test_scores_that_do_not_tell_what_they_are_of_are_not_kept(painted_run: Run) -> None:
    of_part = assess(painted_run, part=parts_of(painted_run)[0])
    with pytest.raises(ValueError, match="do not tell which names and ROIs"):
        keep_scores(painted_run, of_part)


def test_nothing_outside_what_was_analysed_is_an_area(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    triangle = shapely.Polygon([(20, 20), (320, 40), (60, 400)])
    settings = AnalysisSettings(tile_px=64, overlap_px=32, block_px=256, tissue_only=False)
    roi = Roi("triangle", triangle)
    run = analyse(painted_slide, tmp_path, roi=roi, mpp=MPP, settings=settings)
    assert run.tissue().mask.all()
    result = assess(run, settings=LENIENT)
    assert result.areas_mm2["tissue"] == pytest.approx(triangle.area * MPP**2 / 1e6, rel=0.02)


def test_a_slide_that_went_or_changed_is_said(moved_run: Run, painting: Painting) -> None:
    with pytest.raises(SlideError, match=r"there is no file|cannot be read"):
        assess(moved_run)
    paint(500, 700, seed=1).save(moved_run.slide_path)
    with pytest.raises(SlideError, match="is no longer the slide that was analysed"):
        assess(moved_run)


def test_a_run_that_is_not_finished_has_no_scores(painted_run: Run) -> None:
    stopped = Run(painted_run.path, replace(painted_run.facts, status="stopped"))
    with pytest.raises(StoreError, match="has no nuclei yet"):
        assess(stopped)


def test_the_command_prints_and_keeps_the_scores(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["til", str(painted_run.path), "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    first, last = out.splitlines()
    assert "not evaluable: a score needs at least 0.5 mm² of tissue; there is 0.02 mm²" in first
    figures = json.loads(last)
    assert figures["run"] == str(painted_run.path)
    assert figures["stil_area_pct"]["value"] is None
    kept = painted_run.path / TIL_FILE
    assert (figures["part"], figures["left_out"], figures["min_score"]) == (WHOLE, [], 0.0)
    of = {"run", "part", "left_out", "min_score", "by_roi"}
    told = {"nuclei_checksum": open_run(kept.parent).nuclei_checksum}
    assert read_sealed(kept) == {name: figures[name] for name in figures if name not in of} | told
    kept.unlink()

    square = {"type": "Polygon", "coordinates": [[[0, 0], [200, 0], [200, 200], [0, 0]]]}
    rois = tmp_path / "rois.geojson"
    rois.write_text(json.dumps(square))
    target = tmp_path / "til.json"
    arguments = ["--roi", str(rois), "--json", str(target)]
    assert cli.main(["til", str(painted_run.path), *arguments]) == 0
    assert not kept.exists()
    part = json.loads(target.read_text("utf-8"))
    assert 0 < part["areas_mm2"]["tissue"] < figures["areas_mm2"]["tissue"]


def test_the_command_says_the_score_in_a_sentence(
    painted_run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = assess(painted_run, settings=LENIENT)
    monkeypatch.setattr(
        til, "assess", lambda _run, part, version: replace(result, version=version.to_json())
    )
    assert cli.main(["til", str(painted_run.path)]) == 0
    (painted_run.path / TIL_FILE).unlink()
    sentence = capsys.readouterr().out
    assert f"lymphocytes cover {result.stil_area_pct.value:.2f} % of" in sentence
    assert "(no interval), phenotype not evaluable; for research only." in sentence


def test_squares_are_exported(painted_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "squares.csv"
    assert cli.main(["export", str(painted_run.path), "--til-csv", str(path)]) == 0
    squares = pd.read_csv(path)
    assert (squares["side_px"] == 1000).all()
    lymphocytes = painted_run.facts.counts["lymphocyte"]
    assert squares["lymphocyte"].sum() == lymphocytes
    assert cli.main(["export", str(painted_run.path), "--til-csv", str(path)]) == 1


def test_rois_are_scored_each_for_itself_and_one_elsewhere_says_so(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rois = tmp_path / "rois.geojson"
    boxes = {
        "left": (shapely.box(0, 0, 200, 400), "include"),
        "far": (shapely.box(90_000, 0, 90_100, 100), "include"),
        "fold": (shapely.box(0, 0, 100, 400), "exclude"),
    }
    features = [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(polygon),
            "properties": {"name": name, "kind": kind},
        }
        for name, (polygon, kind) in boxes.items()
    ]
    rois.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert cli.main(["til", str(painted_run.path), "--roi", str(rois), "--json"]) == 0
    first, *_, last = capsys.readouterr().out.splitlines()
    figures = json.loads(last)
    # a figure of both together stood there as if it were of the whole, and nothing named the fold
    assert first.startswith(f"{painted_run.slide_path.name}, left, far without fold: ")
    assert (figures["part"], figures["left_out"]) == ("left, far", ["fold"])
    left, far = figures["by_roi"]
    assert left["name"] == "left"
    assert 0 < left["areas_mm2"]["tissue"] <= 100 * 400 * MPP**2 / 1e6 + 1e-4
    assert far == {"name": "far", "reason": far["reason"]}
    assert "nothing in common with the tissue" in far["reason"]

    path = tmp_path / "squares.csv"
    arguments = ["export", str(painted_run.path), "--til-csv", str(path), "--roi", str(rois)]
    assert cli.main(arguments) == 0
    squares = pd.read_csv(path)
    assert list(squares["part"].unique()) == ["Whole analysis", "left"]
    assert list(squares.columns[:5]) == ["slide", "run", "part", "left_out", "min_score"]
    assert set(squares["left_out"]) == {"fold"}


def test_the_command_keeps_to_the_tumour_that_was_drawn(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nest = Roi("nest", shapely.box(0, 0, 200, 400), "tumour")
    rois = tmp_path / "rois.geojson"
    rois.write_text(json.dumps(geojson_of([nest])))
    folder = str(painted_run.path)
    assert cli.main(["til", folder, "--roi", str(rois), "--json"]) == 0
    *sentences, last = capsys.readouterr().out.splitlines()
    assert any("Tumour as drawn (ROI nest)" in each for each in sentences)
    figures = json.loads(last)
    assert figures["tumour_rois"] == figures["by_roi"][0]["tumour_rois"] == ["nest"]
    assert 0 < figures["areas_mm2"]["tissue"] <= 200 * 400 * MPP**2 / 1e6 + 1e-4
    report, squares = tmp_path / "report.html", tmp_path / "squares.csv"
    files = ["--report", str(report), "--til-csv", str(squares), "--roi", str(rois)]
    assert cli.main(["export", folder, *files]) == 0
    assert "Tumour as drawn (ROI nest)" in report.read_text("utf-8")
    assert set(pd.read_csv(squares)["tumour_rois"]) == {"nest"}


def test_uncertain_nuclei_are_in_no_score(doubtful_run: Run) -> None:
    table = doubtful_run.nuclei()
    sure = table[table["class_score"] >= 0.6]
    result = assess(doubtful_run, settings=LENIENT, min_score=0.6)
    assert result.counts["lymphocyte"] == (sure["class_name"] == "lymphocyte").sum()


def test_the_report_has_the_scores(painted_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    assert cli.main(["export", str(painted_run.path), "--report", str(path)]) == 0
    text = path.read_text("utf-8")
    assert "Tumour-infiltrating lymphocytes" in text
    assert unbroken("a score needs at least 0.5 mm² of tissue") in text


def test_a_run_of_a_model_without_lymphocytes_has_a_reason_instead_of_scores(
    painted_run: Run,
) -> None:
    scheme = ClassScheme((NucleusClass(1, "epithelial", "#e69f00"),))
    run = Run(painted_run.path, replace(painted_run.facts, scheme=scheme))
    (whole,) = assess_parts(run, parts_of(run), settings=LENIENT)
    assert whole.result is None
    assert "TIL scores need lymphocytes, which this model does not tell" in (whole.reason or "")
    with pytest.raises(ModelError, match="TIL scores need lymphocytes"):
        assess(run, settings=LENIENT)
