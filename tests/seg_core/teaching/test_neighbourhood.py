"""What surrounds nuclei, against counting them one by one."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from seg_core.geometry import Region
from seg_core.teaching.neighbourhood import AROUND_UM, RADII_UM, Neighbours, surroundings

MPP = 0.5
REGION = Region(100, 200, 2400, 2000)


def nuclei(count: int = 1500) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(1)
    return gpd.GeoDataFrame(
        {
            "x": rng.uniform(100, 2500, count),
            "y": rng.uniform(200, 2200, count),
            "class_name": rng.choice(["a", "b"], count),
            "area_um2": rng.uniform(10, 60, count),
            "haematoxylin_od": np.full(count, 0.7),
        }
    )


def test_densities_are_those_of_a_disc_but_for_the_squares_it_is_made_of() -> None:
    table = nuclei()
    found = surroundings(table, ["a", "b"], REGION, MPP)
    points = table[["x", "y"]].to_numpy()
    middle = (np.abs(points - (1300, 1200)) < 600).all(axis=1)
    for radius in RADII_UM:
        distances = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) * MPP
        near = (distances <= radius) & (distances > 0)
        exact = (near & (table["class_name"] == "a").to_numpy()).sum(axis=1)
        exact = exact / (np.pi * (radius / 1000) ** 2)
        own = found[f"density_a_{radius:g}"]
        assert abs(own[middle].mean() / exact[middle].mean() - 1) < 0.03
        assert np.corrcoef(own[middle], exact[middle])[0, 1] > 0.8


def test_at_the_edge_only_what_lies_inside_counts() -> None:
    table = nuclei(6000)
    density = surroundings(table, ["a"], REGION, MPP)["density_a_100"]
    corner = (table["x"] < 160) & (table["y"] < 260)
    assert abs(density[corner].mean() / density.mean() - 1) < 0.25


def test_of_an_outline_that_was_asked_for_only_what_it_holds_counts() -> None:
    """Densities were of the box around it, so at its rim they came out too low."""
    table = nuclei(20_000)
    middle, radius = shapely.Point(1300, 1200), 900
    outline = middle.buffer(radius)
    inside = table[shapely.contains_xy(outline, table["x"], table["y"])]
    box = Region(400, 300, 2 * radius, 2 * radius)
    density = surroundings(inside, ["a"], box, MPP, outline)["density_a_100"]
    distance = np.hypot(inside["x"] - middle.x, inside["y"] - middle.y).to_numpy()
    assert abs(density[distance > radius - 50].mean() / density[distance < 500].mean() - 1) < 0.05
    sliver = shapely.box(1300, 1200, 1300.5, 1200.5)
    alone = inside.head(1).assign(x=1300.2, y=1200.2)
    own = surroundings(alone, ["a"], Region(1300, 1200, 1, 1), MPP, sliver)
    assert own["density_a_25"].tolist() == [0]


def test_means_are_over_the_neighbours() -> None:
    found = surroundings(nuclei(), ["a"], REGION, MPP)
    np.testing.assert_allclose(found["mean_haematoxylin_od_50"], 0.7, rtol=1e-5)
    assert 30 < found["mean_area_um2_50"].mean() < 40


def test_no_nuclei_have_no_surroundings() -> None:
    empty = gpd.GeoDataFrame(pd.DataFrame(nuclei(1).iloc[:0]))
    assert len(surroundings(empty, ["a"], REGION, MPP)["density_a_25"]) == 0


def test_means_of_neighbours_are_those_of_a_disc_but_for_the_squares_it_is_made_of() -> None:
    table = nuclei()
    points = table[["x", "y"]].to_numpy()
    # what is known of a nucleus is where it is: the mean over a disc is its middle
    near = Neighbours(points, points, REGION, MPP).means()
    middle = (np.abs(points - (1300, 1200)) < 900).all(axis=1)
    distances = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1)) * MPP
    inside = distances <= AROUND_UM
    exact = inside @ points / inside.sum(axis=1, keepdims=True)
    assert np.abs(near - exact)[middle].mean() * MPP < 0.1 * AROUND_UM
    alone = Neighbours(points[:1], points[:1], REGION, MPP).means()
    np.testing.assert_allclose(alone, points[:1], rtol=1e-5)


def test_weighed_means_are_the_means_weighed() -> None:
    rng = np.random.default_rng(2)
    points = nuclei()[["x", "y"]].to_numpy()
    near = Neighbours(rng.normal(size=(len(points), 9)).astype(np.float16), points, REGION, MPP)
    weights = rng.normal(size=(3, 9))
    np.testing.assert_allclose(near.weighed_means(weights), near.means() @ weights.T, atol=1e-4)
    nobody = Neighbours(np.empty((0, 9)), np.empty((0, 2)), REGION, MPP)
    assert nobody.means().shape == (0, 9)
    assert nobody.weighed_means(weights).shape == (0, 3)
