import numpy as np
import pytest
import shapely
from painted_maps import discs, instances_of, read_labels
from skimage.measure import regionprops

from seg_core.classes import MONUSAC
from seg_core.nuclei import column_types, empty_table, join_tables, measure_nuclei
from seg_core.nuclei.nucleus_table import make_table
from seg_core.slide import stain_densities


def grey(labels: np.ndarray) -> np.ndarray:
    return np.full((*labels.shape, 3), 120, np.uint8)


def measured(labels: np.ndarray, rgb: np.ndarray | None = None, **place: float):
    return measure_nuclei(
        instances_of(labels, **place), grey(labels) if rgb is None else rgb, MONUSAC
    )


def test_measures_of_real_nuclei_are_those_of_scikit_image(shared_data):
    stems = sorted((shared_data / "monusac" / "val" / "inst").glob("*.png"))[:2]
    for path in stems:
        labels = read_labels(path)
        table = measured(labels, mpp=0.25)
        parts = regionprops(labels)
        assert len(table) == len(parts) > 100
        centroids = np.array([part.centroid for part in parts]) + 0.5
        np.testing.assert_allclose(table["x"] - 1000, centroids[:, 1], rtol=1e-9)
        np.testing.assert_allclose(table["y"] - 500, centroids[:, 0], rtol=1e-9)
        for column, measure, unit in [
            ("area_um2", "area", 0.25**2),
            ("major_um", "axis_major_length", 0.25),
            ("minor_um", "axis_minor_length", 0.25),
            ("eccentricity", "eccentricity", 1),
        ]:
            expected = np.array([getattr(part, measure) for part in parts]) * unit
            np.testing.assert_allclose(table[column], expected, rtol=1e-6, atol=1e-9)
        # scikit-image's hull is one of pixels; outlines that cut corners differ a little
        expected = np.array([part.solidity for part in parts])
        large = table["area_um2"] > 20
        np.testing.assert_allclose(table["solidity"][large], expected[large], atol=0.06)


def test_a_disc_has_the_measures_of_a_disc():
    table = measured(discs([(50, 50)], 30, (100, 100)), mpp=0.5)
    row = table.iloc[0]
    assert row["area_um2"] == pytest.approx(np.pi * 15**2, rel=0.01)
    assert row["major_um"] == pytest.approx(30, rel=0.01)
    assert row["minor_um"] == pytest.approx(30, rel=0.01)
    assert row["eccentricity"] < 0.1
    assert row["solidity"] > 0.97
    assert row["perimeter_um"] == pytest.approx(np.pi * 30, rel=0.01)
    assert row["circularity"] == pytest.approx(1, abs=0.02)


def test_a_square_is_worked_out_by_hand():
    labels = np.zeros((8, 8), np.int32)
    labels[2:6, 2:6] = 1
    row = measured(labels, mpp=1.0).iloc[0]
    assert row["area_um2"] == 16
    # variance of 0, 1, 2, 3 is 1.25 in each direction
    assert row["major_um"] == pytest.approx(4 * np.sqrt(1.25))
    assert row["solidity"] == pytest.approx(1)
    assert row["circularity"] == pytest.approx(4 * np.pi * 16 / row["perimeter_um"] ** 2)


def test_places_are_level_0_pixels_and_measures_micrometres():
    labels = np.zeros((20, 30), np.int32)
    labels[4:8, 10:16] = 1
    row = measured(labels, mpp=0.5, downsample=2.0).iloc[0]
    assert (row["x"], row["y"]) == (1000 + 2 * 13, 500 + 2 * 6)
    assert row["geometry"].bounds == (1020, 508, 1032, 516)
    assert row["geometry"].area == pytest.approx(4 * 23.5)
    assert row["area_um2"] == 24 * 0.25


def test_areas_add_up_to_the_foreground():
    labels = discs([(15, 15), (33, 15), (50, 20)], 10, (40, 70))
    assert measured(labels)["area_um2"].sum() == (labels > 0).sum() * 0.25**2


def test_stain_is_the_mean_density_over_the_pixels_of_the_nucleus():
    rng = np.random.default_rng(0)
    labels = discs([(15, 15), (40, 15)], 10, (30, 60))
    rgb = rng.integers(0, 256, (*labels.shape, 3), dtype=np.uint8)
    table = measured(labels, rgb)
    densities = stain_densities(rgb)
    for label in (1, 2):
        expected = densities[labels == label].mean(axis=0)
        stains = table.loc[label - 1, ["haematoxylin_od", "eosin_od"]].to_numpy(dtype=float)
        np.testing.assert_allclose(stains, expected, rtol=1e-4)


def test_one_pixel_is_a_nucleus_with_finite_measures():
    row = measured(np.array([[0, 0], [0, 1]])).iloc[0]
    numbers = row.drop(["class_name", "geometry"]).to_numpy(dtype=float)
    assert np.isfinite(numbers).all()
    assert (row["major_um"], row["eccentricity"], row["solidity"]) == (0, 0, 1)
    assert row["geometry"].is_valid


def test_a_line_of_pixels_is_as_eccentric_as_can_be():
    row = measured(np.ones((1, 9), int)).iloc[0]
    assert (row["minor_um"], row["eccentricity"]) == (0, 1)


@pytest.mark.parametrize("count", [0, 1])
def test_columns_and_types_are_the_same_for_none_and_for_some(count: int):
    table = measured(np.full((3, 3), count))
    assert len(table) == count
    assert list(table.columns) == [*column_types(MONUSAC), "geometry"]
    for name, expected in column_types(MONUSAC).items():
        assert table[name].dtype == expected
    assert table.crs is None
    assert table.geometry.name == "geometry"


def test_rows_stand_in_the_order_of_the_labels():
    table = measured(discs([(50, 15), (15, 15)], 10, (30, 70)))
    assert table["nucleus_id"].tolist() == [1, 2]
    assert table["x"].tolist() == [1050, 1015]
    assert table["class_name"].tolist() == ["epithelial", "epithelial"]
    assert table["share_epithelial"].tolist() == [1, 1]
    assert shapely.get_type_id(table.geometry.to_numpy()).tolist() == [3, 3]


def test_tables_are_joined_and_none_are_an_empty_one():
    labels = discs([(15, 15)], 10, (30, 30))
    joined = join_tables([measured(labels), empty_table(), measured(labels)])
    assert joined["nucleus_id"].tolist() == [1, 1]
    assert joined.index.tolist() == [0, 1]
    assert list(join_tables([]).columns) == list(joined.columns)


def test_a_picture_of_another_size_is_refused():
    labels = np.ones((4, 5), np.int32)
    with pytest.raises(
        ValueError, match="picture has 4 × 4 pixels, the window of the nuclei 5 × 4"
    ):
        measured(labels, np.zeros((4, 4, 3), np.uint8))


def test_a_table_with_a_column_too_few_is_refused():
    with pytest.raises(ValueError, match="other columns than"):
        make_table({"nucleus_id": [1]}, np.empty(0, object), MONUSAC)
