"""Maps that are written in bands and read in windows, against plain arrays."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from maps_with_blobs import (
    Image,
    assert_pyramid,
    assert_shares,
    averaged_as_a_whole,
    band,
    bands_of,
    files_of,
    painted,
    raster_of,
)

from seg_core.errors import JobCancelled, StoreError
from seg_core.geometry import Raster, Window
from seg_core.maps import MapBand
from seg_core.store import (
    MapsWriter,
    RunMaps,
    coarser_levels,
    growing_maps,
    maps_layout,
    maps_writer,
)
from seg_core.store.band_record import BandRecord
from seg_core.store.growing_maps import GrowingMaps
from seg_core.store.halving import coarser_classes


def test_what_is_written_in_bands_and_strips_is_read_in_windows(tmp_path: Path) -> None:
    height, width = 1300, 1700
    planes = painted(height, width)
    path = tmp_path / "maps.zarr"
    with MapsWriter(path, raster_of(height, width)) as writer:
        for strip in (Window(0, 0, 901, height), Window(901, 0, width - 901, height)):
            for window in bands_of(strip, 192):
                writer.write(band(planes, window))
    run_maps = RunMaps(path)
    assert run_maps.level_count == 3
    assert run_maps.level_shape(2) == (325, 425)
    assert_pyramid(run_maps, planes)
    assert_shares(run_maps, planes)


@settings(max_examples=25)
@given(
    shape=st.tuples(st.integers(8, 70), st.integers(1, 70)),
    rows_of_chunks=st.integers(1, 9),
    part=st.sampled_from([8, 16, 64]),
    asked=st.tuples(
        st.integers(-20, 60), st.integers(-20, 60), st.integers(1, 60), st.integers(1, 60)
    ),
)
def test_whoever_reads_meanwhile_sees_the_maps_grow_at_every_level(
    tmp_path_factory: pytest.TempPathFactory,
    shape: tuple[int, int],
    rows_of_chunks: int,
    part: int,
    asked: tuple[int, int, int, int],
) -> None:
    """Coarser levels follow after 4096 rows, so that a whole slide on a screen stood still."""
    height, width = shape
    made = 8 * min(rows_of_chunks, height // 8)  # what does not fill chunks is held back
    planes = painted(height, width)
    for each in planes.values():
        each[made:] = 0
    folder = tmp_path_factory.mktemp("run")
    path, whole = folder / "maps.zarr", folder / "whole" / "maps.zarr"
    whole.parent.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for module in (maps_layout, maps_writer):
            patch.setattr(module, "CHUNK_PX", 8)
            patch.setattr(module, "SHARD_PX", 32)
        patch.setattr(maps_layout, "SHARES_CHUNK_PX", 4)
        patch.setattr(growing_maps, "PART_PX", part)
        patch.setattr(maps_writer, "_HALVING_PX", 24)
        with MapsWriter(whole, raster_of(height, width)) as writer:
            writer.write(band(planes, Window(0, 0, width, height)))
        writer = MapsWriter(path, raster_of(height, width))
        for window in bands_of(Window(0, 0, width, made), 8):
            writer.write(band(planes, window))
        record = BandRecord.read(folder)
        assert record is not None
        at_once, grown = RunMaps(whole), GrowingMaps(path, record.to_halve)
        seen = Window(*asked)
        for level in range(at_once.level_count):
            together = grown.read(seen, level)
            np.testing.assert_array_equal(together.score, at_once.read(seen, level).score)
            for name in ("class", "ternary", "score"):
                np.testing.assert_array_equal(
                    grown.read_map(name, seen, level), at_once.read_map(name, seen, level)
                )
        for level in range(at_once.share_level_count):
            for name in ("class", "ternary", "score"):
                np.testing.assert_array_equal(
                    grown.read_shares(name, seen, level), at_once.read_shares(name, seen, level)
                )


@settings(max_examples=25)
@given(
    shape=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    band_height=st.integers(1, 40),
    cut=st.integers(1, 69),
    part=st.sampled_from([8, 16, 64]),
    asked=st.tuples(
        st.integers(-20, 80), st.integers(-20, 80), st.integers(1, 60), st.integers(1, 60)
    ),
)
def test_any_bands_give_the_same_pyramid_and_any_window_reads_its_part(
    tmp_path_factory: pytest.TempPathFactory,
    shape: tuple[int, int],
    band_height: int,
    cut: int,
    part: int,
    asked: tuple[int, int, int, int],
) -> None:
    height, width = shape
    planes = painted(height, width)
    path = tmp_path_factory.mktemp("run") / "maps.zarr"
    with pytest.MonkeyPatch.context() as patch:
        for module in (maps_layout, maps_writer):
            patch.setattr(module, "CHUNK_PX", 8)
            patch.setattr(module, "SHARD_PX", 32)
        patch.setattr(maps_layout, "SHARES_CHUNK_PX", 4)
        patch.setattr(coarser_levels, "PART_PX", part)
        patch.setattr(maps_writer, "_HALVING_PX", 16)
        strips = [Window(0, 0, min(cut, width), height)]
        if cut < width:
            strips.append(Window(cut, 0, width - cut, height))
        with MapsWriter(path, raster_of(height, width)) as writer:
            for strip in strips:
                for window in bands_of(strip, band_height):
                    writer.write(band(planes, window))
        run_maps = RunMaps(path)
    assert_pyramid(run_maps, planes)
    assert_shares(run_maps, planes)
    window = Window(*asked)
    found = run_maps.read(window)
    for name, plane in planes.items():
        outside = np.pad(plane, 200)
        x, y = window.x + 200, window.y + 200
        np.testing.assert_array_equal(
            getattr(found, name), outside[y : y + window.height, x : x + window.width]
        )


def test_stopping_keeps_what_was_given_and_going_on_gives_the_same_files(tmp_path: Path) -> None:
    height, width = 1300, 700
    planes, raster = painted(height, width), raster_of(height, width)
    windows = bands_of(raster.window, 192)
    with MapsWriter(tmp_path / "whole/maps.zarr", raster) as writer:
        for window in windows:
            writer.write(band(planes, window))

    stopped = tmp_path / "stopped/maps.zarr"

    def write_three_and_stop() -> None:
        with MapsWriter(stopped, raster) as writer:
            for window in windows[:3]:
                writer.write(band(planes, window))
            raise JobCancelled("enough")

    with pytest.raises(JobCancelled):
        write_three_and_stop()
    with MapsWriter(stopped, raster) as writer:
        assert [writer.is_finished(window) for window in windows] == [True] * 3 + [False] * 4
        for window in windows[3:]:
            writer.write(band(planes, window))
    assert files_of(stopped.parent) == files_of(tmp_path / "whole")


def test_a_killed_writer_has_recorded_only_what_is_on_disk(tmp_path: Path) -> None:
    """Bands are held back until they fill chunks; the record must not run ahead of the data."""
    planes, raster = painted(1300, 700), raster_of(1300, 700)
    windows = bands_of(raster.window, 192)
    killed = MapsWriter(tmp_path / "maps.zarr", raster)
    for window in windows[:4]:  # 768 rows: one row of chunks, and 256 rows held back
        killed.write(band(planes, window))
    with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
        finished = [writer.is_finished(window) for window in windows]
        assert finished == [True, True, False, False, False, False, False]
        for window, known in zip(windows, finished, strict=True):
            if not known:
                writer.write(band(planes, window))
    assert_pyramid(RunMaps(tmp_path / "maps.zarr"), planes)


def write_until_killed(path: Path, raster: Raster, bands: list[MapBand], records: int) -> bool:
    """Write bands, and lose what should be recorded after so many times, as a killed process does."""
    left = records

    def record(writer: MapsWriter) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        write_record(writer)

    write_record = MapsWriter._write_record
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MapsWriter, "_write_record", record)
        try:
            writer = MapsWriter(path, raster)
            for each in bands:
                if not writer.is_finished(each.window):
                    writer.write(each)
            writer.flush()
        except KeyboardInterrupt:
            return True
    return False


def test_strips_that_meet_within_a_file_cost_a_killed_writer_one_row_of_files(
    tmp_path: Path,
) -> None:
    """All that was finished of a wide slide was thrown away, for a file of the row was another."""
    height, width, cut = 1100, 17_000, 16_320
    planes, raster = painted(height, width), raster_of(height, width)
    strips = [Window(0, 0, cut, height), Window(cut, 0, width - cut, height)]
    windows = [window for strip in strips for window in bands_of(strip, 192)]
    bands = [band(planes, window) for window in windows]
    with MapsWriter(tmp_path / "whole/maps.zarr", raster) as writer:
        for each in bands:
            writer.write(each)

    path = tmp_path / "killed/maps.zarr"
    with MapsWriter(path, raster) as writer:
        for each in bands[:6]:
            writer.write(each)
    assert write_until_killed(path, raster, bands, 0)
    with MapsWriter(path, raster) as writer:
        finished = [writer.is_finished(window) for window in windows]
        assert finished == [False] * 3 + [True] * 3 + [False] * 6  # rows 0 to 511 meet
        for each in bands:
            if not writer.is_finished(each.window):
                writer.write(each)
    assert files_of(path.parent) == files_of(tmp_path / "whole")


@settings(max_examples=40)
@given(
    shape=st.tuples(st.integers(1, 50), st.integers(33, 70)),
    band_height=st.integers(1, 20),
    cut=st.integers(1, 32),
    kills=st.lists(st.integers(0, 6), max_size=4),
    lost=st.integers(0, 10**6),
)
def test_a_writer_killed_anywhere_and_files_lost_meanwhile_end_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    shape: tuple[int, int],
    band_height: int,
    cut: int,
    kills: list[int],
    lost: int,
) -> None:
    height, width = shape
    planes, raster = painted(height, width), raster_of(height, width)
    folder = tmp_path_factory.mktemp("run")
    strips = [Window(0, 0, cut, height), Window(cut, 0, width - cut, height)]
    bands = [band(planes, window) for strip in strips for window in bands_of(strip, band_height)]
    with pytest.MonkeyPatch.context() as patch:
        for module in (maps_layout, maps_writer):
            patch.setattr(module, "CHUNK_PX", 8)
            patch.setattr(module, "SHARD_PX", 32)
        patch.setattr(maps_layout, "SHARES_CHUNK_PX", 4)
        patch.setattr(coarser_levels, "PART_PX", 16)
        patch.setattr(maps_writer, "_HALVING_PX", 16)
        assert not write_until_killed(folder / "whole/maps.zarr", raster, bands, 10**6)
        for records in kills:
            write_until_killed(folder / "killed/maps.zarr", raster, bands, records)
            files = sorted(folder.glob("killed/maps.zarr/maps/0/c/0/*/*"))
            if files:
                damaged = files[lost % len(files)]
                damaged.write_bytes(damaged.read_bytes()[: lost % 50])
        assert not write_until_killed(folder / "killed/maps.zarr", raster, bands, 10**6)
    assert files_of(folder / "killed") == files_of(folder / "whole")


@pytest.mark.parametrize("content", [None, b"", b"damaged"])
def test_a_damaged_file_costs_the_bands_that_lie_in_it(
    tmp_path: Path, content: bytes | None
) -> None:
    planes, raster = painted(1300, 700), raster_of(1300, 700)
    windows = bands_of(raster.window, 192)
    for name in ("whole", "damaged"):
        with MapsWriter(tmp_path / name / "maps.zarr", raster) as writer:
            for window in windows:
                writer.write(band(planes, window))
    shard = tmp_path / "damaged/maps.zarr/maps/0/c/0/1/0"  # rows 512 to 1023
    shard.unlink() if content is None else shard.write_bytes(content)
    with MapsWriter(tmp_path / "damaged/maps.zarr", raster) as writer:
        finished = [writer.is_finished(window) for window in windows]
        assert finished == [True, True, False, False, False, False, True]
        for window in windows[2:6]:
            writer.write(band(planes, window))
    assert files_of(tmp_path / "damaged") == files_of(tmp_path / "whole")


def test_coarser_levels_that_a_killed_writer_left_out_are_made_on_opening(tmp_path: Path) -> None:
    planes, raster = painted(1024, 700), raster_of(1024, 700)
    MapsWriter(tmp_path / "maps.zarr", raster).write(band(planes, raster.window))
    before = RunMaps(tmp_path / "maps.zarr")
    assert not before.read(Window(0, 0, 350, 512), level=1).score.any()
    writer = MapsWriter(tmp_path / "maps.zarr", raster)
    assert writer.is_finished(raster.window)
    assert_pyramid(RunMaps(tmp_path / "maps.zarr"), planes)
    assert_shares(RunMaps(tmp_path / "maps.zarr"), planes)


def test_level_0_is_whole_before_the_coarser_levels_are_made(tmp_path: Path) -> None:
    """Nuclei are found in it meanwhile."""
    planes, raster = painted(1100, 700), raster_of(1100, 700)
    with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
        for window in bands_of(raster.window, 192):
            writer.write(band(planes, window))
        writer.store_held()
        maps = RunMaps(tmp_path / "maps.zarr")
        found = maps.read(raster.window)
        np.testing.assert_array_equal(found.class_map, planes["class_map"])
        np.testing.assert_array_equal(found.score, planes["score"])
        assert not maps.read(Window(0, 0, 350, 550), level=1).score.any()
        assert all(writer.is_finished(window) for window in bands_of(raster.window, 192))
        writer.make_coarser()
        assert_pyramid(RunMaps(tmp_path / "maps.zarr"), planes)
    assert_pyramid(RunMaps(tmp_path / "maps.zarr"), planes)
    assert_shares(RunMaps(tmp_path / "maps.zarr"), planes)


def test_a_layout_that_was_never_completed_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "maps.zarr/class").mkdir(parents=True)
    planes, raster = painted(30, 40), raster_of(30, 40)
    with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
        writer.write(band(planes, raster.window))
    assert_pyramid(RunMaps(tmp_path / "maps.zarr"), planes)


def test_glass_costs_no_files(tmp_path: Path) -> None:
    raster = raster_of(40_000, 60_000)
    planes = {name: np.zeros((600, 2000), np.uint8) for name in painted(1, 1)}
    planes["class_map"][100:120, 900:920] = 3
    window = Window(30_000, 20_480, 2000, 600)
    with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
        writer.write(MapBand(window, **planes))
    files = files_of(tmp_path / "maps.zarr")
    chunks = [name for name in files if "/c/" in name]
    assert min(chunks) == "maps/0/c/0/40/15"
    # one file a level, as long as the nucleus is seen there
    run_maps = RunMaps(tmp_path / "maps.zarr")
    assert len(chunks) <= run_maps.level_count + run_maps.share_level_count
    assert writer.is_finished(window)


def test_the_layout_is_ome_zarr(tmp_path: Path) -> None:
    path = tmp_path / "maps.zarr"
    MapsWriter(path, raster_of(1000, 3000))
    root = json.loads((path / "zarr.json").read_text())
    assert root["attributes"]["ome"] == {"version": "0.5", "bioformats2raw.layout": 3}
    series = json.loads((path / "OME/zarr.json").read_text())["attributes"]["ome"]["series"]
    assert series == ["maps", "shares"]
    for name, first in (("maps", 0), ("shares", 2)):
        ome = json.loads((path / name / "zarr.json").read_text())["attributes"]["ome"]
        assert ome["version"] == "0.5"
        (image,) = ome["multiscales"]
        assert [(axis["name"], axis["type"], axis.get("unit")) for axis in image["axes"]] == [
            ("c", "channel", None),
            ("y", "space", "micrometer"),
            ("x", "space", "micrometer"),
        ]
        levels = [dataset["path"] for dataset in image["datasets"]]
        assert levels == [str(first + each) for each in range(len(levels))]
        assert "3" in levels
        scale, translation = image["datasets"][3 - first]["coordinateTransformations"]
        assert scale == {"type": "scale", "scale": [1.0, 2.0, 2.0]}
        # the centre of the first pixel of level 3 lies 3.5 pixels further than that of level 0
        assert translation == {"type": "translation", "translation": [0.0, 0.875, 0.875]}
        for dataset in image["datasets"]:
            array = zarr.open_array(path / name / dataset["path"], mode="r")
            assert array.dtype == np.uint8
            assert array.metadata.dimension_names == ("c", "y", "x")


@given(
    hnp.arrays(
        np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4)
    )
)
def test_halving_classes_is_a_vote_of_each_2_by_2(values: Image) -> None:
    even = np.pad(values, ((0, values.shape[0] % 2), (0, values.shape[1] % 2)), mode="edge")
    halved = coarser_classes(values)
    assert halved.shape == (even.shape[0] // 2, even.shape[1] // 2)
    for (row, column), found in np.ndenumerate(halved):
        four = even[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].ravel()
        nucleus = four[four > 0].tolist()
        expected = max(sorted(nucleus), key=nucleus.count) if len(nucleus) >= 2 else 0
        assert found == expected


def test_halving_twice_neither_loses_nor_swells_small_nuclei() -> None:
    rows, columns = np.mgrid[:64, :64]
    ratios = []
    for seed in range(40):
        x, y, radius = np.random.default_rng(seed).uniform([28, 28, 4], [36, 36, 12])
        disc = ((columns - x) ** 2 + (rows - y) ** 2 < radius**2).astype(np.uint8)
        ratios.append(16 * int(coarser_classes(coarser_classes(disc)).sum()) / int(disc.sum()))
    assert min(ratios) > 0.7
    assert 1 < np.mean(ratios) < 1.25


def test_fine_levels_share_out_the_raster_itself(tmp_path: Path) -> None:
    planes = painted(90, 70)
    with MapsWriter(tmp_path / "maps.zarr", raster_of(90, 70)) as writer:
        writer.write(band(planes, Window(0, 0, 70, 90)))
    run_maps = RunMaps(tmp_path / "maps.zarr")
    for level in (0, 1):
        size = 70 >> level, 90 >> level
        found = run_maps.read_shares("class", Window(0, 0, *size), level)
        np.testing.assert_allclose(found, averaged_as_a_whole("class", planes, level), atol=0.5)


def test_nuclei_too_small_for_a_vote_still_have_their_share(tmp_path: Path) -> None:
    """Lymphocytes apart from one another used to vanish from a whole slide on the screen."""
    raster = raster_of(2048, 2048)
    planes = {name: np.zeros((2048, 2048), np.uint8) for name in painted(1, 1)}
    planes["class_map"].reshape(32, 64, 32, 64)[:, 20:44, :, 20:44] = 2
    with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
        writer.write(band(planes, raster.window))
    run_maps = RunMaps(tmp_path / "maps.zarr")
    shares = run_maps.read_shares("class", Window(0, 0, 512, 512), 2)
    assert shares[1].mean() / 255 == pytest.approx((24 / 64) ** 2, rel=0.01)
    assert not shares[[0, 2, 3]].any()


def test_maps_that_are_not_there_are_missed(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there are no maps in .*; run the analysis again"):
        RunMaps(tmp_path / "maps.zarr")


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planes, raster = painted(600, 700), raster_of(600, 700)

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(28, os.strerror(28))

    def write_on_a_full_disk() -> None:
        with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
            monkeypatch.setattr(Path, "write_bytes", full)
            writer.write(band(planes, raster.window))

    with pytest.raises(StoreError, match=r"the disk that holds .* is full; free some space"):
        write_on_a_full_disk()
    monkeypatch.undo()
    with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
        assert not writer.is_finished(raster.window)
