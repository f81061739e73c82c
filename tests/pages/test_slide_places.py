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
        peer = named.pop("peer", None)
        monkeypatch.setattr(st, "get_option", {"server.address": address}.get)
        monkeypatch.setattr(st, "context", SimpleNamespace(headers=named, ip_address=peer))

    return pretend


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_reader_at_this_machine_is_local(visitor, host: str) -> None:
    visitor("localhost", Origin=f"http://{host}:8501", Host=f"{host}:8501")
    assert slide_places.reader_is_local()


HERE = {"Origin": "http://localhost:8501", "Host": "localhost:8501"}


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        (None, HERE),
        ("0.0.0.0", HERE),
        ("localhost", {}),
        ("localhost", {"Host": "localhost:8501"}),
        ("localhost", {**HERE, "Origin": "https://slides.example.org"}),
        ("localhost", {**HERE, "X_Forwarded_For": "203.0.113.9"}),
        ("localhost", {**HERE, "X_Forwarded_Proto": "https"}),
        ("localhost", {**HERE, "peer": "203.0.113.9"}),
        # a proxy on this machine that says nothing of itself, asked by somebody who forges an Origin
        ("localhost", {**HERE, "Host": "slides.example.org"}),
        # a page whose own name has been made to lead to this machine (DNS rebinding)
        ("localhost", {"Origin": "http://evil.example:8501", "Host": "evil.example:8501"}),
        # a page that another program of this machine serves
        ("localhost", {**HERE, "Origin": "http://localhost:3000"}),
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


def test_two_dicom_slides_of_equal_names_are_kept_apart(tmp_path: Path) -> None:
    """The second slide's files went where the first had no file of that name, and were torn apart."""
    other = ONE_SERIES.replace(b"1.2\0", b"1.3\0")
    saved = [
        save(f"{number}.dcm", content + bytes([number]), tmp_path)
        for content in (ONE_SERIES, other)
        for number in range(2 if content == ONE_SERIES else 3)
    ]
    assert [len({path.parent for path in saved[at]}) for at in (slice(2), slice(2, 5))] == [1, 1]
    assert len(slide_places.slides_in(tmp_path)) == 2
    assert save("0.dcm", ONE_SERIES + bytes(1), tmp_path) == saved[0]


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SlideError, match="there is no folder"):
        slide_places.slides_in(tmp_path / "nowhere")


def test_an_upload_is_written_once_and_stays_in_its_folder(tmp_path: Path) -> None:
    path = save("../../C:\\x\\slide.svs", b"slide", tmp_path)
    assert path == tmp_path / "slide.svs"
    assert path.read_bytes() == b"slide"
    assert save("slide.svs", b"slide", tmp_path) == path


def test_of_two_uploads_of_one_name_the_content_decides(tmp_path: Path) -> None:
    first = save("slide.svs", b"slide", tmp_path)
    second = save("slide.svs", b"other", tmp_path)
    longer = save("slide.svs", b"longer", tmp_path)
    assert [each.read_bytes() for each in (first, second, longer)] == [
        b"slide",
        b"other",
        b"longer",
    ]
    assert second == tmp_path / "2" / "slide.svs"
    assert save("slide.svs", b"other", tmp_path) == second


@pytest.mark.parametrize(
    ("case", "names"),
    [("uploads-of-one-name", ("one", "two")), ("hostile/same-name-upload", ("red", "blue"))],
)
def test_both_uploads_of_a_case_are_kept(
    shared_cases: Path, tmp_path: Path, case: str, names: tuple[str, str]
) -> None:
    files = [next((shared_cases / case / name).iterdir()) for name in names]
    assert files[0].name == files[1].name
    assert files[0].stat().st_size == files[1].stat().st_size
    saved = [save(file.name, file.read_bytes(), tmp_path) for file in files]
    assert [path.read_bytes() for path in saved] == [file.read_bytes() for file in files]


def save(name: str, content: bytes, folder: Path) -> Path:
    return slide_places.save_upload(name, len(content), io.BytesIO(content), folder, has_room)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/..", "a\0.png", "a\n.png", "\udce9.png", "x" * 201 + ".png", "\u202e.png"],
)
def test_a_name_that_cannot_be_kept_is_refused_in_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        SlideError, match="a name that cannot be kept here; rename the file"
    ) as error:
        save(name, b"slide", tmp_path)
    assert str(error.value).isprintable()
    assert not list(tmp_path.iterdir())


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match=r"the disk that holds .* is full"):
        slide_places.save_upload("slide.svs", 5, Broken(b"slide"), tmp_path, has_room)
    assert not list(tmp_path.iterdir())


def test_links_out_of_an_offered_folder_are_not_followed(tmp_path: Path) -> None:
    offered, outside = tmp_path / "offered", tmp_path / "outside"
    for folder in (offered / "sub", outside / "scan"):
        folder.mkdir(parents=True)
    (outside / "secret.svs").touch()
    (outside / "scan" / "Slidedat.ini").touch()
    (offered / "own.svs").touch()
    (offered / "own link.svs").symlink_to(offered / "own.svs")
    (offered / "link.svs").symlink_to(outside / "secret.svs")
    (offered / "folder").symlink_to(outside)
    (offered / "scan.mrxs").touch()
    (offered / "scan").symlink_to(outside / "scan")
    found = [path.name for path in slide_places.slides_in(offered, inside_only=True)]
    assert found == ["own link.svs", "own.svs"]
    assert len(slide_places.slides_in(offered)) == 5


@pytest.mark.parametrize("typed", ["x" * 5000, "a\0b"])
def test_a_folder_that_cannot_be_is_one_sentence(typed: str) -> None:
    with pytest.raises(SlideError, match=r"there is no folder|cannot be read"):
        slide_places.slides_in(slide_places.folder_typed(typed))


def test_the_home_of_nobody_is_one_sentence() -> None:
    with pytest.raises(SlideError, match="names the home of somebody unknown"):
        slide_places.folder_typed("~nobody-of-this-name/slides")


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
