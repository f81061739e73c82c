"""Scores go by what the classes of a model are taken for."""

import math

import pytest
import shapely
from til_layouts import FAST, MPP, block, nuclei, scatter, tissue

from seg_core.classes import ClassScheme, NucleusClass, Role
from seg_core.errors import ModelError
from seg_core.til import Confusion, TilResult, confusion_of, score_tils
from seg_core.til.score_tables import score_table


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
    table = score_table(result).set_index("score")
    assert table.loc["Macrophages per lymphocyte", "value"] == pytest.approx(5 / 79)
    row = table.loc["Neutrophils per lymphocyte"]
    assert row["value"] is None or math.isnan(row["value"])
    assert "does not tell neutrophils from other nuclei" in row["note"]


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
