from dataclasses import replace
from pathlib import Path

import pytest

from seg_core.errors import ModelError
from seg_core.model import ModelCard, engine_choice, make_engine, read_card, suits_int8, write_card
from seg_core.model.int8 import Int8Graph, checksum, read_int8
from seg_core.settings import AnalysisSettings

XML, CONSTANTS = b"<net/>", b"0123456789"


@pytest.fixture
def graph(tmp_path: Path) -> Int8Graph:
    (tmp_path / "m-int8.xml").write_bytes(XML)
    (tmp_path / "m-int8.bin").write_bytes(CONSTANTS)
    return Int8Graph("m-int8.xml", checksum(XML, CONSTANTS), weights_sha256="abc")


def test_a_graph_is_read_that_belongs_to_weights_and_card(graph: Int8Graph, tmp_path: Path) -> None:
    assert read_int8(graph, tmp_path / "m.safetensors", "abc") == (XML, CONSTANTS)


def test_a_model_without_one_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"m.safetensors has no graph in int8; .* quantise"):
        read_int8(None, tmp_path / "m.safetensors", "abc")


def test_a_graph_of_other_weights_is_refused(graph: Int8Graph, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"was made from other weights than m\.safetensors"):
        read_int8(graph, tmp_path / "m.safetensors", "abd")


@pytest.mark.parametrize("name", ["m-int8.xml", "m-int8.bin"])
def test_a_damaged_or_missing_file_is_refused(graph: Int8Graph, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ModelError, match="do not have the checksum that the card says"):
        read_int8(graph, tmp_path / "m.safetensors", "abc")
    file.unlink()
    with pytest.raises(ModelError, match=r"or its \.bin is missing beside m\.safetensors"):
        read_int8(graph, tmp_path / "m.safetensors", "abc")


@pytest.mark.parametrize(
    ("metrics", "keeps"),
    [
        ({"mpq_plus_change": -0.005}, True),
        ({"mpq_plus_change": 0.01}, True),
        ({"mpq_plus_change": -0.0051}, False),
        ({}, False),
    ],
)
def test_only_what_was_measured_to_lose_little_is_fast(
    graph: Int8Graph, metrics: dict[str, float], keeps: bool
) -> None:
    assert replace(graph, metrics=metrics).keeps_accuracy is keeps


def test_the_card_keeps_it(
    graph: Int8Graph, tiny_model: tuple[ModelCard, Path], tmp_path: Path
) -> None:
    card = replace(tiny_model[0], int8=replace(graph, metrics={"mpq_plus_change": -0.001}))
    write_card(card, tmp_path / "again.json")
    assert read_card(tmp_path / "again.json") == card


def test_torch_has_no_int8(tiny_model: tuple[ModelCard, Path]) -> None:
    with pytest.raises(ModelError, match="the engine torch has no int8"):
        make_engine(*tiny_model, AnalysisSettings(engine="torch", precision="int8"))


def test_integers_suit_a_graph_of_these_weights_that_loses_little_on_a_processor(
    graph: Int8Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    accurate = replace(graph, metrics={"mpq_plus_change": -0.002})
    card = ModelCard("m", "m.safetensors", "abc", "none", 0.25, (0.5,) * 3, (0.5,) * 3)
    monkeypatch.setattr(engine_choice, "_has_cuda", lambda: False)
    assert suits_int8(replace(card, int8=accurate))
    assert not suits_int8(card)
    assert not suits_int8(replace(card, int8=graph)), "nobody measured it"
    assert not suits_int8(replace(card, int8=replace(accurate, weights_sha256="abd")))
    monkeypatch.setattr(engine_choice, "find_spec", lambda _name: None)
    assert not suits_int8(replace(card, int8=accurate)), "without OpenVINO"
    monkeypatch.undo()
    monkeypatch.setattr(engine_choice, "_has_cuda", lambda: True)
    assert not suits_int8(replace(card, int8=accurate)), "a graphics card is faster"
