"""Compartments on the grid against the same construction on polygons."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from til_layouts import MPP, block, nuclei, scatter, tissue

from seg_core.geometry import Raster, Region, Window
from seg_core.til import Compartments, Field, TilSettings, find_compartments, find_field
from seg_core.til.compartments import EPITHELIUM, OUTSIDE, STROMA, TISSUE
from seg_core.til.masks import fill_polygons


def compartments(layout: object, field: Field, settings: TilSettings) -> Compartments:
    return next(find_compartments(field, layout[layout["class_name"] == "epithelial"], settings))[1]  # type: ignore[arg-type]


def clusters(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.uniform(200, 800, (8, 1, 2))
    return (centres + rng.normal(0, 40, (8, 60, 2))).reshape(-1, 2).clip(60, 940)


def buffered(layout: gpd.GeoDataFrame, dilation_um: float = 20) -> shapely.Geometry:
    """E on polygons, with corners enough to be called round."""
    grown = shapely.union_all(layout.geometry.buffer(dilation_um / MPP, quad_segs=64))
    return grown.buffer(-(dilation_um - 5) / MPP, quad_segs=64)


def test_epithelium_is_that_of_buffered_polygons() -> None:
    layout = nuclei(epithelial=clusters())
    settings = TilSettings(min_island_nuclei=1)
    field = find_field(tissue(1000, 1000), settings)
    found = compartments(layout, field, settings)
    exact = buffered(layout)
    found_um2 = found.epithelium.sum() * settings.grid_um**2
    assert found_um2 == pytest.approx(exact.area * MPP**2, rel=0.01)
    assert shapely.area(found.outlines).sum() == pytest.approx(exact.area, rel=0.005)
    np.testing.assert_array_equal(
        found.epithelium, fill_polygons(found.outlines, field.raster, field.window)
    )


def test_who_is_in_epithelium_is_exact_on_a_small_sample() -> None:
    """By pixels of 2.5 µm 44 nuclei were counted of 49: the nuclei that matter lie at its edge."""
    rng = np.random.default_rng(8)
    for seed in range(5):
        around = clusters(seed)[::4]
        layout = nuclei(
            epithelial=around,
            lymphocyte=(around + rng.normal(0, 25, around.shape)).clip(20, 980),
        )
        settings = TilSettings(min_island_nuclei=1)
        field = find_field(tissue(1000, 1000), settings)
        found = compartments(layout, field, settings)
        own = layout[layout["class_name"] == "lymphocyte"]
        epithelium, stroma = found.places(own["x"], own["y"])
        exact = shapely.contains_xy(buffered(layout[: len(around)]), own["x"], own["y"])
        assert exact.sum() > 30
        assert epithelium.sum() == pytest.approx(exact.sum(), rel=0.01)
        assert not (epithelium & stroma).any()
        assert (epithelium | stroma).all()


def test_epithelium_at_other_dilations_is_true_to_half_a_pixel() -> None:
    layout = nuclei(epithelial=clusters())
    settings = TilSettings(min_island_nuclei=1, sensitivity_um=(10.0, 20.0, 30.0))
    field = find_field(tissue(1000, 1000), settings)
    for dilation, found in list(find_compartments(field, layout, settings))[1:]:
        exact = buffered(layout, dilation)
        found_um2 = found.epithelium.sum() * settings.grid_um**2
        assert found_um2 == pytest.approx(exact.area * MPP**2, rel=0.03)
        wrong = found.epithelium ^ fill_polygons([exact], field.raster, field.window)
        # on average the outlines are half a pixel apart at most
        assert wrong.sum() * settings.grid_um**2 < exact.length * MPP * settings.grid_um / 2


def test_a_dilation_that_cannot_reach_as_far_as_the_epithelium_grows_is_not_shown() -> None:
    """Its epithelium grew less, and was shown as if a gap that is closed were all that differed."""
    layout = nuclei(epithelial=clusters())
    for dilation, erosion, others in ((40, 20, [20, 25, 30]), (60, 0, [])):
        settings = TilSettings(min_island_nuclei=1, dilation_um=dilation, erosion_um=erosion)
        field = find_field(tissue(1000, 1000), settings)
        found = [each for each, _ in find_compartments(field, layout, settings)]
        assert found == [dilation, *others]


def test_stroma_is_the_tissue_near_epithelium() -> None:
    settings = TilSettings(dilation_um=20, erosion_um=10, stroma_reach_um=100)
    field = find_field(tissue(1000, 1000), settings)
    found = compartments(nuclei(epithelial=block(500, 0, 700, 1000)), field, settings)
    column = np.unique(found.labels, axis=0)
    assert len(column) == 1
    widths = {label: (column[0] == label).sum() * 2.5 for label in range(4)}
    assert widths == {OUTSIDE: 0, TISSUE: 1000 - 220 - 200, STROMA: 200, EPITHELIUM: 220}


def test_small_islands_are_dropped_by_their_nuclei() -> None:
    settings = TilSettings()
    field = find_field(tissue(1000, 1000), settings)
    four, five = block(100, 100, 120, 120), block(700, 700, 750, 710)
    found = compartments(nuclei(epithelial=[*four, *five]), field, settings).epithelium
    rows, columns = np.nonzero(found)
    assert (min(rows.min(), columns.min()) * 2.5 > 600) & found.any()


def test_bands_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Distances reach over bands and islands go on in the next."""
    settings = TilSettings(stroma_reach_um=60)
    field = find_field(tissue(1000, 1000), settings)
    layout = nuclei(epithelial=[*clusters(), *scatter(100, 0, 0, 1000, 1000)])
    whole = compartments(layout, field, settings).labels
    monkeypatch.setattr("seg_core.til.masks._BAND_ROWS", 17)
    np.testing.assert_array_equal(compartments(layout, field, settings).labels, whole)
    assert np.unique(whole).tolist() == [TISSUE, STROMA, EPITHELIUM]


def test_without_epithelium_there_are_no_compartments() -> None:
    settings = TilSettings()
    field = find_field(tissue(1000, 1000), settings)
    found = compartments(nuclei(lymphocyte=[(5, 5)]), field, settings)
    assert (found.labels == TISSUE).all()


def test_polygons_are_filled_where_pixel_centres_are_inside() -> None:
    raster = Raster(Region(0, 0, 60, 50), mpp=1.0, downsample=2.0)
    ring = shapely.Point(31.2, 23.3).buffer(17).difference(shapely.Point(29.4, 25.1).buffer(8))
    star = shapely.Polygon([(1.1, 1.3), (50.2, 4.7), (20.9, 12.1), (44.4, 47.3), (3.6, 40.2)])
    both = shapely.MultiPolygon([shapely.box(50, 40, 70, 60), shapely.box(0, 46, 8, 50)])
    window = Window(-3, 2, 40, 30)
    filled = fill_polygons([ring, star, both], raster, window)
    rows, columns = np.indices(filled.shape)
    centres = raster.to_level0(
        np.stack([columns.ravel() + window.x + 0.5, rows.ravel() + window.y + 0.5], axis=1)
    )
    inside = shapely.contains_xy(shapely.union_all([ring, star, both]), *centres.T)
    np.testing.assert_array_equal(filled.ravel(), inside)


def test_the_grid_is_the_slides_whatever_the_tissue() -> None:
    masked = tissue(3000, 2000)
    masked.mask[:, :130] = False
    field = find_field(masked, TilSettings())
    assert (field.window.x, field.window.width, field.window.height) == (400, 800, 800)
    assert field.mask.sum() * 2.5**2 == 1700 * 2000
    empty = tissue(1500, 700)
    empty.mask[:] = False
    assert not find_field(empty, TilSettings()).mask.any()
