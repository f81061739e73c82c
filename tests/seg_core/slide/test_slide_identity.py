import re

import pytest

from seg_core.errors import SlideError
from seg_core.slide import identity, is_identity, slide_id, slides_among
from seg_core.slide.identity import earlier_slide_id


def test_an_id_is_the_stem_and_sixteen_hex_digits(svs):
    assert re.fullmatch(r"cmu_small_region-[0-9a-f]{16}", slide_id(svs))


def test_the_id_follows_the_content_not_the_place(tmp_path, svs):
    copy = tmp_path / "copy.svs"
    copy.write_bytes(svs.read_bytes())
    assert slide_id(copy) == slide_id(svs).replace("cmu_small_region", "copy")


@pytest.mark.parametrize("place", [0, 500_000, 999_999])
def test_a_byte_at_head_middle_or_tail_changes_the_id(tmp_path, place):
    path = tmp_path / "a.tif"
    content = bytearray(1_000_000)
    path.write_bytes(content)
    before = slide_id(path)
    content[place] = 1
    path.write_bytes(content)
    assert slide_id(path) != before


def test_the_length_changes_the_id(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(bytes(1_000_000))
    before = slide_id(path)
    path.write_bytes(bytes(1_000_001))
    assert slide_id(path) != before


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Fall 12/3: HE", "3_HE"),
        ("../../etc/passwd", "passwd"),
        ("größe µ", "größe_µ"),
        ("病人甲", "病人甲"),
        ("...", "slide"),
        ("x" * 140, "x" * 120),
        ("病" * 70, "病" * 40),
    ],
)
def test_a_name_is_made_safe_for_a_folder(tmp_path, name, safe):
    path = tmp_path / f"{name.rsplit('/', maxsplit=1)[-1]}.png"
    path.write_bytes(b"anything")
    assert slide_id(path).rpartition("-")[0] == safe


def test_the_companion_folder_of_a_mirax_slide_counts(tmp_path):
    path = tmp_path / "a.mrxs"
    path.write_bytes(b"head")
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "Data0000.dat").write_bytes(b"one")
    before = slide_id(path)
    (folder / "Data0000.dat").write_bytes(b"two")
    assert slide_id(path) != before


def test_a_dicom_slide_has_one_id_by_whichever_file(shared_data):
    folder = shared_data / "slides" / "dicom_cmu_small"
    ids = {slide_id(file) for file in folder.iterdir()}
    assert len(ids) == 1
    assert re.fullmatch(r"dicom_cmu_small-[0-9a-f]{16}", ids.pop())


def test_a_dicom_file_that_is_no_slide_has_an_id_of_its_own(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(128) + b"DICM" + b"nothing more")
    assert re.fullmatch(r".+-[0-9a-f]{16}", slide_id(path))


def test_a_missing_file_has_no_id(tmp_path):
    with pytest.raises(SlideError, match=r"there is no file gone\.svs"):
        slide_id(tmp_path / "gone.svs")


def test_two_slides_that_differ_between_the_pieces_once_sampled_have_two_ids(shared_cases):
    one, other = sorted((shared_cases / "equal-fingerprint").glob("*.tif"))
    assert earlier_slide_id(one) == earlier_slide_id(other)
    digests = {slide_id(path).rpartition("-")[2] for path in (one, other)}
    assert len(digests) == 2
    assert slide_id(one).startswith(one.stem)


@pytest.mark.parametrize("place", [1, 70_000, 1_234_567, 2_999_998])
def test_any_byte_of_a_file_changes_the_id(tmp_path, place):
    path = tmp_path / "a.bin"
    content = bytearray(3_000_000)
    path.write_bytes(content)
    before = slide_id(path)
    content[place] = 1
    path.write_bytes(content)
    assert slide_id(path) != before


def test_pieces_of_a_large_file_are_hashed_all_over_it(tmp_path, monkeypatch, svs):
    monkeypatch.setattr(identity, "_WHOLE_BYTES", 100_000)
    monkeypatch.setattr(identity, "_PIECE_BYTES", 1024)
    path = tmp_path / "a.svs"
    path.write_bytes(svs.read_bytes())
    before = slide_id(path)
    content = bytearray(svs.read_bytes())
    seen = 0
    for place in range(50_000, len(content) - 50_000, 100_000):
        changed = bytearray(content)
        changed[place : place + 5000] = bytes(5000)
        path.write_bytes(changed)
        seen += slide_id(path) != before
    assert seen == len(range(50_000, len(content) - 50_000, 100_000))


def test_an_id_of_an_earlier_version_still_names_its_slide(svs):
    assert earlier_slide_id(svs) == "cmu_small_region-a4f186678846"
    assert is_identity(svs, earlier_slide_id(svs))
    assert is_identity(svs, slide_id(svs))
    assert not is_identity(svs, "cmu_small_region-000000000000")


def test_two_series_in_one_folder_are_two_slides(shared_cases):
    folder = shared_cases / "two-dicom-series"
    found = slides_among(folder.iterdir())
    assert [path.name for path in found] == ["A0.dcm", "B0.dcm"]
    ids = {path.name: slide_id(path) for path in folder.glob("*.dcm")}
    assert len({each for name, each in ids.items() if name.startswith("A")}) == 1
    assert len(set(ids.values())) == 2


def test_strays_of_the_system_are_no_slides(tmp_path, svs):
    for name in (".DS_Store", "._a.svs", "Thumbs.db", "desktop.ini", "notes.txt", "number"):
        (tmp_path / name).write_bytes(b"anything")
    for name in ("a.svs", "B.SVS"):
        (tmp_path / name).write_bytes(svs.read_bytes())
    assert [path.name for path in slides_among(tmp_path.iterdir())] == ["a.svs", "B.SVS"]


def test_a_dicom_file_without_suffix_is_listed(shared_cases, tmp_path):
    for name in ("A0.dcm", "B0.dcm"):
        content = (shared_cases / "two-dicom-series" / name).read_bytes()
        (tmp_path / name.removesuffix(".dcm")).write_bytes(content)
    assert [path.name for path in slides_among(tmp_path.iterdir())] == ["A0", "B0"]
