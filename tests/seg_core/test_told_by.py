"""What libraries and Python say of a damaged file becomes a sentence for a person."""

import struct
import zipfile
from pathlib import Path
from pickle import UnpicklingError

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seg_core.errors import SlideError, quoted, told_by
from seg_core.files.names import listed
from seg_core.model.network import read_weights
from seg_core.slide import open_slide
from tests.fuzz.mirax import write_mirax


@given(st.text())
def test_what_is_told_is_one_printable_line_of_bounded_length(text: str) -> None:
    told = told_by(ValueError(text))
    assert told.isprintable()
    assert 0 < len(told) < 200


@pytest.mark.parametrize(
    "error",
    [
        AttributeError("'int' object has no attribute 'name'"),
        TypeError("'NoneType' object is not subscriptable"),
        KeyError("zarr"),
        struct.error("unpack requires a buffer of 4 bytes"),
        UnpicklingError("Weights only load failed. \x1b[1mdo those steps only if you trust"),
        ValueError(""),
    ],
)
def test_words_about_the_program_are_not_told(error: Exception) -> None:
    assert told_by(error) == "what stands in it makes no sense"


@given(st.lists(st.text()))
def test_names_of_a_file_are_quoted_printable_and_not_all_of_it(names: list[str]) -> None:
    assert listed(names).isprintable()
    assert len(listed(names)) <= 202


def test_a_checkpoint_that_is_none_is_refused_without_advice_for_programmers(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.pt"
    path.write_bytes(b"\x80\x02cposix\nsystem\nq\x00.")
    with pytest.raises(Exception, match=r"cannot be read as weights \(what stands in it") as caught:
        read_weights(path)
    assert str(caught.value).isprintable()


def test_torch_says_nothing_of_its_own_about_a_damaged_checkpoint(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    """A byte that says the pickle's protocol had torch warn on the terminal."""
    path = tmp_path / "a.pt"
    torch.save({"model_state": {"a.weight": torch.ones(2)}}, path)
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(tmp_path / "b.pt", "w") as other:
        for name in whole.namelist():
            part = whole.read(name)
            other.writestr(name, b"\x80\x22" + part[2:] if name.endswith("data.pkl") else part)
    read_weights(tmp_path / "b.pt")
    assert not recwarn.list


def test_a_line_of_any_length_that_openslide_quotes_stays_a_sentence(tmp_path: Path) -> None:
    """OpenSlide quotes the line of a MIRAX' facts that it cannot read, whatever its length."""
    path = write_mirax(tmp_path / "a.mrxs")
    facts = tmp_path / "a" / "Slidedat.ini"
    facts.write_text(f"{facts.read_text('utf-8')}{'q' * 5000}\n", "utf-8")
    with pytest.raises(SlideError) as caught:
        open_slide(path)
    assert len(str(caught.value)) < 400
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Couldn't seek file /srv/my slides/a/Index.dat: odd", "Couldn't seek file Index.dat: odd"),
        (r"no such file 'C:\slides\a.svs'", "no such file 'a.svs'"),
        ("tile 3/4 of https://example.org/a/b", "tile 3/4 of https://example.org/a/b"),
    ],
)
def test_where_a_file_lies_is_not_told(words: str, told: str) -> None:
    assert told_by(ValueError(words)) == told


def test_what_the_system_says_is_told_without_its_number() -> None:
    assert told_by(OSError(22, "Invalid argument", "/srv/a.pt")) == "Invalid argument"


@given(st.one_of(st.text(), st.binary(), st.lists(st.text())))
def test_what_is_quoted_is_printable_and_not_all_of_it(value: object) -> None:
    assert quoted(value).isprintable()
    assert len(quoted(value)) <= 62
