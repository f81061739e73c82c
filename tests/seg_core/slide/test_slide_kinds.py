"""Files as other programs write them: read as they are meant, or refused in a sentence."""

import shutil
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from seg_core.errors import ResolutionError, SlideError
from seg_core.geometry import Region
from seg_core.slide import open_slide
from seg_core.slide.tiff import describe_tiff, read_tiff

DISCS = {
    *((40, 50), (120, 44), (205, 70), (60, 130), (150, 120)),
    *((228, 150), (35, 210), (110, 215), (190, 205)),
}


def picture_of(slide):
    info = slide.info
    return slide.read_level0(Region(0, 0, info.width, info.height), (info.width, info.height))


def discs_of(rgb):
    """Return the centres, (x, y), of what is darker than its ground."""
    grey = rgb.astype(float).mean(axis=2)
    labels, count = ndimage.label(grey < (grey.max() + grey.min()) / 2)
    centres = ndimage.center_of_mass(labels > 0, labels, range(1, count + 1))
    return {(round(x), round(y)) for y, x in centres}


@pytest.fixture
def case(shared_cases, tmp_path):
    """Copy a case and return the path of one of its files."""

    def copy(folder, name):
        shutil.copytree(shared_cases / folder, tmp_path / folder)
        return tmp_path / folder / name

    return copy


@pytest.mark.parametrize("name", ["bigtiff-bigendian", "jpeg2000", "jpegxl", "lerc", "png", "webp"])
def test_a_compression_that_openslide_and_pillow_lack_is_read(case, name):
    slide = open_slide(case("kinds-pillow-cannot-read", f"{name}.tif"))
    assert discs_of(picture_of(slide)) == DISCS
    assert slide.info.mpp == pytest.approx(0.5)


def test_values_without_agreed_colours_are_named(case):
    with pytest.raises(SlideError) as caught:
        open_slide(case("kinds-pillow-cannot-read", "float.tif"))
    assert str(caught.value) == (
        "float.tif holds values of type float32, which have no agreed colour; "
        "save it as RGB or grey of 8 or 16 bits."
    )


@pytest.mark.parametrize("name", ["kinds-pillow-cannot-read/jpegxl.tif", "notes.png"])
def test_libraries_say_nothing_of_their_own(shared_cases, tmp_path, capfd, name):
    source = shared_cases / name
    path = tmp_path / "a.tif"
    path.write_bytes(source.read_bytes()[:2000] if source.exists() else b"II*\0" + bytes(50))
    with pytest.raises(SlideError):
        open_slide(path)
    assert capfd.readouterr() == ("", "")


def test_the_pages_of_an_ome_tiff_are_its_colours(case):
    slide = open_slide(case("ome-one-page-a-channel", "cyx.ome.tif"))
    rgb = picture_of(slide)
    assert discs_of(rgb) == DISCS
    assert rgb[0, 0, 0] > rgb[0, 0, 1]  # pink, not grey


def test_channels_that_are_no_colours_are_refused(tmp_path):
    path = tmp_path / "four.ome.tif"
    tifffile.imwrite(path, np.zeros((4, 64, 64), np.uint8), metadata={"axes": "CYX"})
    with pytest.raises(SlideError, match=r"four\.ome\.tif has 4 channels, which are no red"):
        open_slide(path)


@pytest.mark.parametrize(
    "name", ["imagej.tif", "ome-mm.ome.tif", "ome-nm.ome.tif", "ome-um.ome.tif"]
)
def test_the_size_of_a_pixel_is_read_from_the_description(case, name):
    assert open_slide(case("pixel-size-in-the-description", name)).info.mpp == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("size", "unit"),
    [(0.5, "µm"), (0.5, "μm"), (5e3, "Å"), (5e-5, "cm"), (5e-4, "mm"), (500, "nm"), (5e-7, "m")],
)
def test_ome_gives_the_size_in_many_units(tmp_path, noise, size, unit):
    path = tmp_path / "a.ome.tif"
    said = {
        f"PhysicalSize{axis}{part}": value
        for axis in "XY"
        for part, value in (("", size), ("Unit", unit))
    }
    tifffile.imwrite(path, noise, photometric="rgb", metadata={"axes": "YXS", **said})
    assert open_slide(path).info.mpp == pytest.approx(0.5)


def test_a_tiled_ome_tiff_has_its_descriptions_pixel_size(tmp_path, noise):
    path = tmp_path / "a.ome.tif"
    said = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25, "PhysicalSizeXUnit": "µm"}
    tifffile.imwrite(
        path, noise, photometric="rgb", tile=(128, 128), metadata={"axes": "YXS", **said}
    )
    slide = open_slide(path)
    assert (slide.info.vendor, slide.info.mpp) == ("generic-tiff", 0.25)


TILES = pytest.mark.parametrize("tile", [None, (128, 128)], ids=["image", "slide"])
SIZED = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}


def sized(path, noise, tile, resolution, **described):
    """Write a TIFF that says how large a pixel is by its resolution (µm), or twice."""
    tifffile.imwrite(
        *(path, noise),
        photometric="rgb",
        tile=tile,
        resolution=tuple(1e4 / size for size in resolution),
        resolutionunit="CENTIMETER",
        metadata={"axes": "YXS", **SIZED, **described} if described else None,
    )
    return path


@TILES
def test_a_description_goes_before_the_resolution_and_the_difference_is_told(tmp_path, noise, tile):
    """Where the TIFF had tiles the resolution went before, and nobody was told."""
    said = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    info = open_slide(sized(tmp_path / "a.ome.tif", noise, tile, (0.25, 0.25), **said)).info
    assert info.mpp == pytest.approx(0.5)
    (note,) = info.notes
    assert note.startswith(
        "its description says that a pixel is 0.500 µm, its resolution 0.250 µm;"
    )
    info = open_slide(sized(tmp_path / "b.ome.tif", noise, tile, (0.505, 0.505), **said)).info
    assert (info.mpp, info.notes) == (pytest.approx(0.5), ())
    info = open_slide(sized(tmp_path / "c.ome.tif", noise, tile, (0.2, 0.4), **said)).info
    assert (info.mpp, info.notes) == (pytest.approx(0.5), ())


@TILES
def test_pixels_that_are_described_as_not_square_have_no_size_by_the_resolution(
    tmp_path, noise, tile
):
    said = {"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.25}
    info = open_slide(sized(tmp_path / "a.ome.tif", noise, tile, (0.25, 0.25), **said)).info
    assert info.mpp is None
    (note,) = info.notes
    assert "0.5 µm wide and 0.25 µm high" in note


@TILES
def test_that_pixels_are_not_square_is_told_once_and_where_a_size_is_taken_instead(
    tmp_path, noise, tile
):
    """A cohort's size for files that state none hid that the file states two."""
    path = sized(tmp_path / "a.tif", noise, tile, (0.5, 0.25))
    for asked, mpp in (({}, None), ({"unstated_mpp": 0.3}, 0.3)):
        info = open_slide(path, **asked).info
        assert info.mpp == mpp
        (note,) = info.notes
        assert "0.5 µm wide and 0.25 µm high" in note


def test_a_unit_that_is_not_understood_is_named(tmp_path, noise):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise, imagej=True, resolution=(2, 2), metadata={"unit": "furlong"})
    slide = open_slide(path)
    with pytest.raises(ResolutionError, match="'furlong', a unit that is not understood; give it"):
        slide.raster(0.25)


def test_pixels_that_are_not_square_have_no_size(case):
    path = case("pixels-not-square", "aniso.tif")
    slide = open_slide(path)
    assert slide.info.mpp is None
    with pytest.raises(ResolutionError) as caught:
        slide.raster(0.25)
    assert str(caught.value) == (
        "the pixel size of aniso.tif is not known: it says that a pixel is 0.5 µm wide and 0.25 µm "
        "high, and only square pixels can be measured: resample it to square pixels, or give the "
        "size of a pixel if the file errs; give it with --mpp, for instance --mpp 0.25 for a 40x "
        "scan, or in the field µm per pixel of the page."
    )
    assert open_slide(path, mpp=0.5).raster(0.5).downsample == 1.0


def test_a_turned_tiled_tiff_is_the_picture_that_was_turned(case):
    path = case("tiled-orientation", "plain.tif")
    plain = picture_of(open_slide(path))
    assert len(discs_of(plain)) >= 9
    for name in ("turned.tif", "striped.tif"):
        assert np.array_equal(picture_of(open_slide(path.with_name(name))), plain)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("tile", [None, (128, 128)])
def test_every_orientation_of_tiff_is_followed_as_pillow_does(tmp_path, noise, orientation, tile):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        *(path, noise),
        photometric="rgb",
        tile=tile,
        metadata=None,
        extratags=[(274, "H", 1, orientation, True)],
    )
    from PIL import ImageOps

    with Image.open(path) as image:
        exif = image.getexif()
        exif[0x0112] = orientation
        upright = Image.fromarray(noise)
        upright.getexif()[0x0112] = orientation
        upright = ImageOps.exif_transpose(upright)
    assert np.array_equal(picture_of(open_slide(path)), np.asarray(upright))


def test_twelve_bits_in_sixteen_are_read_as_twelve(case):
    slide = open_slide(case("values-of-12-bits", "twelve.tif"))
    rgb = picture_of(slide)
    assert discs_of(rgb) == DISCS
    assert rgb.max() > 200
    assert slide.info.notes == ("its values use 12 of 16 bits and are read as such.",)


@pytest.mark.parametrize("tile", [None, (128, 128)])
def test_a_fourth_sample_without_a_meaning_is_left_out(tmp_path, noise, tile):
    path = tmp_path / "a.tif"
    four = np.concatenate([noise, np.zeros_like(noise[..., :1])], axis=2)
    tifffile.imwrite(path, four, photometric="rgb", extrasamples=["unspecified"], tile=tile)
    assert np.array_equal(picture_of(open_slide(path)), noise)


def test_the_full_picture_is_taken_where_a_reduced_one_comes_first(tmp_path, noise):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for picture in (noise[::4, ::4], noise):
            file.write(picture, photometric="rgb", tile=(128, 128), metadata=None)
    slide = open_slide(path)
    assert np.array_equal(picture_of(slide), noise)
    assert slide.info.notes == ("of several pictures in the file the largest, or first, is shown.",)


def test_a_mirax_file_without_its_folder_is_no_slide(case):
    path = case("mrxs-without-folder", "case.mrxs")
    for mpp in (None, 0.5):
        with pytest.raises(SlideError) as caught:
            open_slide(path, mpp=mpp)
        assert str(caught.value) == (
            "case.mrxs is only a part of a slide: the folder case with its file Slidedat.ini is "
            "missing beside it; copy both into one folder, under the names that the scanner gave "
            "them."
        )


@pytest.mark.parametrize("mpp", [250, 0.00025, 0, -1, float("nan"), float("inf")])
def test_a_pixel_size_that_no_microscope_gives_is_refused(shared_cases, mpp):
    with pytest.raises(ResolutionError, match=r"a pixel cannot be .* µm large; give a number from"):
        open_slide(shared_cases / "json-takes-a-slide" / "a.png", mpp=mpp)


def png_of(path, values):
    import imagecodecs

    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(values)))
    return path


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("samples", ["RGB", "RGBA", "grey", "grey and alpha"])
def test_a_png_of_16_bits_is_read_by_the_range_that_it_uses(tmp_path, noise, bits, samples):
    """Pillow keeps the upper 8 bits of colours: a camera's 12 were next to black."""
    most = (1 << bits) - 1
    picture = noise[:40, :60].copy()
    picture[0, 0] = 255
    deep = (picture.astype(np.uint32) * most // 255).astype(np.uint16)
    opaque = np.full_like(deep[..., :1], 65_535)
    values = {
        "RGB": deep,
        "RGBA": np.concatenate([deep, opaque], axis=2),
        "grey": deep[..., 0],
        "grey and alpha": np.concatenate([deep[..., :1], opaque], axis=2),
    }[samples]
    slide = open_slide(png_of(tmp_path / "a.png", values))
    expected = picture if samples.startswith("RGB") else np.repeat(picture[..., :1], 3, axis=2)
    assert np.abs(picture_of(slide).astype(int) - expected).max() <= 1
    assert bool(slide.info.notes) == (bits < 16)


def test_what_is_clear_in_a_png_of_16_bits_is_white(tmp_path, noise):
    deep = np.zeros((8, 8, 4), np.uint16)
    assert (picture_of(open_slide(png_of(tmp_path / "a.png", deep))) == 255).all()


@pytest.mark.parametrize(
    "order", [("Red", "Green", "Blue"), ("B", "G", "R"), ("green", "blue", "red")]
)
def test_the_pages_of_an_ome_tiff_are_put_together_by_their_names(tmp_path, noise, order):
    path = tmp_path / "a.ome.tif"
    planes = np.stack([noise[..., "rgb".index(name[0].lower())] for name in order])
    tifffile.imwrite(path, planes, metadata={"axes": "CYX", "Channel": {"Name": list(order)}})
    slide = open_slide(path)
    assert np.array_equal(picture_of(slide), noise)
    assert slide.info.notes == ()


@pytest.mark.parametrize("names", [None, ["DAPI", "FITC", "Cy3"]])
def test_pages_that_do_not_say_that_they_are_colours_are_said_to_be_taken_so(
    tmp_path, noise, names
):
    path = tmp_path / "a.ome.tif"
    said = {} if names is None else {"Channel": {"Name": names}}
    tifffile.imwrite(path, np.moveaxis(noise, -1, 0), metadata={"axes": "CYX", **said})
    slide = open_slide(path)
    assert np.array_equal(picture_of(slide), noise)
    (note,) = slide.info.notes
    assert "taken as red, green and blue" in note
    assert names is None or "DAPI, FITC, Cy3" in note


@pytest.mark.parametrize("tile", [None, (128, 128)])
def test_of_several_ome_pictures_the_one_that_is_shown_gives_the_size(tmp_path, noise, tile):
    """That of the first was taken, an overview's, and nuclei were 64 times as large as they are."""
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as file:
        for picture, mpp in ((noise[:64, :64], 2.0), (noise, 0.25)):
            said = {f"PhysicalSize{axis}": mpp for axis in "XY"}
            file.write(picture, photometric="rgb", tile=tile, metadata={"axes": "YXS", **said})
    slide = open_slide(path)
    assert np.array_equal(picture_of(slide), noise)
    assert slide.info.mpp == 0.25


def test_of_several_ome_pictures_the_one_that_is_shown_names_its_channels_and_bits(tmp_path, noise):
    """The names of the first were asked, and blue was shown as red."""
    path = tmp_path / "a.ome.tif"
    planes = np.moveaxis(noise[..., ::-1], -1, 0).astype(np.uint16) * 16
    others = {"axes": "YX", "Channel": {"Name": ["label"]}, "SignificantBits": 16}
    said = {"axes": "CYX", "Channel": {"Name": ["Blue", "Green", "Red"]}, "SignificantBits": 12}
    with tifffile.TiffWriter(path, ome=True) as file:
        file.write(planes[0, :64, :64], photometric="minisblack", metadata=others)
        file.write(planes, photometric="minisblack", metadata=said)
    shown = picture_of(open_slide(path)).astype(int)
    assert np.abs(shown - noise).max() <= 1


@pytest.mark.parametrize(("size", "unit"), [(5e5, "pm"), (5e-6, "dm"), (0.5, None)])
def test_ome_gives_the_size_in_odd_units_too(tmp_path, noise, size, unit):
    path = tmp_path / "a.ome.tif"
    said = {f"PhysicalSize{axis}": size for axis in "XY"}
    said |= {f"PhysicalSize{axis}Unit": unit for axis in "XY" if unit}
    tifffile.imwrite(path, noise, photometric="rgb", metadata={"axes": "YXS", **said})
    assert open_slide(path).info.mpp == pytest.approx(0.5)


def ndpi(path, first, *, directories=1):
    """Write directories as Hamamatsu does, with places of 64 bits, and no pixels."""
    sides = (256, 257)  # width and height
    entries = [(tag, 3, 1, 4) for tag in sides] + [(258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 2)]
    entries += [(273, 4, 1, 100), (277, 3, 1, 3), (278, 3, 1, 4), (279, 4, 1, 48), (65420, 4, 1, 1)]
    size = 2 + 12 * len(entries) + 8 + 4 * len(entries)
    with path.open("wb") as file:
        file.write(b"II*\0" + struct.pack("<Q", first))
        for number in range(directories):
            place = first + number * size
            file.seek(place)
            following = place + size if number + 1 < directories else 0
            file.write(struct.pack("<H", len(entries)))
            file.write(b"".join(struct.pack("<HHII", *each) for each in entries))
            file.write(struct.pack("<Q", following) + bytes(4 * len(entries)))
    return path


@pytest.mark.parametrize("first", [1000, 2**32 + 1000])
def test_directories_of_ndpi_are_followed_beyond_four_gigabytes(tmp_path, first):
    """Their places were read as 32 bits: pixels were taken for directories, the scan for damaged."""
    path = ndpi(tmp_path / "a.ndpi", first, directories=2)
    if first > 2**32:
        with path.open("r+b") as file:  # pixels that read like a chain of very many directories
            file.seek(first % 2**32)
            chain = (struct.pack("<HI", 0, 1000 + 6 * number) for number in range(1, 20_100))
            file.write(b"".join(chain))
    assert describe_tiff(path).largest == (4, 4)


def test_ndpi_that_was_cut_off_is_refused(tmp_path):
    path = ndpi(tmp_path / "a.ndpi", 1000, directories=2)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 100)
    with pytest.raises(SlideError, match="it ends too early"):
        describe_tiff(path)


def test_a_tile_that_takes_gigabytes_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    tile = np.zeros((16, 16, 3), np.uint8)
    tifffile.imwrite(
        path, tile, photometric="rgb", tile=(16, 16), compression="zlib", metadata=None
    )
    with tifffile.TiffFile(path, mode="r+b") as file:
        tags = file.pages[0].tags
        for name in ("TileWidth", "TileLength", "ImageWidth", "ImageLength"):
            tags[name].overwrite(16_384 if name.startswith("Tile") else 1000)
    with pytest.raises(SlideError) as caught:
        open_slide(path)
    assert "a.tif" in str(caught.value)


def test_a_label_of_gigabytes_is_not_shown(tmp_path, svs):
    """The largest pictures beside the slide were decoded in the server's own process."""
    slide = open_slide(svs)
    largest = max(w * h for w, h in (each.size for each in slide.associated_images().values()))
    from seg_core.slide import scanned

    assert largest < scanned.MOST_ASSOCIATED_PX
    handle = slide._handle
    names = set(handle.associated_images)
    sizes = {n: int(handle.properties[f"openslide.associated.{n}.width"]) for n in names}
    widest = max(sizes, key=sizes.get)
    sides = [
        int(handle.properties[f"openslide.associated.{widest}.{s}"]) for s in ("width", "height")
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanned, "MOST_ASSOCIATED_PX", sides[0] * sides[1] - 1)
        assert widest not in slide.associated_images()


@pytest.mark.parametrize("axes", ["CYX", "ZCYX", "CZYX", "TCYX", "TZCYX"])
@pytest.mark.parametrize("tile", [None, (128, 128)])
def test_pages_of_stacks_are_colours_too(tmp_path, noise, axes, tile):
    path = tmp_path / "a.ome.tif"
    shape = tuple(2 if axis in "ZT" else 3 for axis in axes[:-2])
    planes = np.zeros((*shape, *noise.shape[:2]), np.uint8)
    for colour in range(3):
        first = tuple(colour if axis == "C" else 0 for axis in axes[:-2])
        planes[first] = noise[..., colour]
    tifffile.imwrite(path, planes, metadata={"axes": axes}, tile=tile, photometric="minisblack")
    assert np.array_equal(picture_of(open_slide(path)), noise)


def test_a_large_tiled_tiff_that_openslide_shows_wrongly_says_why(tmp_path, noise):
    path = tmp_path / "a.tif"
    tile = (noise[:256, :256].astype(np.uint16) * 16).copy()
    tifffile.imwrite(path, tile, photometric="rgb", tile=(256, 256), metadata=None)
    with tifffile.TiffFile(path, mode="r+b") as file:
        for name in ("ImageWidth", "ImageLength"):
            file.pages[0].tags[name].overwrite(11_000)
        for name in ("TileWidth", "TileLength"):  # so that one tile is all that it has to list
            file.pages[0].tags[name].overwrite(11_008)
    with pytest.raises(SlideError) as caught:
        open_slide(path)
    assert str(caught.value) == (
        "a.tif is a tiled TIFF of 121 megapixels, which OpenSlide does not read part by part (its "
        "values have 16 bits); save it as a pyramidal TIFF of RGB with 8 bits, upright, compressed "
        "as JPEG."
    )


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_of_12_bits_is_read(tmp_path, noise, orientation):
    import imagecodecs

    path = tmp_path / "a.jpg"
    picture = np.full((40, 60, 3), 200, np.uint8)
    picture[5:20, 10:30] = (90, 40, 120)
    picture[0:8, 0:8] = 255
    content = imagecodecs.jpeg8_encode(picture.astype(np.uint16) * 16, level=95, bitspersample=12)
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    path.write_bytes(
        content[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + content[2:]
    )
    slide = open_slide(path)
    expected = picture if orientation == 1 else np.rot90(picture, -1)
    assert np.abs(picture_of(slide).astype(int) - expected).mean() < 3
    assert slide.info.notes == ("its values use 12 bits and are read as such.",)


def test_a_jpeg_of_12_bits_that_declares_too_much_is_refused(tmp_path):
    import imagecodecs

    path = tmp_path / "a.jpg"
    content = imagecodecs.jpeg8_encode(np.zeros((40, 60, 3), np.uint16), bitspersample=12)
    at = content.index(b"\xff\xc1") if b"\xff\xc1" in content else content.index(b"\xff\xc0")
    path.write_bytes(content[: at + 5] + b"\xff\xf0\xff\xf0" + content[at + 9 :] + bytes(600_000))
    with pytest.raises(SlideError, match="too large to be held in memory"):
        open_slide(path)


def test_more_values_a_pixel_than_colours_and_masks_are_refused(tmp_path, noise):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.repeat(noise, 3, axis=2), photometric="rgb")
    with pytest.raises(SlideError, match=r"has 9 values a pixel, which are no red, green and blue"):
        open_slide(path)
    tifffile.imwrite(path, np.dstack([noise, noise]), photometric="rgb")
    assert (picture_of(open_slide(path)) == noise).all()


@pytest.mark.parametrize(
    "pieces", [{"tile": (64, 64)}, {"rowsperstrip": 16}], ids=lambda each: next(iter(each))
)
def test_pieces_that_a_tiff_lists_without_content_are_told(tmp_path, noise, pieces):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise, photometric="rgb", compression="zlib", **pieces)
    what = "Tile" if "tile" in pieces else "Strip"
    with tifffile.TiffFile(path, mode="r+b") as file:
        counts = file.pages[0].tags[f"{what}ByteCounts"]
        all_of_them = len(counts.value)
        counts.overwrite((0, *counts.value[1:]))
    described = describe_tiff(path)
    picture = read_tiff(path, described)
    assert f"1 of its {all_of_them} {what.lower()}s are missing and shown blank." in picture.notes
    assert (picture.rgb[-1, -1] == noise[-1, -1]).all()
    assert not picture.rgb[0, 0].any()
    with tifffile.TiffFile(path, mode="r+b") as file:
        file.pages[0].tags[f"{what}ByteCounts"].overwrite((0,) * all_of_them)
    with pytest.raises(SlideError, match="it lists its pixels and holds none"):
        read_tiff(path, describe_tiff(path))
