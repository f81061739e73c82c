"""Nothing of a result tells where tiles, blocks and regions begin."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import painted_slides
import pytest
import shapely
from painted_slides import PaintedEngine, Painting

from seg_core.analysis import analyse
from seg_core.geometry import Region
from seg_core.settings import AnalysisSettings

SMALL_TILES = AnalysisSettings(tile_px=64, overlap_px=32, block_px=256, max_extent_um=15.0)
SIDE = 600

pytestmark = pytest.mark.usefixtures("painted_engines")

Turn = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]


@pytest.fixture(scope="module")
def painting() -> Painting:
    return painted_slides.paint(SIDE, SIDE - 88, seed=5)


@pytest.fixture
def nuclei_of(tmp_path: Path) -> Callable[..., gpd.GeoDataFrame]:
    """Analyse a picture, or a part of it, and return the table of its nuclei."""

    def find(
        rgb: npt.NDArray[np.uint8],
        region: Region | None = None,
        settings: AnalysisSettings = SMALL_TILES,
    ) -> gpd.GeoDataFrame:
        path = tmp_path / "slide.png"
        Painting(np.ascontiguousarray(rgb), np.empty((0, 2)), np.empty(0)).save(path)  # type: ignore[arg-type]
        run = analyse(
            path, tmp_path / "store", region=region, mpp=painted_slides.MPP, settings=settings
        )
        return run.nuclei()

    return find


def outlines(table: gpd.GeoDataFrame) -> set[bytes]:
    return set(shapely.to_wkb(shapely.normalize(table.geometry.to_numpy())))


@pytest.mark.parametrize(
    "turn",
    [
        *(lambda rgb, k=k: np.rot90(rgb, k) for k in (1, 2, 3)),
        *(np.fliplr, np.flipud, lambda rgb: rgb.swapaxes(0, 1)),
    ],
    ids=["90°", "180°", "270°", "left for right", "upside down", "rows for columns"],
)
def test_turns_and_flips_keep_counts_and_areas(
    painting: Painting, nuclei_of: Callable[..., gpd.GeoDataFrame], turn: Turn
) -> None:
    upright, turned = nuclei_of(painting.rgb), nuclei_of(turn(painting.rgb))
    assert len(upright) == len(painting.centres)
    for name in ("class_name", "area_um2"):
        assert sorted(upright[name]) == sorted(turned[name])


@pytest.mark.parametrize("block_px", [256, 300, 2048])
def test_no_nucleus_is_lost_or_doubled_whatever_the_blocks(
    painting: Painting, nuclei_of: Callable[..., gpd.GeoDataFrame], block_px: int
) -> None:
    table = nuclei_of(painting.rgb, settings=replace(SMALL_TILES, block_px=block_px))
    whole = nuclei_of(painting.rgb, settings=replace(SMALL_TILES, block_px=4096))
    assert outlines(table) == outlines(whole)
    assert len(table) == len(painting.centres)
    tree = shapely.STRtree(table.geometry.to_numpy())
    found = tree.query(shapely.points(painting.centres + 0.5), predicate="within")
    assert sorted(found[0]) == list(range(len(painting.centres)))


@pytest.mark.parametrize("strides", [(1, 0), (0, 2), (3, 2)])
def test_a_region_moved_by_whole_strides_keeps_the_nuclei_inside(
    painting: Painting,
    nuclei_of: Callable[..., gpd.GeoDataFrame],
    painted_engines: list[PaintedEngine],
    strides: tuple[int, int],
) -> None:
    """Those further than a tile from the border of either region are the same to the last bit."""
    stride, tile = SMALL_TILES.stride_px, SMALL_TILES.tile_px
    dx, dy = (stride * count for count in strides)
    one, other = Region(32, 64, 400, 320), Region(32 + dx, 64 + dy, 400, 320)
    tables = [nuclei_of(painting.rgb, region) for region in (one, other)]
    common = one.intersection(other)
    assert common is not None
    inner = shapely.box(common.x + tile, common.y + tile, common.right - tile, common.bottom - tile)
    kept = [table[shapely.within(table.geometry.to_numpy(), inner)] for table in tables]
    assert len(kept[0]) > 5
    assert outlines(kept[0]) == outlines(kept[1])
    assert kept[0]["class_score"].tolist() == kept[1]["class_score"].tolist()
    assert len(painted_engines) == 1
