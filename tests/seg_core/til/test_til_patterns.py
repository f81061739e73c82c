"""How lymphocytes lie among the tumour, in layouts drawn to be told apart."""

from dataclasses import replace

import numpy as np
import pytest
from til_layouts import FAST, SCATTERED, block, nuclei, scatter, tissue

from seg_core.til import TilResult, TilSettings, score_tils


def nests(
    stroma_each: int, epithelium_each: tuple[int, int, int], settings: TilSettings = FAST
) -> TilResult:
    """3 mm² with a band in each, so many lymphocytes in S and E of each mm²."""
    epithelial, lymphocytes = [], []
    for number, in_epithelium in enumerate(epithelium_each):
        x = 1000 * number
        epithelial += [*block(x + 400, 0, x + 600, 1000)]
        lymphocytes += [*scatter(stroma_each, x + 10, 0, x + 390, 1000, seed=number)]
        lymphocytes += [*scatter(in_epithelium, x + 400, 0, x + 600, 1000, seed=number)]
    layout = nuclei(epithelial=epithelial, lymphocyte=lymphocytes)
    return score_tils(layout, tissue(3000, 1000), settings=settings)


def test_how_many_squares_make_a_phenotype_is_a_setting() -> None:
    settings = replace(FAST, phenotype_share=0.9)
    assert nests(500, (50, 50, 0), settings).phenotype.name == "desert"


@pytest.mark.parametrize(
    ("stroma_each", "epithelium_each", "name"),
    [
        (500, (0, 0, 0), "excluded"),
        (0, (50, 50, 50), "inflamed"),
        (500, (50, 50, 0), "inflamed"),
        (500, (50, 0, 0), "excluded"),  # one in three is not more than a third
        (100, (0, 0, 0), "desert"),
        (100, (50, 0, 0), "desert"),
    ],
)
def test_phenotype_follows_where_the_lymphocytes_are(
    stroma_each: int, epithelium_each: tuple[int, int, int], name: str
) -> None:
    result = nests(stroma_each, epithelium_each)
    assert result.phenotype.name == name
    assert result.phenotype.valid_squares == 3
    assert result.to_json()["phenotype"] == name
    stil = result.stil_area_pct
    if stroma_each:
        assert stil.low <= stil.value <= stil.high  # type: ignore[operator]
    else:
        assert (stil.value, stil.low) == (0, None)
        assert "none was found" in (stil.reason or "")


def test_halves_that_meet_on_the_squares_have_no_overlap() -> None:
    layout = nuclei(
        epithelial=scatter(500, 0, 0, 1000, 1000), lymphocyte=scatter(500, 1000, 0, 2000, 1000)
    )
    result = score_tils(layout, tissue(2000, 1000), settings=SCATTERED)
    assert [each.value for each in result.morisita_horn] == [0, 0, 0]
    assert result.hotspots.both == 0


def test_checkerboard_is_apart_on_its_own_squares_and_together_on_larger_ones() -> None:
    corners = np.stack(np.meshgrid(np.arange(8), np.arange(8)), axis=-1).reshape(-1, 2)
    black = corners.sum(axis=1) % 2 == 0
    inside = np.array([(dx, dy) for dx in (60.0, 190.0) for dy in (60.0, 190.0)])

    def fill(squares: np.ndarray) -> np.ndarray:
        return (squares[:, None] * 250 + inside).reshape(-1, 2)

    layout = nuclei(epithelial=fill(corners[black]), lymphocyte=fill(corners[~black]))
    settings = replace(SCATTERED, square_um=500.0, finer_squares_um=(250.0,), min_island_nuclei=1)
    result = score_tils(layout, tissue(2000, 2000), settings=settings)
    assert [each.value for each in result.morisita_horn] == pytest.approx([1, 0])


@pytest.fixture(scope="module")
def random_scatter() -> TilResult:
    layout = nuclei(
        epithelial=scatter(1200, 0, 0, 2000, 2000, seed=1),
        lymphocyte=scatter(4000, 0, 0, 2000, 2000, seed=2),
    )
    return score_tils(layout, tissue(2000, 2000), settings=TilSettings(min_sure_share=0.0))


def test_random_scatter_has_morisita_horn_at_its_expectation(random_scatter: TilResult) -> None:
    for each in random_scatter.morisita_horn:
        assert each.value == pytest.approx(each.expected, abs=0.03)
    assert random_scatter.morisita_horn[0].expected == pytest.approx(
        1 / (1 + (1 / 62.5 + 1 / 18.75) / 2)
    )


def test_random_scatter_keeps_within_the_envelopes(random_scatter: TilResult) -> None:
    cross = random_scatter.cross
    assert cross.nuclei == 5200
    for low, own, high in (
        (cross.l_low_um, cross.l_um, cross.l_high_um),
        (cross.g_low, cross.g, cross.g_high),
    ):
        assert len(own) == 20
        assert all(a <= b <= c for a, b, c in zip(low, own, high, strict=True))  # type: ignore[operator]
    np.testing.assert_allclose(np.array(cross.l_um, float), cross.radius_um, rtol=0.05, atol=2)
    share = random_scatter.hotspots.lymphocyte_share
    assert share is not None
    assert share < 0.1


def test_lymphocytes_apart_from_nests_lie_below_the_envelope() -> None:
    cross = nests(500, (0, 0, 0)).cross
    assert cross.l_um[4] < cross.l_low_um[4]  # type: ignore[operator]
    assert cross.g[4] < cross.g_low[4]  # type: ignore[operator]


def test_distances_are_those_to_the_nearest_epithelial_centroid() -> None:
    layout = nuclei(
        epithelial=block(500, 0, 510, 1000),
        lymphocyte=[(505 + away, 505) for away in (10, 20, 40, 90, 200)],
    )
    distances = score_tils(layout, tissue(1000, 1000), settings=FAST).distances
    assert distances.median_um == pytest.approx(40)
    assert (distances.low_quartile_um, distances.high_quartile_um) == pytest.approx((20, 90))
    assert distances.share_within == {"20": 0.4, "50": 0.6, "100": 0.8}


def test_a_cluster_is_a_hotspot_where_it_lies() -> None:
    layout = nuclei(
        epithelial=scatter(600, 0, 0, 2000, 2000, seed=3),
        lymphocyte=[*scatter(500, 0, 0, 2000, 2000), *scatter(900, 500, 500, 1000, 1000)],
    )
    result = score_tils(layout, tissue(2000, 2000), settings=SCATTERED)
    hot = result.squares[result.squares["lymphocyte_hotspot"]]
    assert {(2, 2), (2, 3), (3, 2), (3, 3)} <= set(zip(hot["row"], hot["column"], strict=True))
    assert hot[["row", "column"]].max().max() <= 4
    assert result.hotspots.lymphocyte == len(hot)
