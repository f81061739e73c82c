"""What a tumour that a reader has drawn does to TIL scores, on layouts of known areas."""

from dataclasses import replace

import geopandas as gpd
import pytest
import shapely
from til_layouts import MPP, block, nuclei, scatter, tissue

from seg_core.errors import RegionError
from seg_core.roi import Roi
from seg_core.til import TilResult, TilSettings, Tumour, score_tils, tumour_of
from seg_core.til.score_tables import score_table

FAST = TilSettings(labellings=19, min_tissue_mm2=0.2)


def drawn(*corners_um: float, name: str = "nest") -> Tumour:
    polygon = shapely.box(*(each / MPP for each in corners_um))
    found = tumour_of([Roi(name, polygon, "tumour")])
    assert found is not None
    return found


def layout() -> gpd.GeoDataFrame:
    """A tumour 200 µm wide, and a normal gland 1 mm to the right of it."""
    return nuclei(
        epithelial=[*block(500, 0, 700, 1000), *block(1700, 0, 1900, 1000)],
        lymphocyte=[*scatter(40, 750, 10, 890, 990), *scatter(60, 1500, 10, 1650, 990)],
    )


def test_compartments_lie_in_the_tumour_alone() -> None:
    inside = score_tils(
        layout(), tissue(3000, 1000), tumour=drawn(400, 0, 900, 1000), settings=FAST
    )
    assert inside.areas_mm2 == pytest.approx({"tissue": 0.5, "epithelium": 0.21, "stroma": 0.29})
    assert inside.counts["epithelial"] == 2000
    assert inside.stil_area_pct.value == pytest.approx(100 * 40 * 40 / 290_000)
    everywhere = score_tils(layout(), tissue(3000, 1000), settings=FAST)
    assert everywhere.areas_mm2["epithelium"] == pytest.approx(0.42, rel=0.01)


def test_all_tissue_of_the_tumour_outside_epithelium_is_stroma_however_far() -> None:
    near = score_tils(layout(), tissue(3000, 1000), settings=FAST)
    whole = drawn(0, 0, 3000, 1000)
    far = score_tils(layout(), tissue(3000, 1000), tumour=whole, settings=FAST)
    assert far.areas_mm2["stroma"] == pytest.approx(3 - far.areas_mm2["epithelium"])
    assert near.areas_mm2["stroma"] < far.areas_mm2["stroma"] - 0.3


def test_who_draws_the_tumour_stands_in_for_sure_nuclei() -> None:
    doubtful = layout().assign(class_score=0.5)
    unseen = score_tils(doubtful, tissue(3000, 1000), settings=FAST)
    assert "Draw a ROI of the kind tumour" in (unseen.reason or "")
    assert score_tils(
        doubtful, tissue(3000, 1000), tumour=drawn(400, 0, 900, 1000), settings=FAST
    ).evaluable
    few = replace(FAST, min_epithelial_nuclei=3000)
    assert not score_tils(
        layout(), tissue(3000, 1000), tumour=drawn(400, 0, 900, 1000), settings=few
    ).evaluable


def test_a_part_without_tumour_says_so() -> None:
    with pytest.raises(RegionError, match="the tumour ROI nest has nothing in common with this"):
        score_tils(
            layout(),
            tissue(3000, 1000),
            within=shapely.box(0, 0, 100, 100),
            tumour=drawn(400, 0, 900, 1000),
            settings=FAST,
        )


@pytest.mark.parametrize("tumour", [None, drawn(400, 0, 900, 1000, name="invasive")])
def test_json_and_table_name_the_tumour(tumour: Tumour | None) -> None:
    result: TilResult = score_tils(layout(), tissue(3000, 1000), tumour=tumour, settings=FAST)
    names = ["invasive"] if tumour else []
    assert result.to_json()["tumour_rois"] == names
    assert set(score_table(result)["tumour_rois"]) == {", ".join(names)}
    if result.tumour is not None:
        assert "Tumour as drawn (ROI invasive)" in result.tumour.in_words()
