"""The page of a model, against the card it shows."""

import json
from pathlib import Path

import pytest

from seg_core.model import available_models, find_model
from seg_core.model.card import OWN_MODELS_VARIABLE, WEIGHTS_FOLDER
from seg_core.model.engine_choice import engine_name, precision_name
from seg_core.model.measured import dotted_sets, measured_sets, reliability_sets
from seg_core.model.set_names import spelled
from seg_core.nuclei.context_head import read_context_head
from seg_core.settings import PRECISION_TITLES, AnalysisSettings


@pytest.fixture(autouse=True)
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(OWN_MODELS_VARIABLE, str(tmp_path / "models"))
    monkeypatch.setenv("SEG_LOCAL", "1")
    return tmp_path / "models"


def written_card(name: str) -> dict[str, object]:
    return json.loads((WEIGHTS_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def classes_of(page) -> dict[str, dict[str, object]]:
    table = page.dataframe[0].value
    return {row["Class"]: row for row in table.to_dict("records")}


def open_section(page, name: str):
    page.segmented_control(key="_model_section").set_value(name).run()
    assert not page.exception
    return page


def test_the_figures_are_those_of_the_card(visit) -> None:
    page = visit("model")
    card, _ = find_model()
    entry = written_card(card.name)["metrics"][measured_sets(card)[0]]
    for name, row in classes_of(page).items():
        assert row["Nuclei"] == entry["reference"][name]
        if entry["reference"][name]:
            assert str(row["F1"]).startswith(f"{entry['instance']['f1'][name]:.3f}")
    assert card.data in [each.value for each in page.markdown]
    assert any(card.licence in each.value for each in [*page.warning, *page.caption])
    said = "\n".join(each.value for each in page.markdown)
    assert "Where it fails" in said
    assert "nuclei)" in said


def test_figures_by_dots_have_their_counts_and_intervals(visit) -> None:
    page = visit("model")
    card, _ = find_model()
    (data,) = dotted_sets(card)
    page.selectbox(key="_measured_on").set_value(data).run()
    assert not page.exception
    dots = written_card(card.name)["metrics"][data]
    low, high = dots["interval95"]["dots"]["f1"]["lymphocyte"]
    row = classes_of(page)["lymphocyte"]
    assert row["F1"] == f"{dots['dots']['f1']['lymphocyte']:.3f} ({low:.2f}–{high:.2f})"
    assert row["Dots"] == sum(dots["dots"]["called"]["counts"][1])
    assert row["Nuclei called so"] == dots["dots"]["predicted"]["lymphocyte"]
    assert "neutrophil" not in classes_of(page), "nobody set dots on them"


def test_another_data_set_and_another_model_can_be_looked_at(visit) -> None:
    page = visit("model")
    other = available_models()[1]
    page.selectbox(key="_model_shown").set_value(other.name).run()
    assert not page.exception
    assert page.subheader[0].value == other.title
    data = measured_sets(other)[1]
    page.selectbox(key="_measured_on").set_value(data).run()
    assert not page.exception
    images = other.metrics[data]["images"]
    assert any(f"{images} images" in each.value for each in page.caption)


@pytest.mark.parametrize("model", [card.name for card in available_models()])
@pytest.mark.parametrize("section", ["Failures", "Class scores", "Speed", "Training"])
def test_every_section_opens_for_every_model(visit, section: str, model: str) -> None:
    page = visit("model")
    page.selectbox(key="_model_shown").set_value(model).run()
    open_section(page, section)
    assert not page.error


def test_what_faster_settings_cost_at_both_magnifications(visit) -> None:
    page = open_section(visit("model"), "Speed")
    card, _ = find_model()
    table = page.dataframe[-1].value
    wanted = written_card(card.name)["metrics"]["faster"]["rows"]
    assert table["mpq_plus_20x"].tolist() == [each["mpq_plus_20x"] for each in wanted]
    for name in ("mpq_plus_change_40x", "mpq_plus_change_20x"):
        signs = ["−" if each[name] < 0 else "+" for each in wanted]
        assert [each[0] for each in table[name]] == signs, "a hyphen stood for minus"


def test_engine_and_precision_are_those_that_an_analysis_has_here(visit) -> None:
    page = open_section(visit("model"), "Speed")
    usual = AnalysisSettings()
    named = {"openvino": "OpenVINO", "torch": "PyTorch"}[engine_name(usual)]
    said = " ".join(each.value for each in page.caption)
    precision = PRECISION_TITLES[precision_name(usual)]
    assert f"On this machine it runs on {named} in {precision}, where no" in said


def test_the_reliability_diagram_has_the_bins_of_each_data_set(visit) -> None:
    page = open_section(visit("model"), "Class scores")
    card, _ = find_model()
    (chart,) = page.get("plotly_chart")
    drawn = json.loads(chart.proto.spec)["data"]
    assert [each["name"] for each in drawn] == ["as it says", *map(spelled, reliability_sets(card))]
    assert json.loads(chart.proto.spec)["layout"]["yaxis"]["ticksuffix"] == " %"
    told = " ".join(each.value for each in page.caption)
    for name, error in reliability_sets(card).items():
        assert f"{spelled(name)} {error:.3f}" in told


def test_the_page_says_by_what_nuclei_get_their_class(visit) -> None:
    page = open_section(visit("model"), "Class scores")
    head = read_context_head(*find_model())
    assert head is not None
    (told,) = [each.value for each in page.markdown if "context head" in each.value]
    for name, count in head.nuclei.items():
        assert f"{count:,} of {spelled(name)}" in told


def test_curves_are_drawn_for_what_is_chosen(visit) -> None:
    page = open_section(visit("model"), "Training")
    (chart,) = page.get("plotly_chart")
    first = len(json.loads(chart.proto.spec)["data"])
    curves = page.multiselect[0]
    curves.set_value([*curves.value, "monusac inside dice"]).run()
    (chart,) = page.get("plotly_chart")
    assert len(json.loads(chart.proto.spec)["data"]) > first


def test_a_model_is_added_on_this_machine_alone(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    page = open_section(visit("model"), "Add a model")
    assert page.button(key="_add_model").disabled
    assert '"encoder": "resnet34"' in page.text_area(key="_own_card").value
    monkeypatch.setenv("SEG_LOCAL", "0")
    page.run()
    assert not page.text_area
    assert "whoever sits at the machine" in page.info[0].value


def test_an_added_model_is_listed_and_can_be_removed(visit, own_models: Path) -> None:
    other = available_models()[1]
    own_models.mkdir()
    card = {
        **written_card(other.name),
        "name": "mine",
        "title": "Mine",
        "metrics": {},
        "file": "mine.safetensors",
    }
    (own_models / "mine.json").write_text(json.dumps(card))
    (own_models / "mine.safetensors").write_bytes((WEIGHTS_FOLDER / other.file).read_bytes())
    page = visit("model")
    page.selectbox(key="_model_shown").set_value("mine").run()
    assert "nobody knows what this model is worth" in page.info[0].value
    open_section(page, "Add a model")
    assert "**mine**: Mine" in [each.value for each in page.markdown]
    page.button(key="_remove_mine").click().run()
    assert not page.exception
    assert "mine" not in [card.name for card in available_models()]


def test_a_missing_model_is_a_sentence(visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seg_core.model.available_models", list)
    monkeypatch.setattr("seg_core.model.card.available_models", lambda *_: [])
    page = visit("model")
    assert "there is no model" in page.error[0].value.lower()
