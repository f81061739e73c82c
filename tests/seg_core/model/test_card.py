import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from seg_core.errors import ModelError
from seg_core.model.card import (
    MODEL_VARIABLE,
    ModelCard,
    available_models,
    find_model,
    read_card,
    write_card,
)

Model = tuple[ModelCard, Path]


def test_card_comes_back_as_it_was_written(tiny_model: Model, tmp_path: Path) -> None:
    card = replace(tiny_model[0], title="Tiny", metrics={"val": {"bpq": 0.5}}, licence="MIT")
    write_card(card, tmp_path / "again.json")
    assert read_card(tmp_path / "again.json") == card


def test_a_card_stays_where_there_is_no_room_for_a_new_one(
    tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the new one stood in its place, and every model that was asked for was none."""
    card, path = tiny_model[0], tmp_path / "tiny.json"
    write_card(card, path)

    def half(self: Path, text: str, **_how: str) -> None:
        self.write_bytes(text.encode()[: len(text) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space"):
        write_card(replace(card, title="another"), path)
    assert read_card(path) == card
    assert not list(tmp_path.glob(".*"))


def test_model_is_found_by_name_by_file_and_by_default(tiny_model: Model) -> None:
    card, weights = tiny_model
    assert find_model("tiny", weights.parent) == (card, weights)
    assert find_model(weights) == (card, weights)
    assert find_model(None, weights.parent) == (card, weights)


def test_environment_names_the_model_where_nobody_chooses(
    tiny_model: Model, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MODEL_VARIABLE, str(tiny_model[1]))
    assert find_model(None, tmp_path_factory.mktemp("empty")) == tiny_model


def test_default_card_comes_first(tiny_model: Model) -> None:
    card, weights = tiny_model
    write_card(replace(card, name="another", default=False), weights.parent / "another.json")
    assert [each.name for each in available_models(weights.parent)] == ["tiny", "another"]


def test_unknown_name_lists_what_there_is(tiny_model: Model) -> None:
    with pytest.raises(ModelError, match=r"no model 'huge' in .* \(found: tiny\)"):
        find_model("huge", tiny_model[1].parent)


def test_empty_folder_has_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model in .* \(found: none\)"):
        find_model(None, tmp_path)


def test_file_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no file lost\.safetensors"):
        find_model(tmp_path / "lost.safetensors")


def test_weights_without_a_card(tiny_model: Model) -> None:
    tiny_model[1].with_suffix(".json").unlink()
    with pytest.raises(ModelError, match=r"has no card; put tiny\.json"):
        find_model(tiny_model[1])


def test_card_without_its_weights(tiny_model: Model) -> None:
    tiny_model[1].unlink()
    with pytest.raises(ModelError, match=r"weights tiny\.safetensors are missing"):
        find_model("tiny", tiny_model[1].parent)


def test_wrong_checksum_is_refused(tiny_model: Model) -> None:
    weights = tiny_model[1]
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(ModelError, match=r"has the checksum .* its card says"):
        find_model(weights)


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '{"name": 3}'])
def test_damaged_card_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(ModelError, match=r"broken\.json is no model card"):
        read_card(path)


def test_card_of_another_architecture_is_refused(tiny_model: Model) -> None:
    path = tiny_model[1].with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "architecture": "transformer"}))
    with pytest.raises(ModelError, match="is a 'transformer'"):
        read_card(path)


def test_card_with_a_standard_deviation_of_nothing_is_refused(tiny_model: Model) -> None:
    with pytest.raises(ModelError, match="needs mpp above 0"):
        replace(tiny_model[0], std=(0.0, 1.0, 1.0))
