"""Texts of others are refused before they fill the memory."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from seg_core.annotations import read_rois
from seg_core.errors import DataError, RegionError, TeachingError
from seg_core.files import bounded
from seg_core.files.bounded import bound_texts, parse_json
from seg_core.geometry import Region
from seg_core.labelled.slide_reference import read_slide_reference
from seg_core.slide import SlideInfo
from seg_core.teaching.labels import read_marks

INFO = SlideInfo(
    *(Path("a.svs"), 500, 500, 0.25, (1.0,), None, None, Region(0, 0, 500, 500)),
)


@pytest.fixture
def bound() -> Iterator[None]:
    bound_texts(20_000_000)
    yield
    bound_texts(bounded._USUAL)


@pytest.mark.parametrize("piece", [b"{},", b"[],", b"1,", b'"",', b"[[1]],", b'{"a":1},'])
def test_short_pieces_that_become_large_objects_are_counted(bound: None, piece: bytes) -> None:
    text = b"[" + piece * (3_000_000 // len(piece)) + b"0]"
    with pytest.raises(ValueError, match="more than can be kept in memory"):
        parse_json(text)


def test_an_ordinary_text_is_read(bound: None) -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": [1, 2.5, "b"]}') == {"a": [1, 2.5, "b"]}


@pytest.mark.parametrize("packed", [False, True])
def test_a_drawing_that_would_fill_the_memory_is_one_sentence(
    bound: None, tmp_path: Path, packed: bool
) -> None:
    text = b'{"features": [' + b"{}," * 1_000_000 + b"{}]}"
    path = tmp_path / ("a.geojson.gz" if packed else "a.geojson")
    path.write_bytes(gzip.compress(text) if packed else text)
    sentence = "it holds more than can be kept in memory here"
    with pytest.raises(RegionError, match=sentence):
        read_rois(path)
    with pytest.raises(DataError, match=sentence):
        read_slide_reference(path, INFO, 0.25)
    with pytest.raises(TeachingError, match=sentence):
        read_marks(path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "x,y,class\n" + "1,1,a\n" * 100_000),
        ("a.csv", "x,y,class\r" + "1,1,a\r" * 100_000),
        ("a.xml", "<Annotations>" + "<a/>" * 200_000 + "</Annotations>"),
    ],
)
def test_tables_and_xml_too(bound: None, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, "ascii", newline="")
    with pytest.raises(DataError, match="it holds more than can be kept in memory here"):
        read_slide_reference(path, INFO, 0.25)


def test_a_cell_of_any_length_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y,class\n1,1,{}\n".format("a" * 200_000))
    with pytest.raises(TeachingError, match="cannot be read as CSV"):
        read_marks(path)
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_slide_reference(path, INFO, 0.25)
