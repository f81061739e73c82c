"""From a painted slide to a run: what was painted is found, and the same question has one answer."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from analysed_runs import assert_same_table, run_files
from painted_slides import CARD, MPP, SMALL_TILES, PaintedEngine, Painting
from PIL import Image

from seg_core.analysis import analyse
from seg_core.classes import MONUSAC
from seg_core.errors import StoreError
from seg_core.geometry import Region
from seg_core.process.progress import Progress
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.store import Run, open_run, write_nuclei


def expected_counts(painting: Painting, inside: np.ndarray) -> dict[str, int]:
    ids = painting.class_ids[inside]
    return {name: int((ids == MONUSAC.id_of(name)).sum()) for name in MONUSAC.names_with_other}


def test_the_nuclei_that_were_painted_are_found(painted_run: Run, painting: Painting) -> None:
    facts = painted_run.facts
    assert facts.status == "finished"
    assert facts.counts == expected_counts(painting, np.full(len(painting.centres), True))
    assert len(painted_run.nuclei()) == len(painting.centres)
    assert (facts.engine, facts.precision) == ("painted", "fp32")
    assert facts.megapixels == pytest.approx(0.35)
    assert facts.tissue_um2 == pytest.approx(400 * 700 * MPP**2, rel=0.1)
    assert facts.peak_rss_mb is not None
    assert facts.peak_rss_mb > 1
    assert {"torch", "numpy", "python"} <= facts.versions.keys()
    assert open_run(painted_run.path) == painted_run


def test_no_tile_is_asked_on_glass(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    everywhere = replace(SMALL_TILES, tissue_only=False)
    run = analyse(painted_slide, tmp_path, mpp=MPP, settings=everywhere)
    tissue, all_tiles = painted_engines[-1].tiles, 16 * 22
    assert tissue > 0
    assert run.facts.tissue_um2 == pytest.approx(500 * 700 * MPP**2)
    assert sum(engine.tiles for engine in painted_engines) < 2 * all_tiles


def test_a_finished_run_answers_at_once(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    first = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    before = run_files(first)
    again = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert again == first
    assert run_files(again) == before
    assert len(painted_engines) == 1


def test_features_of_the_painted_nuclei_tell_their_classes(painted_run: Run) -> None:
    """A painted nucleus is as red as its class says, and the features are its mean colour."""
    table, features = painted_run.nuclei(), painted_run.features()
    ids = table["class_name"].map(MONUSAC.id_of).to_numpy()
    assert features.shape == (len(table), 3)
    # squares at the edge of a nucleus have seen tissue too
    assert np.corrcoef(features[:, 0].astype(float), ids)[0, 1] > 0.98


def test_features_do_not_depend_on_the_grid(
    painted_slide: Path, painted_run: Run, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    larger = AnalysisSettings(tile_px=192, overlap_px=64, block_px=512)
    other = analyse(painted_slide, tmp_path, mpp=MPP, settings=larger)
    order = [run.nuclei().sort_values(["y", "x"]).index for run in (other, painted_run)]
    one, two = (
        run.features()[rows].astype(float)
        for run, rows in zip((other, painted_run), order, strict=True)
    )
    np.testing.assert_allclose(one, two, rtol=2e-3)


def test_a_run_of_a_version_without_features_says_what_to_do_and_is_made_anew(
    painted_run: Run,
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
) -> None:
    old = tmp_path / painted_run.path.parent.name / painted_run.run_id
    shutil.copytree(painted_run.path, old)
    facts = json.loads((old / "run.json").read_text("utf-8"))
    del facts["features"], facts["seal"], facts["checksum"]
    (old / "run.json").write_text(json.dumps(facts), "utf-8")
    write_nuclei([painted_run.nuclei()], old / "nuclei.parquet", painted_run.scheme)

    run = open_run(old)
    assert_same_table(run.nuclei(), painted_run.nuclei())
    with pytest.raises(StoreError, match="kept no features of nuclei; analyse the slide again"):
        run.features()
    anew = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert anew.path == old
    assert painted_engines[-1].tiles > 0
    np.testing.assert_array_equal(anew.features(), painted_run.features())


@pytest.mark.parametrize(
    "other",
    [
        {"region": Region(0, 0, 300, 300)},
        {"roi": Roi("a", shapely.box(0, 0, 300, 300))},
        {"mpp": 0.5},
        {"settings": replace(SMALL_TILES, min_nucleus_um2=9.0)},
    ],
)
def test_another_question_is_another_run(
    painted_run: Run,
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    other: dict[str, object],
) -> None:
    question: dict[str, object] = {"mpp": MPP, "settings": SMALL_TILES, **other}
    run = analyse(painted_slide, tmp_path, **question)  # type: ignore[arg-type]
    assert run.run_id != painted_run.run_id
    assert run.path.parent.name == painted_run.path.parent.name


def test_the_model_is_loaded_once_for_many_runs(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    for x in (0, 100):
        region = Region(x, 0, 150, 150)
        analyse(painted_slide, tmp_path, region=region, mpp=MPP, settings=SMALL_TILES)
    assert len(painted_engines) == 1
    bf16 = replace(SMALL_TILES, precision="bf16")
    run = analyse(painted_slide, tmp_path, region=region, mpp=MPP, settings=bf16)
    assert run.facts.precision == "bf16"
    assert len(painted_engines) == 2


def test_progress_counts_tiles_then_nuclei_and_knows_the_time_left(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    reports: list[Progress] = []
    analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=reports.append)
    stages = [report.stage for report in reports]
    assert stages == sorted(stages, key=["tiles", "nuclei"].index)
    tiles = [report for report in reports if report.stage == "tiles"]
    assert [report.done for report in tiles] == list(range(tiles[0].total + 1))
    assert tiles[0].seconds_left is None
    assert tiles[1].seconds_left is not None
    assert tiles[1].seconds_left > 0
    assert tiles[-1].seconds_left is not None
    assert tiles[-1].seconds_left > 0, "there are nuclei to be found still"
    assert reports[-1].seconds_left == 0
    assert reports[-1].fraction == 1


def test_nuclei_of_a_roi_are_those_with_their_centroid_inside(
    painted_slide: Path,
    painting: Painting,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
) -> None:
    polygon = shapely.Polygon([(-50, 60), (390, 60), (100, 690)])
    roi = Roi("front", polygon)
    run = analyse(painted_slide, tmp_path, roi=roi, mpp=MPP, settings=SMALL_TILES)
    assert run.region == Region(0, 60, 390, 630)
    assert run.roi == roi
    inside = shapely.contains_xy(polygon, painting.centres + 0.5)
    cut = shapely.distance(polygon.boundary, shapely.points(painting.centres)) < 20
    certain = expected_counts(painting, inside & ~cut)
    possible = expected_counts(painting, inside | cut)
    for name, count in run.facts.counts.items():
        assert certain[name] <= count <= possible[name]
    table = run.nuclei()
    assert shapely.contains_xy(polygon, table["x"], table["y"]).all()
    slide_part = polygon.intersection(shapely.box(0, 0, 500, 700))
    assert run.facts.question.area_um2 == pytest.approx(slide_part.area * MPP**2)
    assert 0 < run.facts.tissue_um2 <= run.facts.question.area_um2 * 1.001


def test_a_region_is_cut_at_the_edge_of_the_slide(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    region = Region(-100, 600, 250, 1000)
    run = analyse(painted_slide, tmp_path, region=region, mpp=MPP, settings=SMALL_TILES)
    assert run.region == Region(0, 600, 150, 100)


@pytest.mark.parametrize("size", [(1, 1), (300, 200)])
def test_a_blank_image_has_no_nuclei_and_that_is_an_answer(
    tmp_path: Path, painted_engines: list[PaintedEngine], size: tuple[int, int]
) -> None:
    Image.new("RGB", size, "white").save(tmp_path / "blank.png")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert run.status == "finished"
    assert run.facts.counts == dict.fromkeys(MONUSAC.names_with_other, 0)
    assert run.facts.tissue_um2 == 0
    assert len(run.nuclei()) == 0
    assert [len(part) for part in run.nuclei_in_parts()] == [0]


def test_a_run_names_its_model(painted_run: Run) -> None:
    assert painted_run.facts.question.model == CARD.name
    assert painted_run.facts.question.model_sha256 == CARD.sha256
    assert painted_run.scheme == CARD.scheme


def test_two_threads_that_analyse_two_slides_load_one_engine_and_share_it(
    painted_run: Run, painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    def work(number: int) -> Run:
        store = tmp_path / str(number)
        return analyse(painted_slide, store, mpp=MPP, settings=SMALL_TILES)

    with ThreadPoolExecutor(2) as threads:
        runs = list(threads.map(work, range(2)))
    assert len(painted_engines) == 1
    for run in runs:
        assert run_files(run) == run_files(painted_run)
