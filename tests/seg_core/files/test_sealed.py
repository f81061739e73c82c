"""What a disk has damaged counts as not there."""

import json
from pathlib import Path

import pytest

from seg_core.files.sealed import SEAL, read_object, read_sealed, write_sealed

CONTENT = {
    "nuclei": 12,
    "names": ("a", "µ"),
    "share": 0.1,
    "none": None,
    "by id": {7: float("nan")},
}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    write_sealed(path, CONTENT)
    kept = read_sealed(path)
    assert kept is not None
    assert kept.pop("by id").keys() == {"7"}
    assert kept == {"nuclei": 12, "names": ["a", "µ"], "share": 0.1, "none": None}


@pytest.mark.parametrize("place", range(0, 180, 7))
def test_any_changed_byte_is_noticed(tmp_path: Path, place: int) -> None:
    path = tmp_path / "kept.json"
    write_sealed(path, CONTENT)
    content = bytearray(path.read_bytes())
    place %= len(content)
    content[place] ^= 1
    path.write_bytes(content)
    changed = read_sealed(path) or json.loads(json.dumps(CONTENT))
    # a byte of the word before the checksum itself, or between the entries, says nothing
    kept = {name: changed[name] for name in CONTENT}
    assert json.dumps(kept) == json.dumps(CONTENT), content


def test_what_an_earlier_version_wrote_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.write_text('{"nuclei": 12}')
    assert read_sealed(path) == {"nuclei": 12}
    assert SEAL not in path.read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "null", "[" * 100_000, "\ufffd"])
def test_what_is_no_object_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kept.json"
    path.write_text(text, "utf-8")
    assert read_object(path) is None
    assert read_sealed(tmp_path / "missing.json") is None
