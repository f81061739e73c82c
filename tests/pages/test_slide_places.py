import io
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st

from pages.shared import slide_places
from seg_core.errors import SlideError, StoreError


def has_room(size: int) -> None:
    """A store with room for everything."""


@pytest.fixture
def visitor(monkeypatch: pytest.MonkeyPatch):
    """Pretend where the server listens and what the browser says of itself."""

    def pretend(address: str | None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        monkeypatch.setattr(st, "get_option", {"server.address": address}.get)
        monkeypatch.setattr(st, "context", SimpleNamespace(headers=named))

    return pretend


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_reader_at_this_machine_is_local(visitor, host: str) -> None:
    visitor("localhost", Origin=f"http://{host}:8501")
    assert slide_places.reader_is_local()


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (None, {"Origin": "http://localhost:8501"}),
        ("0.0.0.0", {"Origin": "http://localhost:8501"}),
        ("localhost", {}),
        ("localhost", {"Origin": "https://slides.example.org"}),
        ("localhost", {"Origin": "http://localhost", "X_Forwarded_For": "203.0.113.9"}),
    ],
)
def test_everybody_else_is_not(visitor, address: str | None, headers: dict[str, str]) -> None:
    visitor(address, **headers)
    assert not slide_places.reader_is_local()


@pytest.mark.parametrize(("said", "local"), [("1", True), ("0", False)])
def test_the_environment_has_the_last_word(visitor, monkeypatch, said: str, local: bool) -> None:
    visitor("localhost" if said == "0" else None, Origin="http://localhost")
    monkeypatch.setenv("SEG_LOCAL", said)
    assert slide_places.reader_is_local() is local


# As a DICOM file begins, with one element: the series that it belongs to.
ONE_SERIES = bytes(128) + b"DICM" + b"\x20\x00\x0e\x00UI\x04\x001.2\0"


def test_a_folder_lists_slides_and_a_dicom_series_once(tmp_path: Path) -> None:
    for name in ("b.SVS", "a.png", "notes.txt", "scan/1.dcm", "scan/2.dcm", "x/y/deep.svs"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ONE_SERIES)
    found = [path.relative_to(tmp_path).as_posix() for path in slide_places.slides_in(tmp_path)]
    assert found == ["a.png", "b.SVS", "scan/1.dcm"]


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match="there is no folder"):
        slide_places.slides_in(tmp_path / "nowhere")


def test_an_upload_is_written_once_and_stays_in_its_folder(tmp_path: Path) -> None:
    path = slide_places.save_upload(
        "../../C:\\x\\slide.svs", 5, io.BytesIO(b"slide"), tmp_path, has_room
    )
    assert path == tmp_path / "slide.svs"
    assert path.read_bytes() == b"slide"
    slide_places.save_upload("slide.svs", 5, io.BytesIO(b"other"), tmp_path, has_room)
    assert path.read_bytes() == b"slide"


def test_an_upload_that_lacks_its_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match="nothing without the folder beside it"):
        slide_places.save_upload("scan.mrxs", 1, io.BytesIO(b"x"), tmp_path, has_room)
    assert not list(tmp_path.iterdir())


def test_an_upload_without_room_is_not_begun(tmp_path: Path) -> None:
    def has_no_room(size: int) -> None:
        raise StoreError(f"no room for {size} bytes")

    with pytest.raises(StoreError, match="no room for 5 bytes"):
        slide_places.save_upload("slide.svs", 5, io.BytesIO(b"slide"), tmp_path, has_no_room)
    assert not list(tmp_path.iterdir())
