import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from seg_core.errors import SlideError
from seg_core.geometry import Region
from seg_core.slide import open_slide
from seg_core.slide.image import read_image
from seg_core.slide.jpeg import DAMAGED_NOTE, is_damaged
from seg_core.slide.png import ADAM7, check_data
from seg_core.slide.tiff import describe_tiff, read_tiff


def opened(path):
    """Return the picture and the pixel size that an image file is opened with."""
    slide = open_slide(path)
    info = slide.info
    return slide.read_level0(Region(0, 0, info.width, info.height), (info.width, info.height))


@pytest.fixture
def picture(noise):
    return noise[:40, :60]


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_an_rgb_image_keeps_its_pixels(tmp_path, picture, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(picture).save(path, **({"lossless": True} if suffix == "webp" else {}))
    slide = open_slide(path)
    assert (opened(path) == picture).all()
    assert (slide.info.vendor, slide.info.mpp, slide.info.objective_power) == (None, None, None)
    assert slide.associated_images() == {}
    slide.close()


def test_a_jpeg_keeps_its_colours(tmp_path):
    path = tmp_path / "a.jpg"
    Image.new("RGB", (40, 30), (180, 90, 160)).save(path, quality=95)
    assert np.abs(opened(path).astype(int) - (180, 90, 160)).max() <= 3


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_grey_is_scaled_to_8(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    values = np.array([[0, 128, 257 * 100, 65535]], dtype=np.uint16)
    Image.fromarray(values).save(path)
    assert opened(path).tolist() == [[[0] * 3, [0] * 3, [100] * 3, [255] * 3]]


def test_32_bit_values_that_fit_16_are_scaled_alike(tmp_path):
    path = tmp_path / "a.tif"
    Image.fromarray(np.array([[0, 257 * 100]], dtype=np.int32)).save(path)
    assert opened(path)[0, :, 0].tolist() == [0, 100]


def test_grey_becomes_rgb(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.array([[0, 100, 255]], dtype=np.uint8)).save(path)
    assert opened(path).tolist() == [[[0] * 3, [100] * 3, [255] * 3]]


def test_black_and_white_becomes_rgb(tmp_path):
    path = tmp_path / "a.tif"
    Image.fromarray(np.array([[False, True]])).save(path)
    assert opened(path).tolist() == [[[0] * 3, [255] * 3]]


@pytest.mark.parametrize("suffix", ["png", "tif", "webp"])
def test_an_alpha_channel_goes_onto_white(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    rgba = np.array([[[200, 0, 0, 255], [200, 0, 0, 0], [200, 0, 0, 128]]], dtype=np.uint8)
    Image.fromarray(rgba).save(
        path, **({"lossless": True, "exact": True} if suffix == "webp" else {})
    )
    solid, clear, half = opened(path)[0].astype(int)
    assert solid.tolist() == [200, 0, 0]
    assert clear.tolist() == [255, 255, 255]
    assert np.abs(half - (227, 127, 127)).max() <= 1


def test_grey_with_alpha_goes_onto_white(tmp_path):
    path = tmp_path / "a.png"
    Image.merge("LA", [Image.new("L", (2, 2), 50), Image.new("L", (2, 2), 0)]).save(path)
    assert (opened(path) == 255).all()


def test_a_palette_is_looked_up_and_its_transparent_entry_is_white(tmp_path):
    path = tmp_path / "a.png"
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 0, 0])
    image.putpixel((1, 0), 1)
    image.save(path, transparency=1)
    assert opened(path).tolist() == [[[10, 20, 30], [255, 255, 255]]]


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_cmyk_is_converted(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    Image.new("CMYK", (16, 16), (0, 255, 0, 0)).save(path)
    assert np.abs(opened(path).astype(int) - (255, 0, 255)).max() <= 3


def test_a_cameras_orientation_is_followed(tmp_path, picture):
    path = tmp_path / "a.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(picture).save(path, exif=exif)
    assert (opened(path) == np.rot90(picture, -1)).all()


@pytest.mark.parametrize(
    ("suffix", "dpi", "mpp"),
    [
        ("png", 25_400 / 0.5, 0.5),
        ("png", 300, None),
        ("tif", 25_400 / 0.25, 0.25),
        ("tif", 72, None),
        ("jpg", 300, None),
        ("jpg", 96, None),
    ],
)
def test_resolution_counts_only_where_a_microscope_can_have_it(tmp_path, picture, suffix, dpi, mpp):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(picture).save(path, dpi=(dpi, dpi))
    own = open_slide(path).info.mpp
    assert own == (mpp and pytest.approx(mpp, rel=1e-3))
    assert open_slide(path, mpp=0.7).info.mpp == 0.7
    assert open_slide(path, unstated_mpp=0.7).info.mpp == own or 0.7


def test_a_resolution_of_zero_is_unknown(tmp_path, picture):
    path = tmp_path / "a.tif"
    Image.fromarray(picture).save(path, dpi=(0, 0))
    assert open_slide(path).info.mpp is None


def test_floating_point_pixels_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    Image.fromarray(np.zeros((4, 4), dtype=np.float32)).save(path)
    with pytest.raises(
        SlideError, match=r"a\.tif holds values of type float32, .*; save it as RGB or grey"
    ):
        open_slide(path)


def test_values_beyond_16_bits_are_refused(tmp_path):
    path = tmp_path / "a.tif"
    Image.fromarray(np.full((4, 4), 70_000, dtype=np.int32)).save(path)
    with pytest.raises(SlideError, match=r"a\.tif holds values of 32 bits"):
        open_slide(path)


@pytest.mark.parametrize(
    ("suffix", "read"),
    [
        ("png", lambda path: read_image(path, "PNG")),
        ("tif", lambda path: read_tiff(path, describe_tiff(path))),
    ],
)
def test_an_image_too_large_for_memory_is_refused_before_it_is_decoded(
    tmp_path, picture, monkeypatch, suffix, read
):
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(picture).save(path)
    monkeypatch.setattr("seg_core.slide.picture.MOST_IMAGE_PX", 2000)
    with pytest.raises(SlideError, match=r"too large to be held in memory.*pyramidal, tiled TIFF"):
        read(path)


def test_an_image_that_this_machine_cannot_hold_now_is_refused(tmp_path, picture, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(picture).save(path)
    monkeypatch.setattr("seg_core.slide.picture.spare_memory", lambda: 10_000)
    with pytest.raises(SlideError, match="this machine has not enough memory left"):
        read_image(path, "PNG")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
def test_a_truncated_image_is_refused(tmp_path, noise, suffix):
    whole = tmp_path / f"whole.{suffix}"
    Image.fromarray(noise).save(whole)
    content = whole.read_bytes()
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SlideError, match=r"cut\.\w+ cannot be read .*damaged or incomplete"):
        open_slide(path)


_JPEGS = [
    *({}, {"progressive": True}, {"restart_marker_rows": 1}, {"subsampling": 2, "quality": 95}),
    {"optimize": True},
]


def jpeg_of(noise, mode="RGB", **how):
    content = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(content, "JPEG", **how)
    return content.getvalue()


@pytest.mark.parametrize("how", _JPEGS, ids=lambda how: " ".join(how) or "plain")
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_whose_data_end_early_is_told(tmp_path, noise, mode, how):
    """It has a proper end, so it was opened without a word, and its lower half was grey."""
    content = jpeg_of(noise, mode, **how)
    path = tmp_path / "a.jpg"
    for told, data in (
        ((), content),
        ((), content[:-2] + b"\0\0" + content[-2:] + b"more"),  # what stands after all of it
        ((DAMAGED_NOTE,), content[: len(content) * 3 // 5] + b"\xff\xd9"),
        ((DAMAGED_NOTE,), content[: len(content) // 2] + content[len(content) * 3 // 5 :]),
    ):
        path.write_bytes(data)
        assert open_slide(path).info.notes == told


def test_where_nothing_confines_a_decoder_its_words_are_not_listened_to(
    tmp_path, noise, monkeypatch
):
    """Others write to the standard error output of the same process."""
    content = jpeg_of(noise)
    path = tmp_path / "a.jpg"
    path.write_bytes(content[: len(content) * 3 // 5] + b"\xff\xd9")
    assert is_damaged(path)
    monkeypatch.setattr("seg_core.slide.jpeg.CAN_CONFINE", False)
    assert not is_damaged(path)


def declaring(content, height):
    """Return a PNG that says to have other rows than it has, with a checksum that is right."""
    header = content[12:20] + struct.pack(">I", height) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_that_holds_fewer_rows_than_it_says_is_refused(tmp_path, noise, mode):
    picture = Image.fromarray(noise)
    if mode == "I;16":
        picture = Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    content = io.BytesIO()
    (picture if mode == "I;16" else picture.convert(mode)).save(content, "PNG")
    rows = len(noise)
    path = tmp_path / "a.png"
    path.write_bytes(declaring(content.getvalue(), rows))
    assert open_slide(path).info.height == rows
    for more in (rows + 1, 10 * rows):
        path.write_bytes(declaring(content.getvalue(), more))
        with pytest.raises(
            SlideError, match=r"a\.png cannot be read \(its data end before the pic"
        ):
            open_slide(path)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (2, 5), (3, 3), (8, 9), (17, 30)])
def test_an_interlaced_png_is_whole_where_its_seven_pictures_are(tmp_path, noise, size, channels):
    width, height = size
    pixels = np.dstack([noise, noise[..., :1]])[:height, :width, :channels]
    path = tmp_path / "a.png"
    # the filters of all scanlines are none: a zero before the bytes
    passes = [
        b"".join(b"\0" + row.tobytes() for row in pixels[top::down, left::across] if row.size)
        for left, top, across, down in ADAM7
    ]
    path.write_bytes(interlaced(size, channels, b"".join(passes)))
    with Image.open(path) as image:
        assert (np.asarray(image).reshape(pixels.shape) == pixels).all()
    check_data(path)
    path.write_bytes(interlaced(size, channels, b"".join(passes)[:-1]))
    with pytest.raises(SlideError, match="its data end before the picture does"):
        check_data(path)


def interlaced(size, channels, scanlines):
    """Return an interlaced PNG of 8 bits a channel."""
    header = struct.pack(">IIBBBBB", *size, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(scanlines)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def test_a_compressed_tiff_whose_directory_is_missing_is_refused(tmp_path, noise):
    whole = tmp_path / "whole.tif"
    Image.fromarray(noise).save(whole, compression="tiff_lzw")
    content = whole.read_bytes()
    path = tmp_path / "cut.tif"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SlideError, match="it ends too early"):
        open_slide(path)


def test_of_several_pictures_the_first_is_taken(tmp_path, picture):
    path = tmp_path / "a.tif"
    Image.fromarray(picture).save(path, save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert (opened(path) == picture).all()


def test_a_bigtiff_is_opened(tmp_path, picture):
    path = tmp_path / "a.tif"
    Image.fromarray(picture).save(path, big_tiff=True)
    assert (opened(path) == picture).all()
