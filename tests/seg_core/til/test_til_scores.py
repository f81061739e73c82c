"""TIL scores of layouts whose areas and counts are known."""

import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from til_layouts import MPP, block, nuclei, scatter, tissue

from seg_core.classes import ClassScheme, NucleusClass, Role
from seg_core.errors import ModelError, RegionError
from seg_core.geometry import Raster, Region
from seg_core.nuclei import empty_table
from seg_core.slide.tissue import TissueMask
from seg_core.til import Confusion, TilResult, TilSettings, confusion_of, score_tils
from seg_core.til.score_tables import score_table
from seg_core.til.wording import doubt_in_words

FAST = TilSettings(labellings=19)
SCATTERED = replace(FAST, min_sure_share=0.0)  # epithelium that lies in no nests is scored, too


def box(*corners_um: float) -> shapely.Polygon:
    return shapely.box(*(each / MPP for each in corners_um))


@pytest.fixture(scope="module")
def band() -> TilResult:
    """1 mm² with a band of epithelium 200 µm wide: E is 210 µm wide, S the other 790."""
    return score_tils(
        nuclei(
            epithelial=block(500, 0, 700, 1000),
            lymphocyte=[*scatter(79, 10, 0, 490, 1000), *scatter(21, 500, 0, 700, 1000)],
            macrophage=scatter(50, 10, 0, 490, 1000),
            neutrophil=scatter(25, 10, 0, 490, 1000),
            other=scatter(500, 10, 0, 490, 1000),
        ),
        tissue(1000, 1000),
        settings=FAST,
    )


def test_a_band_has_the_scores_of_its_areas_and_counts(band: TilResult) -> None:
    assert band.evaluable
    assert band.areas_mm2 == pytest.approx({"tissue": 1.0, "epithelium": 0.21, "stroma": 0.79})
    assert band.stil_area_pct.value == pytest.approx(100 * 79 * 40 / 790_000)
    assert band.tiger_til == pytest.approx(100 * 79 * 64 / 790_000)
    densities = {name: each.value for name, each in band.density_per_mm2.items()}
    assert densities == pytest.approx({"tissue": 100, "epithelium": 100, "stroma": 100})
    assert band.etils_pct == pytest.approx(100 * 100 / 2100)
    assert band.intraepithelial_ratio == pytest.approx(21 / 2000)
    assert band.stil_without_false_pct(0.25) == pytest.approx(0.3)


def test_what_the_score_would_be_without_false_lymphocytes_is_told(band: TilResult) -> None:
    assert band.to_json()["confusion"] is None
    assert doubt_in_words(band) is None
    told = replace(band, confusion=Confusion("held out", 1000, 50, 200))
    figures = told.to_json()["confusion"]
    assert (figures["share_of_other"], figures["share_of_lymphocytes"]) == (0.05, 0.25)
    assert figures["stil_area_pct_without"] == pytest.approx(0.3)
    assert band.counts["other_in_stroma"] == 500
    assert "the score would be 0.30 %" in (doubt_in_words(told) or "")


def test_every_step_is_reported() -> None:
    steps: list[tuple[int, int]] = []
    layout = nuclei(epithelial=block(500, 0, 700, 1000), lymphocyte=scatter(9, 0, 0, 400, 400))
    score_tils(layout, tissue(1000, 1000), settings=FAST, report=lambda *step: steps.append(step))
    assert steps == [(number, 8) for number in range(8)]


def test_macrophages_and_neutrophils_are_composition_only(band: TilResult) -> None:
    composition = band.to_json()["composition"]
    assert {name: each["count"] for name, each in composition.items()} == {
        "lymphocyte": 100,
        "macrophage": 50,
        "neutrophil": 25,
    }
    assert composition["macrophage"]["per_lymphocyte"] == 0.5


def test_too_few_squares_are_said(band: TilResult) -> None:
    assert (band.stil_area_pct.low, band.stil_area_pct.high) == (None, None)
    assert "at least 20 squares of tissue; there are 16" in (band.stil_area_pct.reason or "")
    assert band.phenotype.name is None
    assert "at least 3 valid squares of 1000 µm; there are 1" in (band.phenotype.reason or "")
    assert "at least 30 squares with tissue; there are 16" in (band.hotspots.reason or "")


def test_json_has_the_keys_others_rely_on(band: TilResult) -> None:
    figures = json.loads(json.dumps(band.to_json(), allow_nan=False))
    assert set(figures) >= {
        *("stil_area_pct", "tiger_til", "density_per_mm2", "phenotype", "morisita_horn"),
        *("evaluable", "reason", "settings"),
    }
    assert set(figures["stil_area_pct"]) >= {"value", "low", "high"}
    assert list(figures["density_per_mm2"]) == ["tissue", "epithelium", "stroma"]
    assert figures["formulas"]["stil_area_pct"]["inputs"] == pytest.approx(
        {"lymphocytes_in_stroma_mm2": 79 * 40e-6, "stroma_mm2": 0.79}
    )
    assert figures["settings"] == json.loads(json.dumps(FAST.to_json()))


def test_every_score_stands_in_the_json_by_its_id(band: TilResult) -> None:
    figures = json.loads(json.dumps(band.to_json(), allow_nan=False))
    assert figures["scores"] == {each.id: each.value for each in band.scores}
    assert figures["scores"]["tiger_til"] == figures["tiger_til"]


def test_squares_add_up_to_the_whole(band: TilResult) -> None:
    assert len(band.squares) == 16
    assert band.squares["stroma_um2"].sum() == pytest.approx(790_000)
    assert band.squares["lymphocyte"].sum() == 100
    assert band.squares["lymphocyte_in_stroma_um2"].sum() == pytest.approx(79 * 40)
    assert band.squares["x_px"].max() == 750 / MPP
    assert (band.squares["side_px"] == 250 / MPP).all()


def test_excluded_tissue_is_in_no_area_and_its_nuclei_count_nowhere() -> None:
    layout = nuclei(
        epithelial=block(500, 0, 700, 1000),
        lymphocyte=[*scatter(40, 0, 0, 200, 1000), *scatter(59, 200, 0, 490, 1000)],
    )
    slide, left = box(0, 0, 1000, 1000), box(0, 0, 200, 1000)
    result = score_tils(layout, tissue(1000, 1000), within=slide - left, settings=FAST)
    assert result.areas_mm2 == pytest.approx({"tissue": 0.8, "epithelium": 0.21, "stroma": 0.59})
    assert result.stil_area_pct.value == pytest.approx(100 * 59 * 40 / 590_000)
    included = box(200, 0, 1000, 1000)
    same = score_tils(layout, tissue(1000, 1000), within=included, settings=FAST)
    assert same.to_json() == result.to_json()


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


def clustered() -> tuple[dict[str, np.ndarray], TissueMask]:
    rng = np.random.default_rng(5)
    centres = scatter(12, 100, 100, 1900, 900, seed=6)
    epithelial = (centres[:, None] + rng.normal(0, 60, (12, 40, 2))).reshape(-1, 2)
    points = {"epithelial": epithelial, "lymphocyte": scatter(900, 0, 0, 2000, 1000, seed=7)}
    masked = tissue(2000, 1000)
    masked.mask[20:40, 30:70] = False
    masked.mask[:30, 150:] = False
    return points, masked


def test_order_of_the_nuclei_does_not_matter() -> None:
    points, masked = clustered()
    layout = nuclei(**points)
    shuffled = layout.sample(frac=1, random_state=1)
    first = score_tils(layout, masked, settings=FAST).to_json()
    assert score_tils(shuffled, masked, settings=FAST).to_json() == first


def test_a_turn_by_90_degrees_changes_no_score() -> None:
    points, masked = clustered()
    turned = {name: np.stack([1000 - own[:, 1], own[:, 0]], axis=1) for name, own in points.items()}
    raster = Raster(Region(0, 0, 2000, 4000), masked.raster.mpp, masked.raster.downsample)
    turned_mask = TissueMask(raster, np.rot90(masked.mask, -1))
    first = score_tils(nuclei(**points), masked, settings=FAST).to_json()
    second = score_tils(nuclei(**turned), turned_mask, settings=FAST).to_json()
    drawn = {name: (first["cross"].pop(name), second["cross"].pop(name)) for name in ENVELOPES}
    assert first["stil_area_pct"]["low"] is not None
    before, after = flat(first), flat(second)
    numbers = {path: each for path, each in before.items() if isinstance(each, int | float)}
    # pixel centres on an outline fall to one side of it, which turns with the outline
    assert {path: after[path] for path in numbers} == pytest.approx(numbers, rel=1e-3)
    assert before.keys() == after.keys()
    assert all(after[path] == each for path, each in before.items() if path not in numbers)
    for low, high in drawn.values():  # labels are dealt to other places
        np.testing.assert_allclose(low, high, rtol=0.35)


ENVELOPES = ("l_low_um", "l_high_um", "g_low", "g_high")


def flat(entries: object, path: str = "") -> dict[str, object]:
    if isinstance(entries, dict | list):
        items = entries.items() if isinstance(entries, dict) else enumerate(entries)
        return {k: v for name, each in items for k, v in flat(each, f"{path}/{name}").items()}
    return {path: entries}


@pytest.mark.parametrize(
    ("layout", "size_um", "sentence"),
    [
        (
            nuclei(epithelial=block(0, 0, 200, 200)),
            600,
            "at least 0.5 mm² of tissue; there are 0.36",
        ),
        (
            nuclei(epithelial=block(0, 0, 70, 70)),
            1000,
            "at least 50 epithelial nuclei; there are 49",
        ),
        (nuclei(epithelial=scatter(60, 0, 0, 1000, 1000)), 1000, "no stroma was found"),
        (empty_table(), 1000, "at least 50 epithelial nuclei; there are 0"),
    ],
)
def test_what_cannot_be_scored_says_why(layout: object, size_um: float, sentence: str) -> None:
    result = score_tils(layout, tissue(size_um, size_um), settings=FAST)  # type: ignore[arg-type]
    assert not result.evaluable
    assert sentence in (result.reason or "")
    figures = result.to_json()
    for name in ("tiger_til", "phenotype", "morisita_horn", "etils_pct"):
        assert figures[name] is None
    assert figures["stil_area_pct"]["value"] is None
    assert figures["density_per_mm2"] == dict.fromkeys(("tissue", "epithelium", "stroma"))
    json.dumps(figures, allow_nan=False)


def doubtful_stroma(sure: int, doubtful: int, scattered: int) -> TilResult:
    """A nest with some nuclei of low score, and nuclei called epithelial that lie alone."""
    nest = block(0, 0, 200, 10 * (sure + doubtful) / 20)
    alone = np.stack(np.meshgrid(np.arange(8), np.arange(8)), axis=-1).reshape(-1, 2)[:scattered]
    layout = nuclei(
        epithelial=[*nest, *(300 + 90 * alone)], lymphocyte=scatter(50, 250, 0, 900, 900)
    )
    layout.loc[: doubtful - 1, "class_score"] = 0.6
    return score_tils(layout, tissue(1100, 1000), settings=FAST)


def test_few_sure_epithelial_nuclei_are_no_tumour_to_score() -> None:
    """Endothelium and plasma cells misnamed in stroma once gave a score."""
    assert doubtful_stroma(sure=160, doubtful=20, scattered=20).evaluable
    scattered = doubtful_stroma(sure=40, doubtful=0, scattered=60)
    assert scattered.stil_area_pct.value is None
    assert scattered.reason is not None
    assert scattered.reason.startswith(
        "not evaluable: only 40% of the 100 nuclei called epithelial lie in nests and have a class score "
        "of 0.7 or more, and a score needs 70%;"
    )
    assert "only 50% of the 120" in (
        doubtful_stroma(sure=60, doubtful=60, scattered=0).reason or ""
    )


def test_the_score_is_shown_again_at_other_dilations(band: TilResult) -> None:
    assert [each.dilation_um for each in band.sensitivity] == [10, 15, 20, 25, 30]
    # a straight edge is where it was: growth past it does not change
    assert {round(each.epithelium_mm2, 9) for each in band.sensitivity} == {0.21}
    assert band.sensitivity[2].stil_area_pct == band.stil_area_pct.value


def test_large_slides_are_drawn_from_whole_squares() -> None:
    layout = nuclei(
        epithelial=scatter(900, 0, 0, 3000, 1000), lymphocyte=scatter(900, 0, 0, 3000, 1000, 1)
    )
    settings = replace(SCATTERED, max_nuclei=1300)
    cross = score_tils(layout, tissue(3000, 1000), settings=settings).cross
    assert cross.squares == 2
    assert 1000 < cross.nuclei <= 1300
    none = score_tils(layout, tissue(3000, 1000), settings=replace(SCATTERED, max_nuclei=10)).cross
    assert "need lymphocytes and epithelial nuclei in the squares" in (none.reason or "")


def test_rois_off_the_tissue_are_refused() -> None:
    layout = nuclei(epithelial=block(0, 0, 200, 200))
    with pytest.raises(RegionError, match="nothing in common with the tissue that was analysed"):
        score_tils(layout, tissue(1000, 1000), within=box(2000, 0, 2500, 500))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"dilation_um": 30.0, "erosion_um": 20.0}, "areas_mm2/epithelium"),
        ({"min_island_nuclei": 41}, "areas_mm2/epithelium"),
        ({"stroma_reach_um": 50.0}, "areas_mm2/stroma"),
        ({"tiger_nucleus_um2": 32.0}, "tiger_til"),
        ({"sensitivity_um": (20.0, 40.0)}, "sensitivity/1/dilation_um"),
        ({"finer_squares_um": (125.0,)}, "morisita_horn_detail/1/square_um"),
        ({"square_um": 125.0, "finer_squares_um": (50.0,)}, "hotspots/squares"),
        ({"min_square_tissue": 1.0}, "hotspots/squares"),
        ({"min_square_epithelium": 0.9}, "phenotype_detail/valid_squares"),
        ({"inflamed_per_mm2": 1e6}, "phenotype_detail/inflamed"),
        ({"inflamed_per_mm2": 1e6, "excluded_per_mm2": 1e6}, "phenotype_detail/desert"),
        ({"phenotype_square_um": 500.0}, "phenotype_detail/valid_squares"),
        ({"min_phenotype_squares": 1}, "phenotype"),
        ({"grid_um": 5.0}, "areas_mm2/epithelium"),
        ({"false_discovery_rate": 1.0}, "hotspots/lymphocyte"),
        ({"min_hotspot_squares": 100}, "hotspots/reason"),
        ({"near_um": (30.0,)}, "distances/share_within/30"),
        ({"max_radius_um": 100.0}, "cross/radius_um/19"),
        ({"radius_step_um": 20.0}, "cross/radius_um/0"),
        ({"labellings": 3}, "cross/l_low_um/5"),
        ({"min_blocks": 100}, "stil_area_pct/reason"),
        ({"seed": 3}, "cross/l_low_um/5"),
        ({"min_tissue_mm2": 3.0}, "reason"),
        ({"min_epithelial_nuclei": 10_000}, "reason"),
        ({"sure_score": 0.95}, "reason"),
        ({"sure_score": 0.95, "min_sure_share": 0.8}, "reason"),
    ],
)
def test_every_setting_changes_the_result(changes: dict[str, object], path: str) -> None:
    points, masked = clustered()
    layout = nuclei(**points)
    before = flat(score_tils(layout, masked, settings=FAST).to_json())
    after = flat(score_tils(layout, masked, settings=replace(FAST, **changes)).to_json())  # type: ignore[arg-type]
    assert before.get(f"/{path}") != after.get(f"/{path}")


def scheme_of(**roles: Role | None) -> ClassScheme:
    return ClassScheme(
        tuple(
            NucleusClass(number, name, "#000000", role)
            for number, (name, role) in enumerate(roles.items(), start=1)
        )
    )


def test_scores_go_by_roles_and_not_by_names(band: TilResult) -> None:
    """The layout of the band, its lymphocytes under two names and its epithelium under another."""
    layout = nuclei(
        nest=block(500, 0, 700, 1000),
        small=scatter(79, 10, 0, 490, 1000),
        round=scatter(21, 500, 0, 700, 1000),
        macrophage=scatter(50, 10, 0, 490, 1000),
        neutrophil=scatter(25, 10, 0, 490, 1000),
        fibroblast=scatter(500, 10, 0, 490, 1000),
    )
    is_nest = layout["class_name"] == "nest"
    half_px = 5 / MPP
    nests = shapely.box(
        *(layout[axis][is_nest] - half_px for axis in "xy"),
        *(layout[axis][is_nest] + half_px for axis in "xy"),
    )
    layout.loc[is_nest, "area_um2"] = 100.0
    layout.loc[is_nest, "geometry"] = nests
    scheme = scheme_of(
        nest="epithelium",
        small="lymphocyte",
        round="lymphocyte",
        macrophage=None,
        neutrophil=None,
        fibroblast=None,
    )
    result = score_tils(layout, tissue(1000, 1000), scheme=scheme, settings=FAST)
    assert result.to_json() == band.to_json()


@pytest.mark.parametrize(
    ("scheme", "missing"),
    [
        (scheme_of(epithelial=None, immune=None), "lymphocytes"),
        (scheme_of(lymphocyte=None), "epithelial or tumour nuclei"),
    ],
)
def test_a_model_without_lymphocytes_or_epithelium_is_refused_in_words(
    scheme: ClassScheme, missing: str
) -> None:
    layout = nuclei(epithelial=block(500, 0, 700, 1000))
    sentence = f"TIL scores need {missing}, which this model does not tell from other nuclei"
    with pytest.raises(ModelError, match=sentence):
        score_tils(layout, tissue(1000, 1000), scheme=scheme, settings=FAST)


def test_what_a_model_does_not_tell_apart_is_not_counted_as_none() -> None:
    scheme = scheme_of(epithelial=None, lymphocyte=None, macrophage=None)
    layout = nuclei(
        epithelial=block(500, 0, 700, 1000),
        lymphocyte=scatter(79, 10, 0, 490, 1000),
        macrophage=scatter(5, 10, 0, 490, 1000),
    )
    result = score_tils(layout, tissue(1000, 1000), scheme=scheme, settings=FAST)
    figures = result.to_json()
    assert list(figures["composition"]) == ["lymphocyte", "macrophage"]
    assert "neutrophil" not in figures["counts"]
    assert not score_table(result)["score"].str.contains("Neutrophil").any()


VOTES = {
    "rows": ["tumour", "other"],
    "columns": ["B", "T", "other"],
    "counts": [[0, 2, 8], [3, 1, 16]],
}
METRICS = {"held out": {"instance": {"vote_confusion": VOTES}}}


def test_the_confusion_is_that_of_all_classes_taken_for_lymphocytes() -> None:
    assert confusion_of(METRICS, scheme_of(B="lymphocyte", T="lymphocyte")) == Confusion(
        "held out", other=20, other_as_lymphocyte=4, called_lymphocyte=6
    )


@pytest.mark.parametrize(
    "votes", [VOTES, {"rows": ["lymphocyte"], "columns": ["lymphocyte"], "counts": [[9]]}]
)
def test_a_card_without_lymphocytes_or_without_other_nuclei_has_no_confusion(
    votes: dict[str, object],
) -> None:
    """It raised a ValueError."""
    metrics = {"held out": {"instance": {"vote_confusion": votes}}}
    assert confusion_of(metrics) is None
