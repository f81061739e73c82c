"""The page of a model, against the card it shows."""

import json

import pytest

from seg_core.model import available_models, find_model
from seg_core.model.card import WEIGHTS_FOLDER
from seg_core.model.measured import measured_sets


def classes_of(page) -> dict[str, dict[str, object]]:
    table = page.dataframe[0].value
    return {row["Class"]: row for row in table.to_dict("records")}


def test_the_figures_are_those_of_the_card(visit) -> None:
    page = visit("model")
    card, _ = find_model()
    written = json.loads((WEIGHTS_FOLDER / f"{card.name}.json").read_text(encoding="utf-8"))
    entry = written["metrics"][measured_sets(card)[0]]
    for name, row in classes_of(page).items():
        assert row["Nuclei"] == entry["reference"][name]
        if entry["reference"][name]:
            assert str(row["F1"]).startswith(f"{entry['instance']['f1'][name]:.3f}")
    assert card.data in [each.value for each in page.markdown]
    assert any(card.licence in each.value for each in [*page.warning, *page.caption])


def test_another_data_set_and_another_model_can_be_looked_at(visit) -> None:
    page = visit("model")
    cards = available_models()
    other = cards[1]
    page.selectbox[0].set_value(other.name).run()
    assert not page.exception
    assert page.subheader[0].value == other.title
    data = measured_sets(other)[1]
    page.radio[0].set_value(data).run()
    assert not page.exception
    images = other.metrics[data]["images"]
    assert any(f"{images} images" in each.value for each in page.caption)


def test_weaknesses_and_speed_are_said(visit) -> None:
    page = visit("model")
    said = "\n".join(each.value for each in page.markdown)
    assert "Where it fails" in said
    assert "nuclei)" in said
    assert "On this machine it runs by" in " ".join(each.value for each in page.caption)


def test_a_missing_model_is_a_sentence(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seg_core.model.available_models", list)
    monkeypatch.setattr("seg_core.model.card.available_models", lambda *_: [])
    page = visit("model")
    assert "there is no model" in page.error[0].value.lower()
