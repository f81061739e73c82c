"""The map maps_layout, against plain arrays."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seg_core.errors import JobCancelled, StoreError
from seg_core.geometry import Raster, Region, Window
from seg_core.maps import MapBand, MapName
from seg_core.store import MapsWriter, RunMaps, coarser_levels, maps_layout, maps_writer
from seg_core.store.halving import coarser_classes, coarser_score
from seg_core.store.shares import FIRST_SHARE_LEVEL

Image = npt.NDArray[np.uint8]


def raster_of(height: int, width: int) -> Raster:
    return Raster(Region(0, 0, width, height), mpp=0.25, downsample=1.0)


def painted(height: int, width: int) -> dict[str, Image]:
    """Blobs of all values, so that coarser levels have ties and edges of every kind."""
    rng = np.random.default_rng(7)
    cells = (-(-height // 9), -(-width // 9))
    blobs = {
        "class_map": rng.choice([0, 0, 1, 2, 3, 4], cells),
        "ternary_map": rng.choice([0, 1, 2], cells),
        "score": rng.integers(0, 256, cells),
    }
    return {
        name: values.astype(np.uint8).repeat(9, 0).repeat(9, 1)[:height, :width]
        for name, values in blobs.items()
    }


def band(planes: dict[str, Image], window: Window) -> MapBand:
    return MapBand(window, **{name: plane[window.slices()] for name, plane in planes.items()})


def bands_of(window: Window, height: int) -> list[Window]:
    return [
        Window(window.x, y, window.width, min(height, window.bottom - y))
        for y in range(window.y, window.bottom, height)
    ]


def assert_pyramid(run_maps: RunMaps, planes: dict[str, Image]) -> None:
    """Each level is the one before it halved as a whole, whatever the order it was written in."""
    for level in range(run_maps.level_count):
        height, width = run_maps.level_shape(level)
        found = run_maps.read(Window(0, 0, width, height), level)
        for name, plane in planes.items():
            np.testing.assert_array_equal(getattr(found, name), plane, f"{name}, level {level}")
        planes = {
            name: coarser_score(plane) if name == "score" else coarser_classes(plane)
            for name, plane in planes.items()
        }


def averaged_as_a_whole(name: str, planes: dict[str, Image], level: int) -> np.ndarray:
    """Shares of a level, straight from level 0, the slide's last row and column repeated."""
    classes = planes["class_map"]
    by_plane = {
        "class": [(classes == each) * 255.0 for each in range(1, 5)],
        "ternary": [(planes["ternary_map"] == each) * 255.0 for each in (1, 2)],
        "score": [np.where(classes > 0, planes["score"], 0.0)],
    }
    shares = np.array(by_plane[name])
    for step in (2,) if level == 1 else (4, *[2] * (level - 2)) if level else ():
        _, height, width = shares.shape
        even = np.pad(shares, ((0, 0), (0, -height % step), (0, -width % step)), mode="edge")
        blocks = even.reshape(len(even), even.shape[1] // step, step, -1, step)
        shares = blocks.mean(axis=(2, 4))
    return shares


def assert_shares(run_maps: RunMaps, planes: dict[str, Image]) -> None:
    names: tuple[MapName, ...] = ("class", "ternary", "score")
    for level in range(FIRST_SHARE_LEVEL, run_maps.share_level_count):
        for name in names:
            wanted = averaged_as_a_whole(name, planes, level)
            _, height, width = wanted.shape
            found = run_maps.read_shares(name, Window(0, 0, width, height), level)
            np.testing.assert_allclose(found, wanted, atol=0.5 * level)


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


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
        patch.setattr(coarser_levels, "_PART_PX", part)
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


def test_coarser_levels_that_a_killed_writer_left_out_are_made_on_opening(tmp_path: Path) -> None:
    planes, raster = painted(1024, 700), raster_of(1024, 700)
    MapsWriter(tmp_path / "maps.zarr", raster).write(band(planes, raster.window))
    before = RunMaps(tmp_path / "maps.zarr")
    assert not before.read(Window(0, 0, 350, 512), level=1).score.any()
    writer = MapsWriter(tmp_path / "maps.zarr", raster)
    assert writer.is_finished(raster.window)
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


def write_as_earlier(path: Path, planes: dict[str, Image], *, with_shares: bool) -> None:
    """Write the maps as version 1 did: an image a map, and one for its shares."""
    with MapsWriter(path.with_name("now.zarr"), raster_of(*planes["score"].shape)) as writer:
        height, width = planes["score"].shape
        writer.write(band(planes, Window(0, 0, width, height)))
    pyramid = maps_layout.open_pyramid(path.with_name("now.zarr"), "r")
    assert pyramid is not None
    group = zarr.create_group(path, zarr_format=3)
    images = [("", 0, pyramid.levels())]
    if with_shares:
        images.append(("_shares", 2, pyramid.share_levels()))
    for suffix, first, levels in images:
        for name, of_map in levels.items():
            datasets = [{"path": str(first + number)} for number in range(len(of_map))]
            ome = {"ome": {"multiscales": [{"datasets": datasets}]}}
            image = group.create_group(f"{name}{suffix}", attributes=ome)
            for dataset, (array, chosen) in zip(datasets, of_map, strict=True):
                values = np.asarray(array[chosen])
                side = 256 if suffix else 512
                image.create_array(
                    dataset["path"], data=values, chunks=(*values.shape[:-2], side, side)
                )
    shutil.rmtree(path.with_name("now.zarr"))


@pytest.mark.parametrize("with_shares", [True, False])
def test_runs_of_an_earlier_layout_are_read_as_they_were(tmp_path: Path, with_shares: bool) -> None:
    planes = painted(1300, 1700)
    write_as_earlier(tmp_path / "maps.zarr", planes, with_shares=with_shares)
    run_maps = RunMaps(tmp_path / "maps.zarr")
    assert run_maps.level_count == 3
    assert_pyramid(run_maps, planes)
    if with_shares:
        assert_shares(run_maps, planes)
    part = Window(600, 500, 40, 30)
    np.testing.assert_array_equal(
        run_maps.read_map("ternary", part), planes["ternary_map"][part.slices()]
    )


def test_a_run_that_kept_no_shares_answers_those_of_its_votes(tmp_path: Path) -> None:
    planes = painted(1300, 700)
    write_as_earlier(tmp_path / "maps.zarr", planes, with_shares=False)
    old = RunMaps(tmp_path / "maps.zarr")
    wanted = averaged_as_a_whole("class", planes, 2)
    np.testing.assert_allclose(old.read_shares("class", Window(0, 0, 175, 325), 2), wanted, atol=1)
    last = old.level_count - 1
    votes = old.read_map("class", Window(0, 0, 172, 324), last)
    shares = old.read_shares("class", Window(0, 0, 43, 81), old.share_level_count - 1)
    assert shares.sum(axis=0).mean() == pytest.approx(255 * (votes > 0).mean(), abs=1)


def test_what_an_earlier_layout_left_unfinished_starts_again(tmp_path: Path) -> None:
    planes, raster = painted(300, 200), raster_of(300, 200)
    write_as_earlier(tmp_path / "maps.zarr", planes, with_shares=True)
    with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
        assert not writer.is_finished(raster.window)
        writer.write(band(planes, raster.window))
    assert_shares(RunMaps(tmp_path / "maps.zarr"), planes)


def test_maps_of_a_later_layout_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with MapsWriter(tmp_path / "maps.zarr", raster_of(30, 20)):
        pass
    zarr.open_group(tmp_path / "maps.zarr").attrs["seg_core_layout"] = 3
    with pytest.raises(StoreError, match=r"have the layout 3, this version .* analyse the slide"):
        RunMaps(tmp_path / "maps.zarr")


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
            monkeypatch.setattr(zarr.Array, "__setitem__", full)
            writer.write(band(planes, raster.window))

    with pytest.raises(StoreError, match=r"the disk that holds .* is full; free some space"):
        write_on_a_full_disk()
    monkeypatch.undo()
    with MapsWriter(tmp_path / "maps.zarr", raster) as writer:
        assert not writer.is_finished(raster.window)
