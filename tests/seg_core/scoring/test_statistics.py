"""Counts, densities, intervals and ratios, by part of the slide."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from nuclei_tables import queries_of, random_nuclei

from seg_core.classes import MONUSAC, OTHER, UNCERTAIN, ClassScheme, NucleusClass, Role
from seg_core.geometry import Raster, Region
from seg_core.nuclei import MEASURES, column_types, empty_table
from seg_core.roi import Roi
from seg_core.scoring import (
    WHOLE,
    Part,
    cautions_in_words,
    count_squares,
    counted_of,
    describe_part,
    describe_run,
    joined,
    measure_columns,
    parts_of,
)
from seg_core.slide import TissueMask
from seg_core.store import NucleusQueries, Run, Selection
from seg_core.til import Grid, ratio_estimate

# 4 × 2 mm with a pixel of 0.5 µm; the left half, 4 mm², is tissue.
WIDTH, HEIGHT = 8000, 4000
SLIDE_MPP, MASK_MPP = 0.5, 8.0
SLIDE = Part(WHOLE, shapely.box(0, 0, WIDTH, HEIGHT), everything=True)


@pytest.fixture(scope="module")
def tissue() -> TissueMask:
    raster = Raster(Region(0, 0, WIDTH, HEIGHT), MASK_MPP, MASK_MPP / SLIDE_MPP)
    mask = np.zeros((raster.height, raster.width), dtype=np.bool_)
    mask[:, : raster.width // 2] = True
    return TissueMask(raster, mask)


@pytest.fixture(scope="module")
def table() -> gpd.GeoDataFrame:
    return random_nuclei(2000, width=WIDTH / 2, height=HEIGHT)


@pytest.fixture(scope="module")
def queries(table: gpd.GeoDataFrame, tmp_path_factory: pytest.TempPathFactory) -> NucleusQueries:
    return queries_of(table, tmp_path_factory.mktemp("run"))


def test_densities_divide_by_the_tissue_of_the_part(
    queries: NucleusQueries, table: gpd.GeoDataFrame, tissue: TissueMask
) -> None:
    found = describe_part(queries, SLIDE, MONUSAC, tissue=tissue)
    named = table[table["class_name"] != OTHER]
    assert found.tissue_um2 == pytest.approx(4e6)
    assert found.count == len(named)
    assert found.density_per_mm2 == pytest.approx(len(named) / 4)
    assert found.classes["class_name"].tolist() == list(MONUSAC.names)
    assert found.classes["share"].sum() == pytest.approx(1)
    counts = named["class_name"].value_counts()
    for row in found.classes.itertuples():
        assert row.count == counts[row.class_name]
        assert row.density_per_mm2 == pytest.approx(row.count / 4)


def test_a_part_counts_the_centroids_it_holds(
    queries: NucleusQueries, table: gpd.GeoDataFrame, tissue: TissueMask
) -> None:
    part = Part("rim", shapely.box(3000, 0, 5000, 1600))
    found = describe_part(queries, part, MONUSAC, tissue=tissue, other=True)
    assert found.count == (table["x"].gt(3000) & table["y"].lt(1600)).sum()
    assert found.tissue_um2 == pytest.approx(1000 * 1600 * 0.25)
    assert found.classes["class_name"].iloc[-1] == OTHER


def test_intervals_are_those_of_squares_of_250_um(
    queries: NucleusQueries, table: gpd.GeoDataFrame, tissue: TissueMask
) -> None:
    found = describe_part(queries, SLIDE, MONUSAC, tissue=tissue)
    assert found.no_interval is None
    side = 500  # 250 µm
    own = table[table["class_name"] == "lymphocyte"]
    edges = [np.arange(0, HEIGHT + 1, side), np.arange(0, WIDTH / 2 + 1, side)]
    counts, _, _ = np.histogram2d(own["y"], own["x"], edges)
    places = np.indices(counts.shape).reshape(2, -1)
    expected = ratio_estimate(
        counts.ravel(), np.full(counts.size, 0.25**2), Grid(*places, 250.0), min_squares=20
    )
    row = found.classes.set_index("class_name").loc["lymphocyte"]
    assert row["density_low"] < row["density_per_mm2"] < row["density_high"]
    # 250 µm are 31.25 pixels of the mask, so some squares have a row of pixels more than others
    assert row["density_low"] == pytest.approx(expected.low, rel=0.02)
    assert row["density_high"] == pytest.approx(expected.high, rel=0.02)


def test_too_few_squares_have_no_interval_and_say_why(
    queries: NucleusQueries, tissue: TissueMask
) -> None:
    found = describe_part(
        queries, Part("small", shapely.box(0, 0, 2000, 2000)), MONUSAC, tissue=tissue
    )
    assert found.classes[["density_low", "density_high"]].isna().all(axis=None)
    assert found.no_interval == "an interval needs at least 20 squares of tissue; there are 16."


def test_a_class_that_alone_has_no_interval_says_why(
    table: gpd.GeoDataFrame, tissue: TissueMask, tmp_path: Path
) -> None:
    names = table["class_name"].where(table["class_name"] != "macrophage", "epithelial")
    few = table.assign(class_name=names)
    few.loc[few.index[:2], "class_name"] = "macrophage"
    found = describe_part(queries_of(few, tmp_path), SLIDE, MONUSAC, tissue=tissue)
    rows = found.classes.set_index("class_name")
    assert found.no_interval is None
    assert np.isnan(rows["density_low"]["macrophage"])
    assert not np.isnan(rows["density_low"]["lymphocyte"])
    (told,) = cautions_in_words(found)
    assert told == (
        "macrophage: no interval: it was found in only 2 of the squares of tissue; an interval needs at "
        "least 5."
    )


def test_without_its_slide_a_part_has_counts_but_no_area(queries: NucleusQueries) -> None:
    part = Part("rim", shapely.box(3000, 0, 5000, 1600))
    found = describe_part(queries, part, MONUSAC, tissue=None)
    assert found.count > 0
    assert (found.tissue_um2, found.density_per_mm2) == (None, None)
    assert found.classes["density_per_mm2"].isna().all()
    assert "the slide is no longer where it was" in str(found.no_interval)


def test_uncertain_nuclei_are_a_row_of_their_own_and_none_is_lost(
    queries: NucleusQueries, table: gpd.GeoDataFrame, tissue: TissueMask
) -> None:
    sure = describe_part(queries, SLIDE, MONUSAC, tissue=tissue)
    strict = describe_part(queries, SLIDE, MONUSAC, tissue=tissue, min_score=0.6)
    assert strict.count == sure.count
    counts = strict.classes.set_index("class_name")["count"]
    below = table["class_score"].lt(0.6) & table["class_name"].ne(OTHER)
    assert counts[UNCERTAIN] == below.sum() > 0
    assert list(counts.index) == [*MONUSAC.names, UNCERTAIN]


def test_ratios_are_of_counts_and_missing_where_nothing_is_below(
    queries: NucleusQueries, table: gpd.GeoDataFrame, tissue: TissueMask, tmp_path: Path
) -> None:
    counts = table["class_name"].value_counts()
    ratios = describe_part(queries, SLIDE, MONUSAC, tissue=tissue).ratios
    assert [(ratio.name, ratio.value) for ratio in ratios] == [
        ("Neutrophil / lymphocyte", counts["neutrophil"] / counts["lymphocyte"]),
        ("Lymphocyte / epithelial", counts["lymphocyte"] / counts["epithelial"]),
    ]
    nothing = describe_part(queries_of(empty_table(), tmp_path), SLIDE, MONUSAC, tissue=tissue)
    assert [ratio.value for ratio in nothing.ratios] == [None, None]


def test_ratios_are_of_roles_and_of_those_alone_that_the_model_tells_apart(
    queries: NucleusQueries, table: gpd.GeoDataFrame, tissue: TissueMask
) -> None:
    counts = table["class_name"].value_counts()
    named: tuple[tuple[str, Role], ...] = (
        *(("epithelial", "epithelium"), ("lymphocyte", "lymphocyte")),
        *(("neutrophil", "other"), ("macrophage", "lymphocyte")),
    )
    scheme = ClassScheme(
        tuple(NucleusClass(i, name, "#000000", role) for i, (name, role) in enumerate(named, 1))
    )
    (ratio,) = describe_part(queries, SLIDE, scheme, tissue=tissue).ratios
    assert ratio.name == "Lymphocyte + macrophage / epithelial"
    immune = counts["lymphocyte"] + counts["macrophage"]
    assert ratio.value == immune / counts["epithelial"]


def test_no_nuclei_are_an_ordinary_answer(tmp_path: Path, tissue: TissueMask) -> None:
    found = describe_part(queries_of(empty_table(), tmp_path), SLIDE, MONUSAC, tissue=tissue)
    assert found.classes["count"].tolist() == [0, 0, 0, 0]
    assert found.classes["density_per_mm2"].tolist() == [0, 0, 0, 0]
    assert found.classes["share"].isna().all()
    wide = measure_columns(found)
    assert len(wide) == 4
    assert wide["median_area_um2"].isna().all()


def test_the_wide_table_has_five_figures_of_each_measure(
    queries: NucleusQueries, table: gpd.GeoDataFrame, tissue: TissueMask
) -> None:
    wide = measure_columns(describe_part(queries, SLIDE, MONUSAC, tissue=tissue))
    assert wide.shape == (4, 7 + 5 * len(MEASURES))
    own = table[table["class_name"] == "macrophage"]["perimeter_um"]
    row = wide.set_index("class_name").loc["macrophage"]
    assert row["mean_perimeter_um"] == pytest.approx(own.mean())
    assert row["q3_perimeter_um"] == pytest.approx(own.quantile(0.75))


def test_every_measure_of_the_table_is_explained() -> None:
    places = {"nucleus_id", "class_name", "x", "y"}
    columns = {name for name in column_types(MONUSAC) if not name.startswith("share_")}
    assert set(MEASURES) == columns - places


def test_squares_hold_all_nuclei_and_all_tissue(
    queries: NucleusQueries, tissue: TissueMask
) -> None:
    selection = Selection(MONUSAC.names)
    squares = count_squares(queries, selection, SLIDE, tissue, 100.0)
    assert squares.tissue_um2.shape == (20, 40)
    assert squares.tissue_um2.sum() == pytest.approx(4e6)
    total = sum(counts.sum() for counts in squares.counts.values())
    assert total == sum(queries.counts(selection).values())
    density = squares.density_per_mm2(MONUSAC.names, least_tissue=0.25)
    assert np.isnan(density[:, 21:]).all()
    assert np.isfinite(density[:, :20]).all()


def test_parts_are_the_whole_and_each_roi_less_what_is_excluded(painted_run: Run) -> None:
    rois = [
        Roi("nest", shapely.box(0, 0, 100, 100)),
        Roi("fold", shapely.box(50, 0, 400, 100), "exclude"),
        Roi("nest", shapely.box(0, 200, 100, 300)),
        Roi("away", shapely.box(9000, 0, 9100, 100)),
    ]
    whole, first, second, away = parts_of(painted_run, rois)
    assert [part.name for part in (whole, first, second)] == [WHOLE, "nest", "nest (2)"]
    assert not whole.everything
    assert whole.polygon.area == painted_run.region.area - 350 * 100
    assert first.polygon.area == 50 * 100
    assert second.polygon.area == 100 * 100
    assert away.polygon.is_empty
    (alone,) = parts_of(painted_run)
    assert alone.everything
    assert alone.limit is None
    assert joined([first, second]).polygon.area == 150 * 100
    assert joined([first, alone]) == alone


def test_a_tumour_roi_counts_and_every_part_knows_of_it(painted_run: Run) -> None:
    nest = Roi("nest", shapely.box(0, 0, 100, 100), "tumour")
    elsewhere = Roi("other nest", shapely.box(9000, 0, 9100, 100), "tumour")
    field = Roi("field", shapely.box(0, 0, 50, 50))
    parts = parts_of(painted_run, [nest, elsewhere, field])
    assert [part.name for part in parts] == [WHOLE, "nest", "other nest", "field"]
    assert parts[1].polygon.area == 100 * 100
    assert {part.tumour.names for part in parts if part.tumour} == {("nest",)}
    assert all(part.tumour for part in [*parts, joined(parts[1:])])
    assert parts_of(painted_run, [elsewhere])[0].tumour is None


def test_a_run_is_described_as_it_counted_itself(painted_run: Run) -> None:
    found = describe_run(painted_run, counted_of(painted_run, other=True))
    counts = dict(zip(found.classes["class_name"], found.classes["count"], strict=True))
    assert counts == painted_run.facts.counts
    assert found.tissue_um2 == pytest.approx(painted_run.facts.tissue_um2, abs=0.1)


def test_a_run_whose_slide_is_gone_is_described_without_intervals(
    painted_run: Run, tmp_path: Path
) -> None:
    info = replace(painted_run.facts.slide, path=tmp_path / "gone.png")
    found = describe_run(Run(painted_run.path, replace(painted_run.facts, slide=info)))
    assert found.tissue_um2 == painted_run.facts.tissue_um2
    assert found.density_per_mm2 is not None
    assert "no longer where it was" in str(found.no_interval)
