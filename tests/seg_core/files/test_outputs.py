"""Nothing but what is written here is ever written over."""

import os
from pathlib import Path

import pytest

from seg_core.errors import ExportError
from seg_core.files.atomic import new_file, new_folder, new_text_file
from seg_core.files.outputs import json_spelled_out, refuse_inputs


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        (["--json", "a.png", "b.png"], ["--json=-", "a.png", "b.png"]),
        (["a.png", "--json"], ["a.png", "--json=-"]),
        (["--json", "f.json", "a.png"], ["--json=f.json", "a.png"]),
        (["--json", "F.JSON", "a.png"], ["--json=F.JSON", "a.png"]),
        (["--json", "-", "a.png"], ["--json=-", "a.png"]),
        (["--json", "--mpp", "1", "a.png"], ["--json=-", "--mpp", "1", "a.png"]),
        (["--json=a.png", "b.png"], ["--json=a.png", "b.png"]),
        (["--", "--json", "a.png"], ["--", "--json", "a.png"]),
        (["--json", "--json", "f.json"], ["--json=-", "--json=f.json"]),
    ],
)
def test_json_takes_only_the_name_of_a_json_file(given, spelled) -> None:
    assert json_spelled_out(given) == spelled


def test_a_link_is_written_through(tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "l.csv"
    target.write_text("old\n")
    link.symlink_to("target.csv")
    with new_text_file(link, force=True) as file:
        file.write("new\n")
    assert link.is_symlink()
    assert target.read_text() == "new\n"


def test_stdout_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file called - was written, where somebody meant to pipe it."""
    monkeypatch.chdir(tmp_path)
    for writes in (
        new_text_file(Path("-"), force=False),
        new_folder(Path("-"), replaceable=lambda _: True, force=True),
    ):
        with pytest.raises(ExportError, match="- is no name of a file"):
            writes.__enter__()
    assert not list(tmp_path.iterdir())


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "p.csv"
    os.mkfifo(pipe)
    with pytest.raises(ExportError) as caught, new_file(pipe, force=True):
        pass
    assert str(caught.value) == (
        f"{pipe} is a pipe, a device or the like and is not written over; give the name of a file."
    )
    assert pipe.is_fifo()


def test_a_device_is_not_replaced() -> None:
    with (
        pytest.raises(ExportError, match="is a pipe, a device"),
        new_file(Path("/dev/null"), force=True),
    ):
        pass
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [
        (b"id,x\n", b"id,y\n", True),
        (b"", b"id,y\n", True),
        (b"\x89PNG\r\n\x1a\n", b"id,y\n", False),
        (b"II*\0rest", b'{"a": 1}', False),
        (b'{"a": 1}', b'{"b": 2}', True),
        (b"#!/bin/sh\n", b'{"b": 2}', False),
        (b"\x00\x01\x02\xff\xfe", b"id,y\n", False),
        ("größe,x\n".encode(), b"id,y\n", True),
    ],
)
def test_only_a_file_of_the_same_kind_is_replaced(tmp_path, before, after, replaced) -> None:
    path = tmp_path / "a.out"
    path.write_bytes(before)

    def write() -> None:
        with new_file(path, force=True) as temporary:
            temporary.write_bytes(after)

    if replaced:
        write()
        assert path.read_bytes() == after
    else:
        with pytest.raises(ExportError, match=r"and is not replaced; give another name\.$"):
            write()
        assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_input_is_no_output_by_whatever_name(tmp_path: Path) -> None:
    slide, link = tmp_path / "a.png", tmp_path / "b.png"
    slide.touch()
    link.symlink_to(slide)
    refuse_inputs([tmp_path / "new.png"], [slide])
    for output in (slide, link, tmp_path / "." / "a.png"):
        with pytest.raises(ExportError, match="is read by this command and would be written over"):
            refuse_inputs([output], [slide])


def test_two_outputs_are_not_one_file_by_whatever_names(tmp_path: Path) -> None:
    """The second was written over the first, and both were said to be written."""
    new, link = tmp_path / "new.csv", tmp_path / "link.csv"
    link.symlink_to(new)
    refuse_inputs([new, tmp_path / "other.csv"], [])
    for other in (new, link, tmp_path / "." / "new.csv"):
        for there in (False, True):
            if there:
                new.touch()
            with pytest.raises(ExportError, match=r"is to hold two things.*a name of its own\.$"):
                refuse_inputs([new, other], [])
            new.unlink(missing_ok=True)
