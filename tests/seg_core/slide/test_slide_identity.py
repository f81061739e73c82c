import re

import pytest

from seg_core.errors import SlideError
from seg_core.slide import slide_id


def test_an_id_is_the_stem_and_twelve_hex_digits(svs):
    assert re.fullmatch(r"cmu_small_region-[0-9a-f]{12}", slide_id(svs))


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
        ("größe µ", "gr_e"),
        ("...", "slide"),
        ("x" * 120, "x" * 80),
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
    assert re.fullmatch(r"dicom_cmu_small-[0-9a-f]{12}", ids.pop())


def test_a_dicom_file_that_is_no_slide_has_an_id_of_its_own(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(bytes(128) + b"DICM" + b"nothing more")
    assert re.fullmatch(r".+-[0-9a-f]{12}", slide_id(path))


def test_a_missing_file_has_no_id(tmp_path):
    with pytest.raises(SlideError, match=r"gone\.svs cannot be read"):
        slide_id(tmp_path / "gone.svs")
