"""What a card says of its model, as tables and sentences."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seg_core.classes import ClassScheme, VoteWeight
from seg_core.model import ModelCard, available_models
from seg_core.model.measured import (
    FAILURES_ENTRY,
    PRESETS_ENTRY,
    class_figures,
    confusion_table,
    dot_figures_of,
    dotted_sets,
    known_failures,
    measured_sets,
    overall_figures,
    preset_in_words,
    preset_table,
    reliability,
    reliability_sets,
    speed_table,
    training_log,
    weaknesses,
)

NAMES = ["epithelial", "lymphocyte", "neutrophil", "macrophage"]
COUNTS = [
    [80, 15, 0, 0, 1, 4],
    [0, 20, 0, 0, 5, 15],
    [0, 0, 0, 0, 0, 0],
    [0, 0, 0, 60, 0, 0],
    [0, 0, 0, 0, 0, 0],
    [2, 1, 3, 0, 0, 0],
]
ENTRY = {
    "images": 3,
    "patients": 2,
    "reference": {"epithelial": 100, "lymphocyte": 40, "neutrophil": 0, "macrophage": 60},
    "pixel": {"iou": dict(zip(NAMES, [0.7, 0.6, 0.0, 0.5], strict=True))},
    "instance": {
        "bpq": 0.65,
        "mpq_plus": None,
        "f1": dict(zip(NAMES, [0.9, 0.8, 0.0, 0.7], strict=True)),
        "pq_plus": dict(zip(NAMES, [0.75, 0.65, 0.0, 0.55], strict=True)),
        "confusion": {
            "rows": [*NAMES, "other", "spurious"],
            "columns": [*NAMES, "other", "missed"],
            "counts": COUNTS,
        },
    },
    "interval95": {"instance": {"bpq": [0.6, 0.7], "f1": {"epithelial": [0.85, 0.95]}}},
    "bootstrap": {"rough": True},
}
CARD = ModelCard(
    *("m", "m.safetensors", "a" * 64, "none", 0.25, (0.5,) * 3, (0.5,) * 3),
    metrics={"mine": ENTRY, "note": "measured in spring", "faster": {"weights_sha256": "a" * 64, "rows": [
        {"precision": "int8", "tile": 256, "mpq_plus": 0.5, "mpq_plus_change_40x": -0.01, "same_class": 0.99, "bpq": 0.6}
    ]}},
)  # fmt: skip


def test_only_entries_with_figures_of_nuclei_are_data_sets() -> None:
    assert measured_sets(CARD) == ["mine"]
    assert measured_sets(replace(CARD, metrics={})) == []


def test_figures_of_a_class_stand_with_their_nuclei_and_intervals() -> None:
    table = class_figures(CARD, "mine").set_index("class_name")
    assert table.loc["epithelial", ["nuclei", "f1", "f1_low", "f1_high"]].tolist() == [
        100,
        0.9,
        0.85,
        0.95,
    ]
    assert table.loc["macrophage", "iou"] == 0.5
    assert pd.isna(table.loc["macrophage", "f1_low"])


def test_a_class_that_the_reference_lacks_has_no_figure_whatever_an_older_card_says() -> None:
    table = class_figures(CARD, "mine").set_index("class_name")
    assert table.loc["neutrophil", ["f1", "pq_plus", "iou"]].isna().all()
    assert table.loc["neutrophil", "nuclei"] == 0


def test_what_the_card_lacks_is_left_out_of_the_overall_figures() -> None:
    table = overall_figures(CARD, "mine")
    assert table.to_numpy().tolist() == [["bPQ, mean over images", 0.65, 0.6, 0.7]]


def test_weaknesses_are_said_in_words() -> None:
    said = list(weaknesses(CARD, "mine"))
    assert said == [
        "Epithelial (100 nuclei): 15 % are called lymphocyte.",
        (
            "Lymphocyte (40 nuclei): 38 % are missed, 12 % are called other, so few that the figures are "
            "a hint only."
        ),
        (
            "Neutrophil: none in the reference, so nothing is known; 3 were called so where nothing is "
            "outlined."
        ),
    ]


def test_without_classes_there_is_no_confusion_and_a_sentence_says_so() -> None:
    blind = {**ENTRY, "instance": {"bpq": 0.5, "confusion": None}}
    card = replace(CARD, metrics={"kumar": blind})
    assert confusion_table(card, "kumar") is None
    assert list(weaknesses(card, "kumar")) == [
        "The reference has no classes, so nothing is known of them here."
    ]


def test_speed_is_that_of_these_weights_or_none() -> None:
    table = speed_table(CARD)
    assert table is not None
    assert table.columns.tolist() == [
        "precision",
        "tile",
        "mpq_plus",
        "mpq_plus_change_40x",
        "mpq_plus_20x",
        "mpq_plus_change_20x",
        "same_class",
    ]
    assert pd.isna(table["mpq_plus_20x"].iloc[0])
    assert speed_table(replace(CARD, sha256="b" * 64)) is None
    assert speed_table(replace(CARD, metrics={})) is None


@pytest.mark.parametrize("card", available_models(), ids=lambda card: card.name)
def test_every_shipped_card_can_be_shown(card: ModelCard) -> None:
    assert measured_sets(card)
    for data in dotted_sets(card):
        assert not dot_figures_of(card, data).empty
        assert not overall_figures(card, data).empty
        assert all(each.endswith(".") for each in weaknesses(card, data))
    for data in measured_sets(card):
        assert len(class_figures(card, data)) == len(card.scheme.names)
        assert not overall_figures(card, data).empty
        assert all(each.endswith(".") for each in weaknesses(card, data))


def priced(**changes: Any) -> ModelCard:
    row = {"mpq_plus": 0.61, "macro_f1": 0.7, "mpq_plus_20x": 0.6, "macro_f1_20x": 0.68}
    rows = [{"preset": "original", "time": 1.0, **row}, {"preset": "fast", "time": 0.351, **row}]
    entry = {"weights_sha256": CARD.sha256, "rows": rows, **changes}
    return replace(CARD, metrics={**CARD.metrics, PRESETS_ENTRY: entry})


def test_a_preset_is_said_with_what_it_costs_where_that_was_measured() -> None:
    card = priced()
    assert preset_in_words(card, "fast") == (
        "Tiles of 512 px, in 8-bit integers where the model keeps them: 0.35 times the time of "
        "Original, mPQ+ 0.610 and macro F1 0.700 at 40x, 0.600 and 0.680 at 20x."
    )
    assert "times the time" not in preset_in_words(card, "original")
    bare = "Tiles of 512 px, four views of each, averaged."
    assert preset_in_words(card, "best") == bare
    assert preset_in_words(None, "best") == bare
    assert preset_in_words(priced(weights_sha256="b" * 64), "fast").endswith("keeps them.")


def test_presets_of_another_version_are_left_out_of_the_table() -> None:
    gone = {"preset": "fastest", "time": 0.1}
    table = preset_table(priced(rows=[gone]))
    assert table is not None
    assert table.empty
    table = preset_table(priced())
    assert table is not None
    assert table["title"].tolist() == ["Original", "Fast"]


DOTS = {
    "images": 4,
    "dots": {
        "detected": 0.8,
        "recall": {"epithelial": 0.5, "lymphocyte": None, "other": 0.75},
        "precision": {"epithelial": 0.4, "lymphocyte": 0.0, "other": 0.6},
        "f1": {"epithelial": 0.45, "lymphocyte": None, "other": 0.7},
        "called": {
            "rows": [*NAMES, "other"],
            "columns": [*NAMES, "other", "missed"],
            "counts": [[10, 0, 0, 0, 5, 5], *[[0] * 6] * 3, [1, 0, 0, 0, 3, 0]],
        },
        "predicted": {"epithelial": 25, "lymphocyte": 2, "other": 5},
    },
    "interval95": {"dots": {"detected": [0.7, 0.9], "f1": {"epithelial": [0.3, 0.6]}}},
}


def test_figures_by_dots_stand_with_counts_and_intervals_and_only_of_classes_with_dots() -> None:
    card = replace(CARD, metrics={"dotted": DOTS})
    assert dotted_sets(card) == ["dotted"]
    assert measured_sets(card) == []
    table = dot_figures_of(card, "dotted").set_index("class_name")
    assert table.index.tolist() == ["epithelial", "other"]
    columns = ["dots", "called", "recall", "f1", "f1_low", "f1_high"]
    assert table.loc["epithelial", columns].tolist() == [20, 25, 0.5, 0.45, 0.3, 0.6]
    assert pd.isna(table.loc["other", "f1_low"])
    assert overall_figures(card, "dotted").to_numpy().tolist() == [
        ["Share of dots that a nucleus finds", 0.8, 0.7, 0.9]
    ]
    assert list(weaknesses(card, "dotted")) == [
        (
            "Epithelial (20 nuclei): 25 % are called other, 25 % are missed, so few that the figures are a "
            "hint only."
        )
    ]


def bins(*right: float) -> list[dict[str, float]]:
    edges = [0.0, 0.5, 0.8, 1.0]
    return [
        {
            "from": edges[k],
            "to": edges[k + 1],
            "nuclei": 100,
            "score": 0.3 + 0.3 * k,
            "right": share,
        }
        for k, share in enumerate(right)
    ]


def test_scores_are_those_that_analyses_give_with_calibrated_votes_or_without() -> None:
    votes = {
        "mine": {
            "nuclei": 300,
            "before": {"error": 0.2, "reliability": bins(0.5, 0.4, 0.7)},
            "after": {"error": 0.05, "reliability": bins(0.3, 0.6, 0.9)},
        }
    }
    card = replace(CARD, metrics={"votes": votes})
    assert reliability_sets(card) == {"mine": 0.2}
    assert reliability(card, "mine")["right"].tolist() == [0.5, 0.4, 0.7]
    classes = tuple(replace(each, vote=VoteWeight()) for each in card.scheme.classes)
    calibrated = replace(card, scheme=ClassScheme(classes))
    table = reliability(calibrated, "mine")
    assert reliability_sets(calibrated) == {"mine": 0.05}
    assert table["right"].tolist() == [0.3, 0.6, 0.9]
    # Wilson's interval of 90 of 100, as of statsmodels' proportion_confint(90, 100, method="wilson")
    assert table[["low", "high"]].iloc[2].tolist() == pytest.approx([0.82563, 0.94477], abs=1e-5)
    assert reliability_sets(CARD) == {}


def test_the_log_of_a_training_goes_on_from_stage_to_stage(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("step,loss\n100,2\n200,1\n")
    (tmp_path / "two.csv").write_text("step,loss,score\n50,1.5,0.7\n")
    stages = ["one: 200 steps", "two: 50 steps, the last"]
    card = replace(CARD, metrics={"training": {"stages": stages}})
    log = training_log(card, tmp_path)
    assert log is not None
    assert log["step"].tolist() == [100, 200, 250]
    assert log["stage"].tolist() == ["one", "one", "two"]
    assert log["loss"].tolist() == [2, 1, 1.5]
    (tmp_path / "two.csv").unlink()
    assert training_log(card, tmp_path) is None
    assert training_log(CARD) is None


def test_the_shipped_models_have_their_logs() -> None:
    for card in available_models():
        log = training_log(card)
        assert log is not None, card.name
        assert log["step"].is_monotonic_increasing
        assert len(log["stage"].unique()) == len(card.metrics["training"]["stages"])


def test_pictures_of_failures_are_of_these_weights_and_inside_their_folder(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"picture")
    entries = [
        {"file": "../../a.jpg", "words": "Muscle is called epithelial.", "credit": "me, CC0"},
        {"file": "gone.jpg", "words": "Gone.", "credit": "me"},
    ]
    entry = {"weights_sha256": CARD.sha256, "pictures": entries}
    card = replace(CARD, metrics={FAILURES_ENTRY: entry})
    (found,) = known_failures(card, tmp_path)
    assert found.picture == tmp_path / "a.jpg"
    assert found.words == "Muscle is called epithelial."
    assert known_failures(replace(card, sha256="b" * 64), tmp_path) == []
