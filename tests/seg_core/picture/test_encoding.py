"""What a browser shows is what was painted."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from seg_core.classes import MONUSAC
from seg_core.picture.encoding import (
    CROP_QUALITY,
    TILE_QUALITY,
    encode_jpeg,
    encode_webp,
    jpeg_url,
)
from seg_core.picture.nucleus_painting import paint_classes


def stripes() -> np.ndarray:
    """Nuclei as narrow as two pixels, violet in pink."""
    rgb = np.full((32, 32, 3), (236, 180, 205), dtype=np.uint8)
    rgb[:, ::4] = rgb[:, 1::4] = (88, 55, 140)
    return rgb


@pytest.mark.parametrize("quality", [TILE_QUALITY, CROP_QUALITY])
def test_two_pixels_keep_their_colour_in_a_jpeg(quality: int) -> None:
    """The card of a nucleus once had colours at half the resolution, which blurred its rim."""
    file = io.BytesIO()
    Image.fromarray(stripes()).save(file, "JPEG", quality=quality)
    washed_out = colour_error(file.getvalue())
    assert colour_error(encode_jpeg(stripes(), quality=quality)) < 3 < washed_out


def colour_error(jpeg: bytes) -> float:
    """Return how far the colours (not the light) of a JPEG of the stripes are from theirs."""
    image = Image.open(io.BytesIO(jpeg))
    assert image.format == "JPEG"
    found, painted = (
        np.asarray(each.convert("YCbCr"), dtype=float)[..., 1:]
        for each in (image, Image.fromarray(stripes()))
    )
    return float(np.abs(found - painted).mean())


def test_a_jpeg_goes_into_a_page_as_an_address() -> None:
    kind, content = jpeg_url(stripes()).split(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(content) == encode_jpeg(stripes())


def test_a_lossless_webp_gives_the_picture_back() -> None:
    painted = paint_classes(np.arange(5, dtype=np.uint8)[None], MONUSAC, {1, 2, 3, 4})
    webp = Image.open(io.BytesIO(encode_webp(painted)))
    np.testing.assert_array_equal(np.asarray(webp), painted)
