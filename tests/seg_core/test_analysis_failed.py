"""What cannot be read or written, or makes no sense, is one sentence and spoils no earlier run."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import shapely
import tifffile
from analysed_runs import run_files, start_child
from painted_slides import MPP, SMALL_TILES, PaintedEngine, paint

from seg_core.analysis import analyse
from seg_core.errors import RegionError, ResolutionError, SlideError, StoreError
from seg_core.geometry import Region
from seg_core.maps import MapBand
from seg_core.roi import Roi
from seg_core.slide import ArraySlide
from seg_core.store import MapsWriter, Run, RunWriter, Store, open_run


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
