from collections.abc import Callable
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from painted_maps import discs, maps_of, noise_maps, raster_of, read_labels

from seg_core.classes import MONUSAC
from seg_core.errors import JobCancelled
from seg_core.geometry import Raster, Window
from seg_core.maps import Maps
from seg_core.nuclei import (
    BlockNuclei,
    find_instances,
    find_nuclei,
    join_tables,
    measure_nuclei,
    nuclei_by_block,
)
from seg_core.nuclei.halo import halo_px, near_halo_px
from seg_core.question import Question
from seg_core.settings import AnalysisSettings

# Nuclei of at most 12 px and growth of 4 px, so that small maps have many blocks.
SMALL = AnalysisSettings(
    min_nucleus_um2=1.0, min_seed_um2=0.5, growth_um=1.0, max_extent_um=3.0, block_px=256
)


def with_blocks_of(block_px: int, settings: AnalysisSettings = SMALL) -> AnalysisSettings:
    """Blocks below 256 px are refused to users; here they save time."""
    changed = replace(settings)
    object.__setattr__(changed, "block_px", block_px)
    return changed


def question_of(
    raster: Raster, settings: AnalysisSettings, window: Window | None = None
) -> Question:
    region = raster.region_of(window or raster.window)
    question = Question("slide", raster, region, None, "model", "0", settings)
    assert question.window == (window or raster.window)
    return question


def picture_of(maps: Maps) -> np.ndarray:
    return np.stack([maps.score, 255 - maps.score, maps.score // 2], axis=2)


def blocks_of(
    maps: Maps, settings: AnalysisSettings, window: Window | None = None, **keywords: Callable
) -> list[BlockNuclei]:
    raster = raster_of(maps.class_map)
    picture = picture_of(maps)
    return list(
        nuclei_by_block(
            maps.cropped,
            lambda part: picture[part.slices()],
            question_of(raster, settings, window),
            MONUSAC,
            **keywords,
        )
    )


def nuclei_of(maps: Maps, settings: AnalysisSettings, window: Window | None = None):
    return join_tables(block.table for block in blocks_of(maps, settings, window))


def whole(maps: Maps, settings: AnalysisSettings) -> gpd.GeoDataFrame:
    raster = raster_of(maps.class_map)
    instances = find_instances(maps, raster, raster.window, settings, MONUSAC)
    return measure_nuclei(instances, picture_of(maps), MONUSAC)


def assert_same_nuclei(table: gpd.GeoDataFrame, expected: gpd.GeoDataFrame) -> None:
    """Every value of every nucleus, whatever their order."""
    assert len(table) == len(expected)
    keys = ["x", "y", "area_um2", "perimeter_um"]
    table, expected = (
        each.sort_values(keys).drop(columns="nucleus_id").reset_index(drop=True)
        for each in (table, expected)
    )
    for column in table.columns.drop("geometry"):
        np.testing.assert_array_equal(table[column], expected[column], err_msg=column)
    assert shapely.equals_identical(table.geometry.to_numpy(), expected.geometry.to_numpy()).all()


@given(noise_maps(largest=120), st.sampled_from([8, 17, 32, 64]), st.integers(0, 6))
def test_blocks_of_any_size_find_the_nuclei_of_the_whole(maps: Maps, block_px: int, growth: int):
    """In noise: seeds cut by every border, giants, holes, centroids outside their nucleus."""
    settings = replace(SMALL, growth_um=growth / 4)
    assert_same_nuclei(nuclei_of(maps, with_blocks_of(block_px, settings)), whole(maps, settings))


@pytest.mark.parametrize("block_px", [256, 512, 2048])
def test_blocks_find_the_nuclei_of_a_real_image(shared_data, block_px: int):
    labels = read_labels(shared_data / "consep/inst/train_18.png")[:700, :600]
    maps = maps_of(labels, rim_px=2)
    settings = AnalysisSettings(block_px=block_px, min_nucleus_um2=2.0)
    table = nuclei_of(maps, settings)
    assert len(table) > 800
    assert_same_nuclei(table, whole(maps, settings))


def test_a_nucleus_belongs_to_the_block_that_holds_its_centroid():
    # centroids at x = 32 exactly (of the second block), and at 31.5 (of the first)
    labels = np.zeros((32, 64), np.int32)
    labels[4:10, 28:36] = 1
    labels[18:24, 27:36] = 2
    blocks = blocks_of(maps_of(labels, rim_px=1), with_blocks_of(32))
    assert [block.core.x for block in blocks] == [0, 32]
    assert [block.table["x"].tolist() for block in blocks] == [[1031.5], [1032.0]]


@examples(max_examples=15)
@given(noise_maps(largest=120), st.sampled_from([16, 50]), st.integers(0, 40), st.integers(0, 40))
def test_nuclei_away_from_the_border_of_a_window_are_those_of_the_whole(
    maps: Maps, block_px: int, x: int, y: int
):
    height, width = maps.class_map.shape
    assume(x < width and y < height)
    window = Window(x, y, width - x, height - y)
    blocks = with_blocks_of(block_px)
    clear = window.x + halo_px(SMALL, 0.25), window.y + halo_px(SMALL, 0.25)
    tables = [nuclei_of(maps, blocks, window), whole(maps, SMALL)]
    assert_same_nuclei(
        *(each[(each["x"] > 1000 + clear[0]) & (each["y"] > 500 + clear[1])] for each in tables)
    )


def test_outside_the_window_there_is_background():
    labels = np.zeros((40, 80), np.int32)
    labels[10:20, 30:40] = 1
    (row,) = nuclei_of(maps_of(labels, rim_px=1), SMALL, Window(35, 5, 45, 30)).itertuples()
    assert row.geometry.bounds == (1035, 510, 1040, 520)
    assert row.area_um2 == 50 * 0.25**2


def test_ids_run_through_the_blocks_in_reading_order():
    labels = discs([(50, 8), (10, 10), (20, 25), (50, 45)], 5, (64, 64))
    blocks = blocks_of(maps_of(labels, rim_px=1), with_blocks_of(32))
    assert [block.table["nucleus_id"].tolist() for block in blocks] == [[1, 2], [3], [], [4]]
    assert blocks[0].table["y"].tolist() == [510, 525]


def test_ids_run_on_from_block_to_block():
    rng = np.random.default_rng(3)
    labels = discs([tuple(point) for point in rng.uniform(0, 96, (25, 2))], 4, (96, 96))
    blocks = blocks_of(maps_of(labels, rim_px=1), with_blocks_of(32))
    assert [(b.core.y, b.core.x) for b in blocks] == sorted((b.core.y, b.core.x) for b in blocks)
    ids = [number for block in blocks for number in block.table["nucleus_id"]]
    assert ids == list(range(1, len(ids) + 1))


def test_an_error_in_a_block_reaches_the_caller_and_stops_the_others():
    reads: list[Window] = []

    def unreadable(window: Window) -> Maps:
        reads.append(window)
        raise OSError("unreadable")

    raster = raster_of(np.zeros((32, 640), np.uint8))
    with pytest.raises(OSError, match="unreadable"):
        list(
            nuclei_by_block(
                unreadable, unreadable, question_of(raster, with_blocks_of(32)), MONUSAC
            )
        )
    assert len(reads) < 10


def counted_reads(maps: Maps, settings: AnalysisSettings) -> tuple[list[Window], list[Window]]:
    maps_read: list[Window] = []
    picture_read: list[Window] = []
    raster, picture = raster_of(maps.class_map), picture_of(maps)

    def read_maps(window: Window) -> Maps:
        maps_read.append(window)
        return maps.cropped(window)

    def read_rgb(window: Window) -> np.ndarray:
        picture_read.append(window)
        return picture[window.slices()]

    for _ in find_nuclei(read_maps, read_rgb, question_of(raster, settings), MONUSAC)[0]:
        pass
    return maps_read, picture_read


def test_a_block_reads_no_further_than_its_halo_and_the_picture_only_near_nuclei():
    labels = discs([(150, 150)], 5, (300, 300))
    settings = with_blocks_of(100)
    halo = near_halo_px(settings, 0.25)
    maps_read, picture_read = counted_reads(maps_of(labels, rim_px=1), settings)
    assert len(maps_read) == 9
    assert max(window.width for window in maps_read) == 100 + 2 * halo
    assert len(picture_read) == 1
    assert picture_read[0].width <= 12 + 2 * (2.5 * 4 + 1)


def test_a_block_looks_further_where_what_is_cut_off_comes_near():
    labels = np.zeros((300, 300), np.int32)
    labels[150:158, 140:152] = 1  # whole within the near halo of the block in the middle, 17 px
    labels[150:158, 210:221] = 2  # not whole
    settings = with_blocks_of(100)
    maps_read, _ = counted_reads(maps_of(labels, rim_px=1), settings)
    assert len(maps_read) == 10
    assert [window.width for window in maps_read].count(100 + 2 * halo_px(settings, 0.25)) == 1


def test_an_arch_whose_ends_alone_are_seen_has_its_centroid_between_them():
    """At the corner of a block: the bounds of neither end reach the block, their centroid does."""
    settings = with_blocks_of(512, replace(SMALL, max_extent_um=160.0, growth_um=0.0))
    ternary = np.zeros((1024, 1024), np.uint8)
    ternary[440:512, 600:672] = ternary[600:672, 440:512] = 1
    ternary[472, 32:600] = ternary[636, 32:440] = ternary[472:637, 32] = 1
    assert near_halo_px(settings, 0.25) < 512 - 32
    maps = Maps(ternary, ternary, np.full(ternary.shape, 200, np.uint8))
    expected = whole(maps, settings)
    assert expected[["x", "y"]].gt([1000 + 512, 500 + 512]).all(axis=None)
    assert_same_nuclei(nuclei_of(maps, settings), expected)


def test_the_halo_holds_two_extents_and_three_and_a_half_growths():
    # 3 µm are 12 px, 1 µm are 4 px: 12 + 4 + 4 + 6 + 12, and a pixel
    assert halo_px(SMALL, 0.25) == 2 * 12 + 14 + 1


def found_and_warned(maps: Maps, settings: AnalysisSettings) -> tuple[int, list[str]]:
    raster, picture = raster_of(maps.class_map), picture_of(maps)
    tables, warnings = find_nuclei(
        maps.cropped,
        lambda window: picture[window.slices()],
        question_of(raster, settings),
        MONUSAC,
    )
    return sum(len(table) for table in tables), warnings


@pytest.mark.parametrize("block_px", [40, 100, 1000])
def test_what_is_too_large_is_left_out_with_one_warning_whatever_the_blocks(block_px: int):
    labels = discs([(20, 20)], 5, (100, 200))
    labels[40:50, 10:190] = 2
    count, warnings = found_and_warned(maps_of(labels, rim_px=1), with_blocks_of(block_px))
    assert count == 1
    # 178 × 8 px of inside at 0.25 µm
    (warning,) = warnings
    assert warning.startswith("89 µm² lie in connected nuclear areas wider than 3 µm")


def test_without_anything_too_large_there_is_no_warning():
    assert found_and_warned(maps_of(discs([(20, 20)], 5, (40, 40)), rim_px=1), SMALL) == (1, [])


def test_the_block_size_is_no_part_of_the_answer_but_of_the_blocks():
    maps = maps_of(discs([(20, 20)], 5, (300, 600)), rim_px=1)
    assert len(blocks_of(maps, SMALL)) == 6
    assert len(blocks_of(maps, replace(SMALL, block_px=512))) == 2


@pytest.mark.parametrize("shape", [(1, 1), (200, 300)])
def test_background_gives_empty_tables_with_all_columns(shape: tuple[int, int]):
    maps = Maps(*(np.zeros(shape, np.uint8) for _ in range(3)))
    maps_read, picture_read = counted_reads(maps, with_blocks_of(128))
    assert maps_read
    assert not picture_read
    table = nuclei_of(maps, with_blocks_of(128))
    assert len(table) == 0
    assert "geometry" in table.columns


def test_progress_counts_blocks_and_can_stop_the_work():
    maps = maps_of(discs([(20, 20)], 5, (64, 64)), rim_px=1)
    reports: list[tuple[int, int]] = []
    blocks_of(maps, with_blocks_of(32), report=lambda done, total: reports.append((done, total)))
    assert reports == [(done, 4) for done in range(5)]

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise JobCancelled("stopped.")

    with pytest.raises(JobCancelled, match="stopped"):
        blocks_of(maps, with_blocks_of(32), report=stop)
