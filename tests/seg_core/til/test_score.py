"""Scores as values: one list that tables, JSON and pages go through."""

import pandas as pd
import pytest
from til_layouts import block, nuclei, scatter, tissue

from seg_core.til import Estimate, Formula, Score, TilResult, TilSettings, score_tils
from seg_core.til.score_tables import formula_table, score_table

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
