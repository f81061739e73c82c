"""Masks that somebody brings are numbers, read where they can do no harm."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from seg_core.errors import SlideError
from seg_core.labelled.layouts import read_labels
from seg_core.slide import read_label_image

NUMBERS = np.arange(12, dtype=np.uint16).reshape(3, 4) * 300


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_png_is_read_as_numbers(tmp_path: Path, kind: type) -> None:
    path = tmp_path / "a.png"
    values = (NUMBERS % 256).astype(kind)
    Image.fromarray(values).save(path)
    found = read_label_image(path)
    assert found.dtype == np.int32
    assert np.array_equal(found, values)


@pytest.mark.parametrize("kind", ["u1", "<u2", ">u2", "<u4", "<i4", ">i4"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_a_tiff_of_any_numbers_is_read(tmp_path: Path, kind: str, compression: str | None) -> None:
    path = tmp_path / "a.tif"
    values = (NUMBERS % 256).astype(kind)
    tifffile.imwrite(path, values, compression=compression, byteorder=">" if ">" in kind else "<")
    assert np.array_equal(read_label_image(path), values)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "few-bits.png"])
def test_of_a_palette_the_numbers_are_read_and_not_the_colours(tmp_path: Path, name: str) -> None:
    """QuPath's labels were refused as PNG, and read as TIFF."""
    values = (np.arange(12, dtype=np.uint8) % 7).reshape(3, 4)
    image = Image.fromarray(values).convert("L")
    image.putpalette([255, 255, 255, 200, 0, 0, 200, 0, 0, *range(12)])
    image.save(tmp_path / name, **({"bits": 4} if "bits" in name else {}))
    with Image.open(tmp_path / name) as written:
        assert written.mode == "P"
    assert np.array_equal(read_label_image(tmp_path / name), values)
    if name.endswith(".png"):  # what training reads
        assert np.array_equal(read_labels(tmp_path / name), values)


@pytest.mark.parametrize("palette", [False, True])
def test_a_mask_that_lacks_rows_is_refused(tmp_path: Path, palette: bool) -> None:
    """What was missing was read as no nucleus."""
    image = Image.fromarray(np.random.default_rng(0).integers(1, 9, (99, 99), np.uint8))
    if palette:
        image.putpalette(list(range(27)))
    path = tmp_path / "a.png"
    image.save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SlideError, match="damaged"):
        read_label_image(path)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((3, 4, 3), np.uint8), "one channel of whole numbers"),
        (np.zeros((3, 4), np.float32), "one channel of whole numbers"),
        (np.full((3, 4), -1, np.int32), "has numbers from -1 to -1"),
        (np.full((3, 4), 2**32 - 1, np.uint32), "number its nuclei from 1 to"),
    ],
)
def test_what_is_no_mask_is_one_sentence(tmp_path: Path, values: np.ndarray, words: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, values)
    with pytest.raises(SlideError, match=words):
        read_label_image(path)


def test_other_kinds_are_refused_whatever_their_name(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (8, 8)).save(path, format="JPEG")
    with pytest.raises(SlideError, match="is a JPEG file by its content"):
        read_label_image(path)
    path.write_text("%!PS-Adobe-3.0\n{} loop\n")
    with pytest.raises(SlideError, match="is neither a slide"):
        read_label_image(path)


def test_a_mask_of_a_thousand_megapixels_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        whole = name + body
        return struct.pack(">I", len(body)) + whole + struct.pack(">I", zlib.crc32(whole))

    path = tmp_path / "a.png"
    rows = zlib.compress(bytes(32_001) * 100, 9)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 32_000, 32_000, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", rows + bytes(120_000))
        + chunk(b"IEND", b"")
    )
    with pytest.raises(SlideError, match="too large to be held in memory"):
        read_label_image(path)
