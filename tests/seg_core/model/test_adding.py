"""A model of one's own: checked before it is offered, refused in one sentence."""

import json
from pathlib import Path

import pytest

from seg_core.errors import ModelError
from seg_core.model import ModelCard, available_models, find_model, make_engine
from seg_core.model.adding import add_model, card_template, is_own, remove_model
from seg_core.model.card import OWN_MODELS_VARIABLE
from seg_core.settings import AnalysisSettings

Model = tuple[ModelCard, Path]


@pytest.fixture(autouse=True)
def own_models(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("own") / "models"
    monkeypatch.setenv(OWN_MODELS_VARIABLE, str(folder))
    return folder


def filled_in(model: Model, **changes: object) -> str:
    """The template as somebody fills it in for a model."""
    card = json.loads(card_template())
    of_model = {key: value for key, value in model[0].to_json().items() if key in card}
    return json.dumps({**card, **of_model, "name": "mine", **changes})


def test_an_added_model_is_offered_and_found_by_its_name_and_can_be_removed(
    tiny_model: Model, own_models: Path
) -> None:
    shipped = [card.name for card in available_models()]
    content = tiny_model[1].read_bytes()
    card = add_model("weights_of_mine.safetensors", content, filled_in(tiny_model))
    assert sorted(each.name for each in available_models()) == sorted([*shipped, "mine"])
    assert available_models()[0].name == shipped[0], "the default stays the first"
    found, weights = find_model("mine")
    assert found == card
    assert weights == own_models / "mine.safetensors"
    assert weights.read_bytes() == content
    assert is_own(card)
    assert not card.default
    make_engine(found, weights, AnalysisSettings(engine="torch", precision="fp32"))
    remove_model(card)
    assert [each.name for each in available_models()] == shipped
    assert list(own_models.iterdir()) == []


def test_a_checkpoint_of_the_original_project_needs_no_card(
    tiny_model: Model, own_models: Path, tmp_path: Path
) -> None:
    import torch

    from seg_core.model.network import load_network

    path = tmp_path / "best.pt"
    torch.save({"model_state": load_network(*tiny_model).state_dict()}, path)
    beside = json.dumps({"config": {"encoder": tiny_model[0].encoder}})
    card = add_model(path.name, path.read_bytes(), beside)
    assert card.name == "best"
    found, weights = find_model("best")
    assert found.encoder == tiny_model[0].encoder
    assert weights == own_models / "best.pt"
    with pytest.raises(ModelError, match="those of another network"):
        add_model("resnet.pt", path.read_bytes(), "")  # as a ResNet-34, which it is not


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sha256": "0" * 64}, "give the card that belongs to the weights"),
        ({"encoder": "resnet1000"}, "the encoder 'resnet1000' is unknown"),
        ({"encoder": "resnet18"}, "those of another network"),
        ({"mpp": "0.25"}, "is no model card"),
        ({"mpp": 0}, "needs mpp above 0"),
        ({"classes": []}, "no model card|another network"),
        ({"name": "../escape"}, "is no name for a model"),
        ({"name": "nuclei-lite0"}, "there is a model 'nuclei-lite0' already"),
        ({"architecture": "transformer"}, "is a 'transformer'"),
    ],
)
def test_a_wrong_card_is_refused_in_one_sentence_and_nothing_is_kept(
    tiny_model: Model, own_models: Path, changes: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence) as refused:
        add_model("mine.safetensors", tiny_model[1].read_bytes(), filled_in(tiny_model, **changes))
    assert "\n" not in str(refused.value)
    assert not own_models.exists()


@pytest.mark.parametrize(
    ("name", "content", "card", "sentence"),
    [
        ("mine.onnx", b"", "{}", "is no file of weights"),
        ("mine.safetensors", b"nothing", "no json", "the card is no JSON"),
        ("mine.safetensors", b"nothing", "[]", "the card is no JSON object"),
        ("mine.safetensors", b"nothing", card_template(), "cannot be read as weights"),
        ("mine.pt", b"nothing", "", "cannot be read as weights"),
    ],
)
def test_wrong_weights_are_refused_in_one_sentence(
    name: str, content: bytes, card: str, sentence: str, own_models: Path
) -> None:
    with pytest.raises(ModelError, match=sentence):
        add_model(name, content, card)
    assert not own_models.exists()


def test_a_folder_that_cannot_be_written_is_named(tiny_model: Model, own_models: Path) -> None:
    own_models.write_text("a file in the way")
    with pytest.raises(ModelError, match="SEG_MODELS"):
        add_model("mine.safetensors", tiny_model[1].read_bytes(), filled_in(tiny_model))
