"""From a painted slide to a run: the same answer whatever happens on the way."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import tifffile
from painted_slides import CARD, MPP, PaintedEngine, Painting, paint
from PIL import Image

from seg_core import analysis
from seg_core.analysis import analyse
from seg_core.classes import MONUSAC
from seg_core.errors import JobCancelled, RegionError, ResolutionError, SlideError, StoreError
from seg_core.files.locks import locked
from seg_core.geometry import Region
from seg_core.maps import MapBand
from seg_core.model.lender import EngineLender
from seg_core.process.progress import Progress
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide
from seg_core.store import MapsWriter, Run, RunWriter, Store, open_run, write_nuclei

HERE = Path(__file__).parent
SMALL_TILES = AnalysisSettings(tile_px=64, overlap_px=32, block_px=256)


def stop_after(tiles: int) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        if progress.stage == "tiles" and progress.done >= tiles:
            raise JobCancelled("stopped in the test")

    return report


def run_files(run: Run) -> dict[str, bytes]:
    """All files of a run except its times and who was at work."""
    return {
        str(path.relative_to(run.path)): path.read_bytes()
        for path in run.path.rglob("*")
        if path.is_file() and path.name != "run.json" and not path.name.startswith("lease-")
    }


def assert_same_table(one: gpd.GeoDataFrame, other: gpd.GeoDataFrame) -> None:
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(other))


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


@pytest.mark.parametrize("tiles", [0, 1, 150, 10**6])
def test_what_was_stopped_goes_on_and_ends_the_same(
    painted_run: Run,
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    tiles: int,
) -> None:
    if tiles < 10**6:
        with pytest.raises(JobCancelled, match="stopped in the test"):
            analyse(
                painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=stop_after(tiles)
            )
        (stopped,) = Store(tmp_path).runs(painted_run.path.parent.name)
        assert stopped.status == "stopped"
        with pytest.raises(StoreError, match="is stopped and has no nuclei yet"):
            stopped.nuclei()
    run = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert run.run_id == painted_run.run_id
    assert run.facts.counts == painted_run.facts.counts
    assert run_files(run) == run_files(painted_run)
    assert_same_table(run.nuclei(), painted_run.nuclei())


def test_going_on_asks_only_the_tiles_that_are_missing(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    everything: list[Progress] = []
    analyse(painted_slide, tmp_path / "a", mpp=MPP, settings=SMALL_TILES, report=everything.append)
    total = everything[0].total
    with pytest.raises(JobCancelled):
        analyse(
            painted_slide,
            tmp_path / "b",
            mpp=MPP,
            settings=SMALL_TILES,
            report=stop_after(total - 20),
        )
    rest: list[Progress] = []
    analyse(painted_slide, tmp_path / "b", mpp=MPP, settings=SMALL_TILES, report=rest.append)
    assert rest[0].total < total / 2


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
    assert tiles[-1].seconds_left == 0
    assert reports[-1].fraction == 1


CHILD = """
import os, resource, signal, sys
from pathlib import Path
import painted_slides
from seg_core import analysis
from seg_core.errors import SegCoreError
from seg_core.settings import AnalysisSettings

analysis.find_model = painted_slides.find_painted_model
analysis.make_engine = painted_slides.make_painted_engine

def kill(stage, done):
    def report(progress):
        if (progress.stage, progress.done) == (stage, int(done)):
            os.kill(os.getpid(), signal.SIGKILL)
    return report

report = kill(*sys.argv[3:5]) if len(sys.argv) > 4 else None
if len(sys.argv) == 4:  # a disk that takes no larger files
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
try:
    analysis.analyse(
        Path(sys.argv[1]), Path(sys.argv[2]), mpp=painted_slides.MPP, report=report,
        settings=AnalysisSettings(tile_px=64, overlap_px=32, block_px=256),
    )
except SegCoreError as error:
    sys.exit(str(error))
"""


def start_child(slide: Path, store: Path, *arguments: str) -> subprocess.Popen[str]:
    """Analyse in a process of its own; it ends with 1 and the sentence on stderr if that fails."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    command = [sys.executable, "-c", CHILD, str(slide), str(store), *arguments]
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("stage", "done"), [("tiles", 230), ("nuclei", 1)])
def test_kill_9_in_the_middle_ends_the_same_value_for_value(
    tmp_path: Path, painted_engines: list[PaintedEngine], stage: str, done: int
) -> None:
    slide = paint(300, 1700).save(tmp_path / "tall.png")  # two rows of chunks are full by then
    killed_child = start_child(slide, tmp_path / "killed", stage, str(done))
    killed_child.communicate()
    assert killed_child.returncode == -signal.SIGKILL
    (facts,) = (tmp_path / "killed").glob("*/*/run.json")
    assert json.loads(facts.read_text())["status"] == "running"
    assert open_run(facts.parent).status == "stopped"
    killed = analyse(slide, tmp_path / "killed", mpp=MPP, settings=SMALL_TILES)
    whole = analyse(slide, tmp_path / "whole", mpp=MPP, settings=SMALL_TILES)
    assert painted_engines[-1].tiles > 0
    assert run_files(killed) == run_files(whole)
    assert_same_table(killed.nuclei(), whole.nuclei())


def test_maps_of_another_precision_are_not_continued(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """*auto* may mean something else on the next machine; one run has one precision."""
    with pytest.raises(JobCancelled):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=stop_after(200))
    monkeypatch.setattr(analysis, "_engines", EngineLender())
    monkeypatch.setattr(analysis, "make_engine", lambda *_: PaintedEngine("bf16"))
    reports: list[Progress] = []
    run = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=reports.append)
    assert run.facts.precision == "bf16"
    assert reports[0].total > 200


def test_the_same_question_in_two_processes_is_refused(
    painted_run: Run, painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    with pytest.raises(JobCancelled):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=stop_after(10))
    (stopped,) = Store(tmp_path).runs(painted_run.path.parent.name)
    with locked(stopped.path), pytest.raises(StoreError, match="another process is already at"):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES).status == "finished"


def test_two_processes_that_start_the_same_run_do_not_damage_each_other(
    painted_run: Run, painted_slide: Path, tmp_path: Path
) -> None:
    """One does it; another is told so, or comes late and finds it done."""
    children = [start_child(painted_slide, tmp_path) for _ in range(3)]
    for child in children:
        _, sentence = child.communicate()
        if child.returncode:
            assert "another process is already at this analysis" in sentence
    assert any(child.returncode == 0 for child in children)
    (run,) = Store(tmp_path).runs(painted_run.path.parent.name)
    assert run.status == "finished"
    assert run.facts.counts == painted_run.facts.counts
    assert run_files(run) == run_files(painted_run)


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


@pytest.mark.parametrize(
    ("question", "error", "sentence"),
    [
        ({"region": Region(5000, 0, 10, 10)}, RegionError, "lies outside the slide"),
        ({"roi": Roi("a", shapely.box(900, 0, 950, 9))}, RegionError, "lies outside the slide"),
        (
            {"roi": Roi("necrosis", shapely.box(0, 0, 90, 90), "exclude")},
            RegionError,
            "'necrosis' says what to leave out; give one of kind include",
        ),
        (
            {"roi": Roi("a", shapely.box(0, 0, 9, 9)), "region": Region(0, 0, 9, 9)},
            RegionError,
            "a region and a ROI were both given; give one of them",
        ),
        ({"mpp": None}, ResolutionError, "--mpp"),
    ],
)
def test_a_question_without_sense_is_refused_before_anything_is_written(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    question: dict[str, object],
    error: type[Exception],
    sentence: str,
) -> None:
    with pytest.raises(error, match=sentence):
        analyse(painted_slide, tmp_path, **{"mpp": MPP, **question})  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_slide_that_becomes_unreadable_fails_in_words_and_goes_on_later(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    earlier = analyse(
        painted_slide, tmp_path, region=Region(0, 0, 99, 99), mpp=MPP, settings=SMALL_TILES
    )
    before = run_files(earlier)
    read = ArraySlide.read

    def unplugged(slide: ArraySlide, raster: object, window: object) -> object:
        if window.y > 300:  # type: ignore[attr-defined]
            raise SlideError("the drive was unplugged; plug it in.")
        return read(slide, raster, window)  # type: ignore[arg-type]

    monkeypatch.setattr(ArraySlide, "read", unplugged)
    with pytest.raises(SlideError, match="unplugged; plug it in"):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    failed, _ = sorted(
        Store(tmp_path).runs(earlier.path.parent.name), key=lambda run: run.status != "failed"
    )
    assert failed.facts.error == "the drive was unplugged; plug it in."
    assert run_files(open_run(earlier.path)) == before
    monkeypatch.setattr(ArraySlide, "read", read)
    assert analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES).path == failed.path


def test_a_slide_that_is_damaged_in_the_middle_is_one_sentence(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    """As a copy that broke off looks: the directory is there, the pixels of some tiles are not."""
    picture = paint(768, 1024).rgb
    slide, store = tmp_path / "slide.tif", tmp_path / "store"
    with tifffile.TiffWriter(slide) as file:
        file.write(picture, tile=(256, 256), compression="zlib", photometric="rgb")
    with tifffile.TiffFile(slide) as file:
        begin, size = file.pages[0].dataoffsets[10], file.pages[0].databytecounts[10]
    whole = slide.read_bytes()
    slide.write_bytes(whole[:begin] + bytes(size) + whole[begin + size :])
    upper = Region(0, 0, 700, 400)
    settings = replace(SMALL_TILES, tissue_only=False)  # the mask looks at the whole slide
    earlier = analyse(slide, store, region=upper, mpp=MPP, settings=settings)
    before = run_files(earlier)
    with pytest.raises(SlideError, match=r"cannot be read .* damaged or incomplete"):
        analyse(slide, store, region=Region(0, 0, 700, 900), mpp=MPP, settings=settings)
    (failed,) = (run for run in Store(store).runs(earlier.path.parent.name) if run != earlier)
    assert "cannot be read" in str(failed.facts.error)
    assert open_run(earlier.path) == earlier
    assert run_files(earlier) == before


def test_a_store_without_write_permission_is_one_sentence(
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden(path: Path, *_arguments: object, **_named: object) -> None:
        raise PermissionError(13, os.strerror(13), str(path))

    monkeypatch.setattr(
        Path, "mkdir", forbidden
    )  # root may write anywhere, so a folder will not do
    with pytest.raises(StoreError, match=r"no permission to write in .*--out .*SEG_STORE"):
        analyse(painted_slide, tmp_path / "store", mpp=MPP, settings=SMALL_TILES)


def test_a_file_in_the_place_of_the_store_is_one_sentence(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    (tmp_path / "store").write_text("no folder")
    with pytest.raises(StoreError, match=r"a file is in its place; choose another store"):
        analyse(painted_slide, tmp_path / "store", mpp=MPP, settings=SMALL_TILES)
    assert (tmp_path / "store").read_text() == "no folder"


@pytest.mark.parametrize("largest", [1_000, 10_000, 40_000])
def test_a_system_that_writes_no_more_leaves_earlier_runs_and_goes_on_later(
    painted_run: Run,
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    largest: int,
) -> None:
    """In a process that may not write larger files, wherever that strikes: facts, maps or nuclei."""
    part = Region(0, 0, 99, 99)
    earlier = analyse(painted_slide, tmp_path, region=part, mpp=MPP, settings=SMALL_TILES)
    before = run_files(earlier)
    child = start_child(painted_slide, tmp_path, str(largest))
    _, sentence = child.communicate()
    assert child.returncode == 1
    assert sentence.count("\n") == 1
    assert "is full; free some space and start the same analysis again" in sentence
    assert open_run(earlier.path) == earlier
    assert run_files(earlier) == before
    run = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert run_files(run) == run_files(painted_run)


def test_a_full_disk_leaves_a_run_that_goes_on(
    painted_run: Run,
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(writer: RunWriter, _tables: object, _scheme: object) -> None:
        raise StoreError(f"the disk that holds {writer.folder} is full; free some space.")

    monkeypatch.setattr(RunWriter, "write_nuclei", full)
    with pytest.raises(StoreError, match="is full; free some space"):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    monkeypatch.undo()
    (failed,) = Store(tmp_path).runs(painted_run.path.parent.name)
    assert failed.status == "failed"
    assert not (failed.path / "nuclei.parquet").exists()


def test_a_disk_that_fills_up_while_the_network_works_stops_the_run(
    painted_run: Run,
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Maps are written in a thread of their own; its errors are the run's."""
    write, written = MapsWriter.write, []

    def full(writer: MapsWriter, band: MapBand) -> None:
        if len(written) == 9:
            raise StoreError("the disk that holds the store is full; free some space.")
        written.append(band.window)
        write(writer, band)

    monkeypatch.setattr(MapsWriter, "write", full)
    with pytest.raises(StoreError, match="is full; free some space"):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert len(written) == 9
    (failed,) = Store(tmp_path).runs(painted_run.path.parent.name)
    assert failed.facts.error == "the disk that holds the store is full; free some space."
    monkeypatch.setattr(MapsWriter, "write", write)
    run = analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES)
    assert run_files(run) == run_files(painted_run)


def test_ctrl_c_keeps_the_run_as_stopped(
    painted_run: Run, painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyse(painted_slide, tmp_path, mpp=MPP, settings=SMALL_TILES, report=interrupt)
    (stopped,) = Store(tmp_path).runs(painted_run.path.parent.name)
    assert stopped.status == "stopped"


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
