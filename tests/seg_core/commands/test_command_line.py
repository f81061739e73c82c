"""The command line on painted slides: exit status, sentences and the JSON others rely on."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import anndata
import geopandas as gpd
import numpy as np
import pandas as pd
import pypdf
import pytest
import spatialdata
import tifffile
from painted_slides import MPP, PaintedEngine, Painting

from seg_core import commands as cli
from seg_core.classes import MONUSAC, UNCERTAIN
from seg_core.commands import export
from seg_core.commands.terminal import StageBars
from seg_core.errors import JobCancelled
from seg_core.export.formats import FORMATS
from seg_core.process.progress import Progress
from seg_core.scoring import WHOLE
from seg_core.store import Run, open_run

ROOT = Path(__file__).parents[3]
TILES = ["--tile", "64", "--overlap", "32", "--mpp", str(MPP)]


def last_json(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_analyse_prints_the_figures_others_rely_on(
    painted_slide: Path,
    painting: Painting,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = tmp_path / "store"
    assert cli.main(["analyse", str(painted_slide), "--out", str(store), *TILES, "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    figures = json.loads(out.splitlines()[-1])
    assert set(figures) >= {
        *("run", "slide", "engine", "precision", "megapixels", "seconds", "peak_rss_mb", "nuclei")
    }
    assert figures["slide"] == "painted.png"
    assert (figures["engine"], figures["precision"]) == ("painted", "fp32")
    assert list(figures["nuclei"]) == list(MONUSAC.names)
    assert sum(figures["nuclei"].values()) + figures["other"] == len(painting.centres)
    run = open_run(Path(figures["run"]))
    assert run.status == "finished"
    assert run.path.parents[1] == store
    settings = run.facts.question.settings
    assert (settings.tile_px, settings.overlap_px, settings.tissue_only) == (64, 32, True)


def test_options_reach_the_settings(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["--region", "0,0,100,90", "--precision", "bf16", "--engine", "torch"]
    arguments += ["--no-tissue", "--model", "painted", "--json", str(tmp_path / "figures.json")]
    assert (
        cli.main(["analyse", str(painted_slide), "--out", str(tmp_path), *TILES, *arguments]) == 0
    )
    assert "painted.png: " in capsys.readouterr().out
    figures = json.loads((tmp_path / "figures.json").read_text())
    run = open_run(Path(figures["run"]))
    assert (run.region.width, run.region.height) == (100, 90)
    settings = run.facts.question.settings
    assert (settings.engine, settings.precision) == ("torch", "bf16")
    assert not settings.tissue_only
    assert settings.quality
    assert settings.stain == "none"
    arguments = ["--region", "0,0,100,90", "--no-quality", "--stain", "macenko", "--json"]
    assert (
        cli.main(["analyse", str(painted_slide), "--out", str(tmp_path), *TILES, *arguments]) == 0
    )
    settings = open_run(Path(str(last_json(capsys)["run"]))).facts.question.settings
    assert not settings.quality
    assert settings.stain == "macenko"


def test_of_several_slides_each_failure_is_a_sentence_and_the_others_go_on(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = tmp_path / "text.svs"
    text.write_text("no slide at all")
    slides = [str(text), str(painted_slide), str(tmp_path / "absent.svs")]
    assert cli.main(["analyse", *slides, "--out", str(tmp_path), *TILES, "--json"]) == 1
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 2
    assert "text.svs" in err.splitlines()[0]
    assert "absent.svs" in err.splitlines()[1]
    runs = json.loads(out.splitlines()[-1])["runs"]
    assert [run["slide"] for run in runs] == ["text.svs", "painted.png", "absent.svs"]
    assert runs[0]["error"] in err
    assert runs[1]["nuclei"]


def test_each_roi_of_a_file_is_a_run_without_what_is_to_be_left_out(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def feature(x0: int, x1: int, **properties: object) -> dict[str, object]:
        ring = [[x0, 0], [x1, 0], [x1, 200], [x0, 200], [x0, 0]]
        geometry = {"type": "Polygon", "coordinates": [ring]}
        return {"type": "Feature", "geometry": geometry, "properties": properties}

    ignored = feature(150, 200, classification={"name": "Ignore*"})
    rois = tmp_path / "rois.geojson"
    features = [feature(0, 200), feature(200, 400), ignored, feature(7, 7)]
    rois.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    arguments = ["--roi", str(rois), "--out", str(tmp_path / "store"), *TILES, "--json"]
    assert cli.main(["analyse", str(painted_slide), *arguments]) == 0
    first_line, *_, last_line = capsys.readouterr().out.splitlines()
    assert first_line == (
        "1 entry of rois.geojson was left out, since the ROI 'ROI 4' encloses no area."
    )
    runs = json.loads(last_line)["runs"]
    first, second = (open_run(Path(run["run"])).roi for run in runs)
    assert first is not None
    assert second is not None
    assert (first.polygon.area, second.polygon.area) == (150 * 200, 200 * 200)


def test_ctrl_c_says_that_the_same_command_goes_on(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(_bars: object, progress: Progress) -> None:
        if progress.done == 20:
            raise KeyboardInterrupt

    monkeypatch.setattr(StageBars, "__call__", interrupt)
    assert cli.main(["analyse", str(painted_slide), "--out", str(tmp_path), *TILES]) == 1
    assert "painted.png was stopped; the same command goes on" in capsys.readouterr().err
    (facts,) = tmp_path.glob("*/*/run.json")
    assert open_run(facts.parent).status == "stopped"


def test_export_writes_what_other_programs_read(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {
        each.option: tmp_path / (each.downloads[0].suffix if each.downloads else each.name)
        for each in FORMATS
    }
    paths["--spatialdata"] = tmp_path / "nuclei.zarr"
    arguments = [str(part) for pair in paths.items() for part in pair]
    assert cli.main(["export", str(painted_run.path), *arguments]) == 0
    named = sum(painted_run.facts.counts[name] for name in MONUSAC.names)
    assert len(pd.read_csv(paths["--csv"])) == named
    assert len(gpd.read_file(paths["--geojson"])) == named
    assert len(gpd.read_parquet(paths["--geoparquet"])) == named
    assert len(anndata.read_h5ad(paths["--anndata"])) == named
    assert len(spatialdata.read_zarr(paths["--spatialdata"]).shapes["nuclei"]) == named
    assert "painted.png" in paths["--report"].read_text("utf-8")
    assert len(np.unique(tifffile.imread(paths["--ome-tiff"], series=2))) == named + 1
    assert len(pd.read_csv(paths["--summary-csv"])) == len(MONUSAC.names)
    assert pd.read_csv(paths["--til-csv"])["part"].unique() == [WHOLE]
    capsys.readouterr()

    assert cli.main(["export", str(painted_run.path), *arguments, "--other"]) == 1
    assert capsys.readouterr().err.count("exists already") == len(paths)
    assert cli.main(["export", str(painted_run.path), *arguments, "--other", "--force"]) == 0
    assert len(pd.read_csv(paths["--csv"])) == len(painted_run.nuclei())


def test_a_report_is_a_pdf_if_its_name_says_so(painted_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    assert cli.main(["export", str(painted_run.path), "--report", str(path), "--anonymous"]) == 0
    pages = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    assert "Nuclei of a slide" in pages[0]
    assert any("Tumour-infiltrating lymphocytes" in page for page in pages)


def test_export_names_the_uncertain_below_a_score(doubtful_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "nuclei.csv"
    assert (
        cli.main(["export", str(doubtful_run.path), "--csv", str(path), "--min-score", "0.7"]) == 0
    )
    found = pd.read_csv(path)
    uncertain = found["class_name"] == UNCERTAIN
    assert 0 < uncertain.sum() < len(found)
    np.testing.assert_array_equal(uncertain, found["class_score"] < 0.7)
    assert set(found["voted_class"]) == set(MONUSAC.names)


def test_export_of_no_run_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["export", str(tmp_path), "--csv", str(tmp_path / "a.csv")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("python -m seg_core: there is no run in")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "the following arguments are required: command"),
        (["analyse"], "the following arguments are required: SLIDE"),
        (["analyse", "a.svs", "--region", "1,2,3"], "'1,2,3' is no region; give four whole"),
        (["analyse", "a.svs", "--region", "1,2,0,4"], "a region of 0 × 4 pixels is empty"),
        (["analyse", "a.svs", "--tile", "100"], "give a multiple of 32"),
        (["analyse", "a.svs", "--precision", "fp8"], "invalid choice: 'fp8'"),
        (["analyse", "a.svs", "--region", "0,0,9,9", "--roi", "b"], "not allowed with argument"),
        (["export", "run"], "name a file to write, for instance --csv"),
    ],
)
def test_wrong_use_ends_with_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("error", [JobCancelled("stopped."), KeyboardInterrupt()])
def test_what_ends_a_command_early_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def end(_path: Path) -> Run:
        raise error

    monkeypatch.setattr(export, "open_run", end)
    assert cli.main(["export", "run", "--csv", "a.csv"]) == 1
    assert capsys.readouterr().err == "python -m seg_core: stopped.\n"


def test_bars_follow_the_stages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with StageBars("a.svs") as bars:
        for progress in (
            Progress("tiles", 0, 4),
            Progress("tiles", 4, 4),
            Progress("nuclei", 1, 2),
        ):
            bars(progress)
    out, err = capsys.readouterr()
    assert out == ""
    assert "a.svs tiles: 100%" in err
    assert "a.svs nuclei:  50%" in err


HEAVY = ("torch", "openvino", "plotly", "matplotlib", "spatialdata")


@pytest.mark.parametrize("arguments", [["--help"], ["export", "--help"], ["analyse", "--help"]])
def test_help_does_not_wait_for_heavy_packages(arguments: list[str]) -> None:
    """Every command was once imported for the help of any."""
    program = (
        "import sys\n"
        "from seg_core.commands import main\n"
        "try:\n"
        f"    main({arguments})\n"
        "except SystemExit as ended:\n"
        f"    print([each for each in {HEAVY} if each in sys.modules], ended.code)\n"
    )
    assert run_python(program).splitlines()[-1] == "[] 0"


def test_the_help_lists_every_command() -> None:
    shown = run_python("from seg_core.commands import main\nmain(['--help'])")
    listed = [line.split()[0] for line in shown.splitlines() if line[:4] == "    " != line[3:7]]
    assert [name for name in listed if name.isalpha()] == [each.name for each in cli.COMMANDS]


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda each: each.name)
def test_a_command_says_the_same_in_the_list_and_of_itself(command: cli.Command) -> None:
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    command.add_to(subparsers)
    (shown,) = subparsers._choices_actions
    assert (shown.dest, shown.help) == (command.name, command.words)
    assert callable(subparsers.choices[command.name].get_default("run"))


def test_without_openvino_other_commands_work_and_its_own_are_a_sentence(tmp_path: Path) -> None:
    """Every command once died at import where OpenVINO is not installed."""
    program = (
        "import sys\n"
        "sys.modules['openvino'] = None\n"
        "from seg_core.commands import main\n"
        f"print(main(['export', {str(tmp_path)!r}, '--csv', 'a.csv']))\n"
        "print(main(['bench', '--quick']))\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["1", "1"]
    first, second = shown.stderr.splitlines()
    assert "there is no run in" in first
    assert "OpenVINO is not installed; install it with pip install openvino" in second


def run_python(program: str) -> str:
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return shown.stdout


def test_json_before_two_pictures_takes_neither(
    shared_cases: Path, tmp_path: Path, painted_engines, capsys: pytest.CaptureFixture[str]
) -> None:
    slides = []
    for name in ("a.png", "b.png"):
        slides.append(tmp_path / name)
        slides[-1].write_bytes((shared_cases / "json-takes-a-slide" / name).read_bytes())
    before = [path.read_bytes() for path in slides]
    arguments = ["analyse", "--mpp", "0.5", "--out", str(tmp_path / "store"), "--tile", "64"]
    arguments += ["--overlap", "32", "--json", *map(str, slides)]
    assert cli.main(arguments) == 0
    runs = json.loads(capsys.readouterr().out.splitlines()[-1])["runs"]
    assert [run["slide"] for run in runs] == ["a.png", "b.png"]
    assert [path.read_bytes() for path in slides] == before


def test_figures_take_no_file_that_holds_something_else(
    painted_slide: Path, tmp_path: Path, painted_engines, capsys: pytest.CaptureFixture[str]
) -> None:
    card = tmp_path / "card.json"
    card.write_text('{"name": "tiny", "sha256": "00"}')
    arguments = ["analyse", str(painted_slide), "--out", str(tmp_path / "store"), *TILES]
    assert cli.main([*arguments, f"--json={card}"]) == 1
    assert "card.json holds something else than figures and is not replaced" in (
        capsys.readouterr().err
    )
    assert card.read_text() == '{"name": "tiny", "sha256": "00"}'
    assert cli.main([*arguments, f"--json={painted_slide}"]) == 1
    assert "is read by this command and would be written over" in capsys.readouterr().err


def test_a_name_of_bytes_that_are_no_letters_is_analysed(
    painted_slide: Path, tmp_path: Path, painted_engines, capsys: pytest.CaptureFixture[str]
) -> None:
    named = Path(os.fsdecode(os.fsencode(tmp_path) + b"/lat\xe9.png"))
    named.write_bytes(painted_slide.read_bytes())
    arguments = ["analyse", str(named), str(painted_slide), "--out", str(tmp_path / "s"), *TILES]
    assert cli.main([*arguments, "--json"]) == 0
    out = capsys.readouterr().out
    assert "lat" in out
    assert len(json.loads(out.splitlines()[-1])["runs"]) == 2
    assert open_run(Path(json.loads(out.splitlines()[-1])["runs"][0]["run"])).slide_path == named
