import json
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from seg_core.bench import measure
from seg_core.bench.baseline import Baseline
from seg_core.bench.measure import Setup
from seg_core.bench.region import write_region
from seg_core.bench.stages import STAGES
from seg_core.commands import bench as command
from seg_core.commands import main
from seg_core.model import ModelCard, make_engine
from seg_core.settings import AnalysisSettings
from seg_core.slide import open_slide
from seg_core.tiling import TileGrid, predict

Model = tuple[ModelCard, Path]

KEYS = {
    *("engine", "precision", "tile", "encoder", "seconds", "ratio", "mpx_per_s", "s_per_mm2_025"),
    *("s_per_mm2_05", "peak_rss_mb", "keeps_accuracy", "share"),
}


def test_the_region_is_a_scan_that_openslide_reads(tmp_path: Path) -> None:
    with closing(open_slide(write_region(tmp_path / "region.tif", 1700))) as slide:
        assert (slide.info.width, slide.info.height, slide.info.mpp) == (1700, 1700, 0.25)
        assert slide.info.vendor == "generic-tiff"
        pixels = slide.read(slide.raster(0.25), slide.raster(0.25).window)
    assert not np.array_equal(pixels[:200, :200], pixels[:200, 1500:]), "samples lie side by side"
    assert pixels[-200:, -200:].std() > 10, "the last tile is filled"


def test_the_baseline_finds_the_maps_that_the_engines_find(
    tiny_model: Model, tmp_path: Path
) -> None:
    settings = AnalysisSettings(tile_px=128, engine="openvino", precision="fp32")
    with closing(open_slide(write_region(tmp_path / "region.tif", 256))) as slide:
        raster = slide.raster(0.25)
        image = slide.read(raster, raster.window)
        grid = TileGrid.of(raster, settings)
        maps = np.stack(Baseline(*tiny_model).maps_of(image, grid))
        engine = make_engine(*tiny_model, settings)
        bands = list(predict(slide, raster, raster.window, engine, settings))
    for index, name in enumerate(("class_map", "ternary_map")):
        found = np.concatenate([getattr(band, name) for band in bands])
        assert (found == maps[index]).mean() > 0.995


def test_the_quick_bench_prints_a_table_and_the_keys_others_rely_on(
    tiny_model: Model, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = [Setup("openvino", "fp32", 256)]
    monkeypatch.setattr(command, "_setups", lambda _card, quick: one if quick else [])
    arguments = ["--quick", "--side", "256", "--json", "--model", str(tiny_model[1])]
    assert main(["bench", *arguments]) == 0
    *table, last = capsys.readouterr().out.splitlines()
    result = json.loads(last)
    reference, timed = result["results"]
    assert KEYS <= reference.keys() == timed.keys()
    assert (reference["engine"], reference["ratio"]) == ("reference", 1)
    assert (timed["engine"], timed["keeps_accuracy"]) == ("openvino", True)
    assert timed["ratio"] == pytest.approx(reference["seconds"] / timed["seconds"], rel=0.3)
    assert reference["s_per_mm2_025"] is None
    assert timed["s_per_mm2_025"] == pytest.approx(4 * timed["s_per_mm2_05"], rel=0.1)
    for row in (reference, timed):
        assert tuple(row["share"]) == STAGES
        assert sum(row["share"].values()) == pytest.approx(1, abs=0.01)
        assert row["peak_rss_mb"] > 100
    assert table[0].startswith("| engine | precision | tile | ratio |")
    assert table[2].startswith("| reference | fp32 | 256 | 1.00x |")


def test_the_dense_region_has_more_nuclei_and_its_cost_is_told(
    tiny_model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual, dense = (
        cv2.imdecode(
            np.fromfile(write_region(tmp_path / f"{each}.tif", 512, dense=each), np.uint8), 1
        )
        for each in (False, True)
    )
    assert dense.mean() < usual.mean() - 20, "nuclei are dark"
    arguments = ["--dense", "--quick", "--side", "256", "--json", "--model", str(tiny_model[1])]
    assert main(["bench", *arguments]) == 0
    *table, last = capsys.readouterr().out.splitlines()
    (row,) = json.loads(last)["dense"]
    assert row["ratio"] == pytest.approx(row["s_per_mm2"][1] / row["s_per_mm2"][0], rel=0.1)
    assert len(row["nuclei_per_mpx"]) == 2
    assert row["cpu_ratio"] > 0
    assert table[2].startswith("| openvino | ")


def test_tiles_that_are_smaller_at_the_far_edges_are_timed_too(
    tiny_model: Model, tmp_path: Path
) -> None:
    """Of 640 px, 512 and a strip of 192: tiles of four shapes."""
    region = write_region(tmp_path / "region.tif", 640)
    timed = [Setup("openvino", "fp32", 512)]
    _, row = measure.measure(
        region, str(tiny_model[1]), timed, rounds=1, report=lambda _done, _total: None
    )
    assert row["tile"] == 512
    assert sum(row["share"].values()) == pytest.approx(1, abs=0.01)


def test_the_medians_of_rounds_count() -> None:
    times = measure.Times()
    times.stages["read"] += [1.0, 9.0, 2.0]
    assert times.stage("read") == 2.0


def test_what_is_timed_is_what_the_model_has(tiny_model: Model) -> None:
    card, _ = tiny_model
    settings = command._setups(card, quick=False)
    assert {each.precision for each in settings} <= {"fp32", "bf16"}
    assert Setup("openvino", "fp32", 256) in settings
    assert {each.engine for each in settings} == {"torch", "openvino"}


def test_a_side_is_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--side", "10"])
    assert "'10' is no side; give 64 to 16384 pixels" in capsys.readouterr().err
