"""Maps that an earlier version wrote are read; those of a later one are refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr
from maps_with_blobs import (
    Image,
    assert_pyramid,
    assert_shares,
    averaged_as_a_whole,
    band,
    painted,
    raster_of,
)

from seg_core.errors import StoreError
from seg_core.geometry import Window
from seg_core.store import MapsWriter, RunMaps, maps_layout


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
