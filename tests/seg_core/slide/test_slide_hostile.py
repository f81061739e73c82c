"""Files that are made to mislead end in one sentence, and start nothing."""

import shutil

import numpy as np
import pytest
import tifffile
from PIL import Image

from seg_core.errors import SlideError
from seg_core.slide import open_slide, slide_id

EPS = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 5 5\n%%EndComments\n{} loop\n"


def sentence_of(path):
    with pytest.raises(SlideError) as caught:
        open_slide(path)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "svs", "mrxs", "dcm", "webp"])
def test_postscript_is_no_image_whatever_its_name(tmp_path, monkeypatch, suffix):
    started = []
    monkeypatch.setattr("subprocess.Popen", lambda *args, **_: started.append(args))
    path = tmp_path / f"a.{suffix}"
    path.write_text(EPS, "ascii")
    assert "is neither a slide" in sentence_of(path)
    assert started == []


@pytest.mark.parametrize("name", ["a.png", "big.png", "loop.png", "read.png"])
def test_the_postscript_files_are_refused(shared_cases, name):
    assert sentence_of(shared_cases / "hostile/eps-runs-ghostscript" / name) == (
        f"{name} is neither a slide that OpenSlide reads nor an ordinary image; "
        "choose an SVS, NDPI, MRXS, SCN, DICOM, TIFF, PNG, JPEG or WebP file."
    )


def test_a_key_file_named_as_an_image_is_refused(shared_cases):
    assert sentence_of(shared_cases / "hostile/vms-named-png/t.png") == (
        "t.png is a Hamamatsu VMS file by its content, which its name does not say; "
        "rename it to t.vms if that is what it is."
    )


def test_an_image_under_the_name_of_another_kind_is_refused(tmp_path, noise):
    path = tmp_path / "a.png"
    Image.fromarray(noise).save(path, format="JPEG")
    assert "a.png is a JPEG file by its content" in sentence_of(path)


@pytest.mark.parametrize("name", ["a", "a.PNG", "a.scan"])
def test_content_decides_where_the_name_says_nothing(tmp_path, noise, name):
    path = tmp_path / name
    Image.fromarray(noise).save(path, format="PNG")
    assert open_slide(path).info.width == noise.shape[1]


@pytest.mark.parametrize("named", ["../elsewhere.jpg", "/etc/passwd", "..\\elsewhere.jpg"])
def test_companion_files_lie_in_the_slides_own_folder(tmp_path, named):
    path = tmp_path / "t.vms"
    path.write_text(
        f"[Virtual Microscope Specimen]\nNoLayers=1\nNoJpegColumns=1\nNoJpegRows=1\n"
        f"ImageFile={named}\nMapFile=m.jpg\n",
        "ascii",
    )
    assert "outside its own folder" in sentence_of(path)


def test_a_key_file_names_what_is_missing(tmp_path):
    path = tmp_path / "t.vms"
    path.write_text("[Virtual Microscope Specimen]\nImageFile=a.jpg\n", "ascii")
    assert sentence_of(path).startswith(
        "t.vms is only a part of a slide: the file a.jpg is missing"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("png_gray1bit_268Mpx.png", "is an ordinary image of 268 megapixels, too large to be held"),
        ("tif_tiled_1Gpx.tif", "which its 49,596 bytes cannot hold"),
        ("webp_268Mpx.webp", "which its 38 bytes cannot hold"),
    ],
)
def test_a_bomb_is_refused_by_what_its_head_says(shared_cases, name, words):
    """None of its pixels is unpacked, which would take the memory and the time it is made for."""
    found = sentence_of(shared_cases / "hostile/bombs" / name)
    assert found.startswith(f"{name} ")
    assert words in found


@pytest.mark.parametrize("side", [32_768, 200_000])
def test_a_tiff_that_declares_far_more_than_it_holds_is_refused(tmp_path, side):
    """One tile is stored and named for every place."""
    path = tmp_path / "a.tif"
    tile = np.full((16, 16, 3), 200, np.uint8)
    tifffile.imwrite(path, tile, photometric="rgb", tile=(16, 16), metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for name in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[name].overwrite(side)
    assert f"says that it measures {side:,} × {side:,} pixels" in sentence_of(path)


def test_a_dicom_file_that_asks_for_gigabytes_is_refused(shared_cases, tmp_path):
    path = tmp_path / "0.dcm"
    shutil.copy(shared_cases / "hostile/fuzz-dicom/00-memory-/0.dcm", path)
    assert sentence_of(path).startswith("0.dcm ")


@pytest.fixture
def mirax(tmp_path):
    """Return a function that lays a Slidedat.ini beside a .mrxs file."""

    def make(ini):
        path = tmp_path / "a.mrxs"
        Image.new("RGB", (32, 32)).save(path, format="JPEG")
        (tmp_path / "a").mkdir()
        shutil.copy(ini, tmp_path / "a" / "Slidedat.ini")
        (tmp_path / "a" / "Index.dat").write_bytes(bytes(4096))
        return path

    return make


@pytest.mark.parametrize("case", ["00-crash-SIGABRT", "01-hang-"])
def test_a_mirax_slide_with_impossible_values_ends_no_process(shared_cases, mirax, case):
    path = mirax(shared_cases / "hostile/fuzz-mrxs" / case / "Slidedat.ini")
    assert sentence_of(path).startswith("a.mrxs ")


@pytest.mark.parametrize("name", ["..", "a\0b.png", "x" * 300 + ".png"])
def test_a_name_that_is_none_is_a_sentence(tmp_path, name):
    assert len(sentence_of(tmp_path / name)) < 400
    with pytest.raises(SlideError):
        slide_id(tmp_path / name)


def test_a_device_is_no_slide():
    from pathlib import Path

    assert sentence_of(Path("/dev/zero")) == (
        "zero is no regular file; choose one of the slide files."
    )


@pytest.mark.parametrize("name", ["ImageWidth", "ImageLength"])
def test_a_tiled_tiff_that_lists_fewer_tiles_than_its_size_needs_is_refused(tmp_path, name):
    """Two bytes of a width: OpenSlide drew 194 megapixels that are not there for 18 s."""
    path = tmp_path / "a.tif"
    rgb = np.full((90, 130, 3), 200, np.uint8)
    tifffile.imwrite(path, rgb, photometric="rgb", tile=(16, 16), metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags[name].overwrite(10_000)
    assert "tiles, and it lists" in sentence_of(path)


PIXELS_BEGIN = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0"


@pytest.fixture
def dicom_level(shared_data, tmp_path):
    """The largest file of a DICOM slide, beside its others, and where its table of frames begins."""
    folder = tmp_path / "slide"
    shutil.copytree(shared_data / "slides" / "dicom_cmu_small", folder)
    level = max(folder.glob("*.dcm"), key=lambda each: each.stat().st_size)
    table = level.read_bytes().index(PIXELS_BEGIN) + len(PIXELS_BEGIN) + 4
    return level, table


@pytest.mark.parametrize("frame", [0, 7, -1])
@pytest.mark.parametrize("shift", [-2, 2, 0x1000, 0x7000_0000])
def test_a_dicom_slide_with_a_frame_that_begins_elsewhere_is_refused(dicom_level, frame, shift):
    """OpenSlide, led into the middle of a frame, ended the process, the server's own."""
    level, table = dicom_level
    content = bytearray(level.read_bytes())
    frames = int.from_bytes(content[table - 4 : table], "little") // 4
    at = table + 4 * (frame % frames)
    offset = int.from_bytes(content[at : at + 4], "little")
    content[at : at + 4] = ((offset + shift) % 2**32).to_bytes(4, "little")
    level.write_bytes(content)
    for each in (level, next(each for each in level.parent.glob("*.dcm") if each != level)):
        with pytest.raises(SlideError, match="a frame of it does not begin where its table says"):
            open_slide(each)


def test_a_dicom_slide_without_a_table_of_frames_is_opened(dicom_level):
    """OpenSlide then looks for them itself."""
    level, table = dicom_level
    whole = open_slide(level).thumbnail(200)
    content = level.read_bytes()
    length = int.from_bytes(content[table - 4 : table], "little")
    level.write_bytes(content[: table - 4] + bytes(4) + content[table + length :])
    assert (np.asarray(open_slide(level).thumbnail(200)) == np.asarray(whole)).all()
