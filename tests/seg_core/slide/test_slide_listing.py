"""Which files of a folder are slides: each once, whatever it is called, and nothing else."""

import io
import os
import shutil
import struct
from pathlib import Path

import pytest

from seg_core.cohort.plan import read_plan
from seg_core.slide import may_have_id, open_slide, series_apart, slide_id, slides_below
from seg_core.slide.dicom import series_in
from seg_core.slide.listing import files_of_series
from tests.files_found import files_found

EXPLICIT, IMPLICIT = b"1.2.840.10008.1.2.1", b"1.2.840.10008.1.2"
ENDLESS = 0xFFFFFFFF


def padded(text: bytes) -> bytes:
    return text + b"\0" * (len(text) % 2)


def element(group: int, number: int, kind: bytes, value: bytes, *, implicit: bool = False) -> bytes:
    head = struct.pack("<HH", group, number)
    if implicit:
        return head + struct.pack("<I", len(value)) + value
    if kind in (b"SQ", b"OB", b"UN"):
        return head + kind + bytes(2) + struct.pack("<I", len(value)) + value
    return head + kind + struct.pack("<H", len(value)) + value


def sequence(group: int, number: int, inside: bytes, *, endless: bool, implicit: bool) -> bytes:
    if not endless:
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inside)) + inside
        return element(group, number, b"SQ", item, implicit=implicit)
    head = struct.pack("<HH", group, number) + (b"" if implicit else b"SQ\0\0")
    return (
        head
        + struct.pack("<I", ENDLESS)
        + struct.pack("<HHI", 0xFFFE, 0xE000, ENDLESS)
        + inside
        + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    )


def dicom(series: bytes, *, syntax: bytes = EXPLICIT, endless: bool = False) -> bytes:
    """Return a file that refers to other series before, and after, it says its own."""
    implicit = syntax == IMPLICIT
    others = element(0x0020, 0x000E, b"UI", padded(b"9.9.9"), implicit=implicit)
    nested = sequence(0x0008, 0x1199, others, endless=endless, implicit=implicit)
    return (
        bytes(128)
        + b"DICM"
        + element(0x0002, 0x0010, b"UI", padded(syntax))
        + element(0x0008, 0x0016, b"UI", padded(b"1.2.3"), implicit=implicit)
        + sequence(0x0008, 0x1115, nested + others, endless=endless, implicit=implicit)
        + element(0x0009, 0x0010, b"UN", bytes(70_000), implicit=implicit)
        + element(0x0020, 0x000D, b"UI", padded(b"9.9.9"), implicit=implicit)
        + (element(0x0020, 0x000E, b"UI", padded(series), implicit=implicit) if series else b"")
        + sequence(0x0040, 0xA375, others, endless=endless, implicit=implicit)
    )


@pytest.mark.parametrize("endless", [False, True])
@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT])
def test_the_series_is_the_files_own_and_not_one_that_it_refers_to(
    syntax: bytes, endless: bool
) -> None:
    for series in (b"1.2.3.45", b"1.2.3.456", b""):
        found = series_in(io.BytesIO(dicom(series, syntax=syntax, endless=endless)))
        assert found == series.decode()


@pytest.mark.parametrize("cut", [132, 140, 150, 200, 70_000])
def test_a_file_that_ends_too_early_has_no_series(cut: int) -> None:
    assert series_in(io.BytesIO(dicom(b"1.2.3.45")[:cut])) == ""


def test_elements_without_end_are_given_up() -> None:
    nothing = element(0x0008, 0x0016, b"UI", b"") * 100_000
    assert series_in(io.BytesIO(bytes(128) + b"DICM" + nothing)) == ""


def test_files_that_refer_to_one_series_are_of_two_slides(tmp_path: Path) -> None:
    for name, series in (("a0", b"1.1"), ("a1", b"1.1"), ("b0", b"1.2"), ("b1", b"1.2")):
        (tmp_path / f"{name}.dcm").write_bytes(dicom(series))
    found = slides_below(tmp_path)
    assert [path.name for path in found] == ["a0.dcm", "b0.dcm"]
    assert {path.name for path in files_of_series(found[1])} == {"b0.dcm", "b1.dcm"}


def test_files_that_name_no_series_are_slides_of_their_own(tmp_path: Path) -> None:
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / name).write_bytes(dicom(b""))
    assert len(slides_below(tmp_path)) == 2
    assert files_of_series(tmp_path / "a.dcm") == [tmp_path / "a.dcm"]


@pytest.fixture(params=["{}.dcm", "{}.DCM", "{}.dicom", "{}", "1.2.840.10008.{}.7", "IM{}.0001"])
def two_series(request: pytest.FixtureRequest, shared_cases: Path, tmp_path: Path) -> Path:
    """Return a folder with two DICOM slides, their files named as archives name them."""
    folder = tmp_path / "case"
    folder.mkdir()
    for path in files_found(shared_cases / "two-dicom-series", "*.dcm"):
        shutil.copy(path, folder / request.param.format(path.stem))
    return folder


def test_two_series_of_any_names_are_two_slides_everywhere(two_series: Path) -> None:
    listed = slides_below(two_series)
    assert len(listed) == 2
    assert [item.slide for item in read_plan([two_series])] == listed
    every = sorted(two_series.iterdir())
    assert series_apart(every) == listed
    assert [item.slide for item in read_plan(every)] == listed
    ids = {slide_id(path) for path in every}
    assert len(ids) == 2
    assert ids == {slide_id(path) for path in listed}, "found again by whichever file"
    assert all(may_have_id(path, slide_id(path)) for path in every)
    for path in listed:
        with_own_files = open_slide(path)
        assert with_own_files.info.vendor == "dicom"
        with_own_files.close()


def test_a_table_that_names_two_files_of_one_slide_has_it_once(
    shared_cases: Path, tmp_path: Path
) -> None:
    for path in files_found(shared_cases / "two-dicom-series", "*.dcm"):
        shutil.copy(path, tmp_path)
    table = tmp_path / "plan.csv"
    table.write_text("slide\nA0.dcm\nB0.dcm\nA1.dcm\n")
    *once, again = read_plan([table])
    assert all(item.problem is None for item in once)
    assert again.problem is not None
    assert again.problem.startswith("A1.dcm is named 2 times; a cohort has each slide")


def test_a_slide_without_suffix_is_listed_by_its_content(tmp_path: Path, svs: Path) -> None:
    for name in ("scan", "scan.2024", "B.SVS"):
        shutil.copy(svs, tmp_path / name)
    (tmp_path / "History").write_bytes(b"SQLite format 3\0" + bytes(100))
    (tmp_path / "README").write_text("about")
    (tmp_path / "empty").touch()
    expected = ["B.SVS", "scan", "scan.2024"]
    assert [path.name for path in slides_below(tmp_path)] == expected
    assert [item.slide.name for item in read_plan([tmp_path])] == expected


def test_what_belongs_to_a_slide_or_a_system_is_none(tmp_path: Path, svs: Path) -> None:
    def lay(name: str) -> None:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(svs, tmp_path / name)

    for name in (
        *("._a.svs", ".Trash/a.svs", "__MACOSX/a.svs", "@eaDir/a.svs", "$RECYCLE.BIN/a.svs"),
        *("runs/a/1/run.json", "runs/a/1/maps.zarr/0/0", "runs/a/1/thumbnail.jpg"),
        *("run/maps.zarr/0/0", "b/picture.jpg", "c-0.jpg", "c-map.jpg", "deep/er/still/a.svs"),
    ):
        lay(name)
    (tmp_path / "b.mrxs").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "c.vms").write_text(
        "[Virtual Microscope Specimen]\nImageFile=c-0.jpg\nMapFile=c-map.jpg\n"
    )
    names = [path.relative_to(tmp_path).as_posix() for path in slides_below(tmp_path)]
    assert names == ["b.mrxs", "c.vms", "deep/er/still/a.svs"]
    near = [path.name for path in slides_below(tmp_path, levels=2)]
    assert near == ["b.mrxs", "c.vms"]


def test_links_are_followed_once_and_in_no_circle(tmp_path: Path, svs: Path) -> None:
    (tmp_path / "one").mkdir()
    shutil.copy(svs, tmp_path / "one" / "a.svs")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(svs, elsewhere / "b.svs")
    folder = tmp_path / "one"
    (folder / "up").symlink_to(folder)
    (folder / "there").symlink_to(elsewhere)
    (elsewhere / "back").symlink_to(folder)
    (folder / "itself.svs").symlink_to("itself.svs")
    (folder / "nowhere.svs").symlink_to("missing.svs")
    found = [path.relative_to(folder).as_posix() for path in slides_below(folder)]
    assert found == ["a.svs", "there/b.svs"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_passed_over(tmp_path: Path) -> None:
    for name in ("a.svs", "a.dcm", "a"):
        os.mkfifo(tmp_path / name)
    assert slides_below(tmp_path) == []
    assert series_apart([tmp_path / "a.dcm"]) == [tmp_path / "a.dcm"]


@pytest.mark.parametrize(
    "stem", ["x" * 140, "病" * 70, "Tumo\u0308rrand", "- _ -", "a  b", "größe µ", ".hidden."]
)
def test_a_slide_of_any_name_is_known_again_by_its_name(tmp_path: Path, stem: str) -> None:
    path = tmp_path / f"{stem}.png"
    path.write_bytes(b"anything")
    assert may_have_id(path, slide_id(path))
    assert not may_have_id(tmp_path / "other.png", slide_id(path))
