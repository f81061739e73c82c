"""Scores as values: one list that tables, JSON and pages go through."""

from dataclasses import replace

import numpy.typing as npt
import pandas as pd
import pytest
from til_layouts import block, nuclei, scatter, tissue

from seg_core.classes import MONUSAC, ClassScheme
from seg_core.til import Estimate, Formula, Score, TilResult, TilSettings, score_tils
from seg_core.til.score_tables import formula_table, score_table

FEW = ClassScheme(
    tuple(
        replace(each, id=number)
        for number, each in enumerate(
            (each for each in MONUSAC.classes if each.name in ("epithelial", "lymphocyte")), 1
        )
    )
)
METHOD = Formula("tils", "n / area", "per mm²", "nobody", {"area_mm2": 0.5, "nuclei": 1200})


@pytest.fixture(scope="module")
def result() -> TilResult:
    layout = nuclei(
        epithelial=block(500, 0, 700, 1000),
        lymphocyte=scatter(100, 10, 0, 490, 1000),
        macrophage=scatter(50, 10, 0, 490, 1000),
        neutrophil=scatter(25, 10, 0, 490, 1000),
    )
    return score_tils(layout, tissue(1000, 1000), settings=TilSettings(labellings=9))


def test_a_score_takes_what_it_does_not_say_from_its_formula() -> None:
    score = Score("tils", "TILs", Estimate(3.0, 2.0, 4.0), METHOD)
    assert (score.value, score.unit, score.formula, score.source) == (
        *(3.0, "per mm²"),
        *("n / area", "nobody"),
    )
    assert score.inputs == "area 0.5 mm², nuclei 1,200"
    own = Score("share", "Share", Estimate(0.5), METHOD, other_unit="", other_inputs="squares 3")
    assert (own.unit, own.inputs) == ("", "squares 3")


def test_a_category_is_the_value_of_a_score_without_a_number() -> None:
    phenotype = Score("phenotype", "Phenotype", Estimate(None), METHOD, category="desert")
    assert phenotype.value == "desert"
    unknown = Score("phenotype", "Phenotype", Estimate(None, reason="too small."), METHOD)
    assert unknown.value is None


def test_a_score_has_a_value_or_a_reason() -> None:
    with pytest.raises(ValueError, match="tils has neither a value nor a reason"):
        Score("tils", "TILs", Estimate(None), METHOD)


EPITHELIUM = block(500, 0, 700, 1000)
LYMPHOCYTES = scatter(100, 10, 0, 490, 1000)
OF_ALL_KINDS = {
    "as a slide is": {"epithelial": EPITHELIUM, "lymphocyte": LYMPHOCYTES},
    "no lymphocytes": {"epithelial": EPITHELIUM, "macrophage": LYMPHOCYTES},
    "no epithelium": {"lymphocyte": LYMPHOCYTES, "neutrophil": scatter(9, 0, 0, 400, 400)},
    "doubtful epithelium": {"epithelial": scatter(90, 0, 0, 999, 999), "lymphocyte": LYMPHOCYTES},
    "nothing": {},
}


@pytest.mark.parametrize("points", OF_ALL_KINDS.values(), ids=list(OF_ALL_KINDS))
@pytest.mark.parametrize("side_um", [400, 1000, 3000])
@pytest.mark.parametrize("scheme", [MONUSAC, FEW])
def test_tables_of_all_slides_have_the_same_rows_each_with_a_value_or_a_reason(
    result: TilResult, points: dict[str, npt.ArrayLike], side_um: float, scheme: ClassScheme
) -> None:
    """Three rows were missing without lymphocytes, and some had neither value nor reason."""
    settings = TilSettings(labellings=9)
    found = score_tils(nuclei(**points), tissue(side_um, 1000), scheme=scheme, settings=settings)
    assert [each.id for each in found.scores] == [each.id for each in result.scores]
    for row in score_table(found).to_dict("records"):
        assert not pd.isna(row["value"]) or row["note"]
    figures = found.to_json()
    missing = {name for name, value in figures["scores"].items() if value is None}
    assert set(figures["reasons"]) == missing
    assert all(figures["reasons"].values())
    for each in [
        *figures["morisita_horn_detail"],
        figures["hotspots"],
        figures["phenotype_detail"],
    ]:
        assert each["reason"] or None not in {each.get("value", 0), each.get("name", 0)}
    assert set(figures["distances"]["share_within"]) == {"20", "50", "100"}
    assert (figures["distances"]["median_um"] is None) == bool(figures["distances"]["reason"])


@pytest.mark.parametrize("kind", ["no epithelium", "doubtful epithelium", "nothing"])
def test_where_nothing_is_scored_nothing_has_a_value(kind: str) -> None:
    """Distances and ratios stood there although the epithelium they rest on was in doubt."""
    found = score_tils(nuclei(**OF_ALL_KINDS[kind]), tissue(1000, 1000))
    assert found.reason is not None
    assert {each.value for each in found.scores} == {None}
    assert {each.estimate.reason for each in found.scores} == {found.reason}
    figures = found.to_json()
    assert figures["distances"]["reason"] == found.reason
    ratios = {each["per_lymphocyte"] for each in figures["composition"].values()}
    assert ratios == {None}
    assert figures["counts"]["lymphocyte"] == len(OF_ALL_KINDS[kind].get("lymphocyte", ()))


def test_what_is_measured_from_lymphocytes_says_that_there_are_none() -> None:
    found = score_tils(nuclei(**OF_ALL_KINDS["no lymphocytes"]), tissue(1000, 1000))
    assert (found.reason, found.stil_area_pct.value) == (None, 0)
    for name in ("distance_median_um", "share_within_20_um", "macrophages_per_lymphocyte"):
        assert found.score(name).estimate.reason == "there is no lymphocyte in the tissue."
    alike = found.score("morisita_horn_250_um").estimate.reason
    assert alike == "there is no lymphocyte in squares with enough tissue."


def test_ids_are_those_that_tables_of_many_slides_are_made_of(result: TilResult) -> None:
    """They are a format: a cohort's columns go by them."""
    assert [score.id for score in result.scores] == [
        "stil_area_pct",
        "tiger_til",
        *(f"density_per_mm2_{name}" for name in ("tissue", "epithelium", "stroma")),
        *("etils_pct", "intraepithelial_ratio", "phenotype"),
        *(f"morisita_horn_{side}_um" for side in (250, 100, 50)),
        *("hotspots_lymphocyte_share", "hotspots_epithelial_share"),
        *("hotspots_both_of_lymphocyte", "hotspots_both_of_epithelial"),
        *("distance_median_um", *(f"share_within_{near}_um" for near in (20, 50, 100))),
        *("macrophages_per_lymphocyte", "neutrophils_per_lymphocyte"),
    ]


def test_table_and_json_show_the_values_of_the_list(result: TilResult) -> None:
    table, figures = score_table(result), result.to_json()
    assert table["score"].to_list() == [score.label for score in result.scores]
    for shown, score in zip(table["value"], result.scores, strict=True):
        assert pd.isna(shown) if score.value is None else shown == score.value
    for name in ("tiger_til", "etils_pct", "intraepithelial_ratio"):
        assert figures[name] == result.score(name).value
    assert figures["stil_area_pct"]["value"] == result.scores[0].value
    for name, density in figures["density_per_mm2"].items():
        assert density == result.score(f"density_per_mm2_{name}").value
    assert figures["composition"]["macrophage"]["per_lymphocyte"] == pytest.approx(
        result.score("macrophages_per_lymphocyte").value
    )


def test_every_formula_of_a_score_and_of_the_curves_is_in_the_json(result: TilResult) -> None:
    formulas = result.to_json()["formulas"]
    assert set(formulas) == {*(score.method.id for score in result.scores), "cross"}
    assert set(formulas["tiger_til"]) == {"formula", "unit", "source", "inputs"}


def test_what_goes_into_a_formula_is_told_once(result: TilResult) -> None:
    """The same list stood three times below one another."""
    table = formula_table(result)
    assert len(table) == len({(score.formula, score.source) for score in result.scores}) < 12
    assert "; ".join(table["scores"]) == "; ".join(score.label for score in result.scores)
    (densities,) = table[table["scores"].str.startswith("Lymphocytes in tissue")].to_dict("records")
    assert densities["inputs"] == result.score("density_per_mm2_tissue").inputs
    (spread,) = table[table["scores"].str.startswith("Morisita")].to_dict("records")
    for side in (250, 100, 50):
        of_side = result.score(f"morisita_horn_{side}_um")
        assert f"{of_side.label}: {of_side.inputs}" in spread["inputs"]


def test_a_score_that_is_not_there_is_no_score(result: TilResult) -> None:
    with pytest.raises(KeyError):
        result.score("platelets")
