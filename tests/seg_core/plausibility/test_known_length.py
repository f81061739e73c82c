"""The size of a pixel by a line whose length somebody knows."""

import pytest

from seg_core.errors import ResolutionError
from seg_core.plausibility import PixelSizeEstimate
from seg_core.plausibility.known_length import KnownLength

NUCLEI = PixelSizeEstimate(mpp=0.26, low=0.22, high=0.31, nuclei=412, places=6)


def test_a_pixel_is_the_length_by_its_pixels_with_the_doubt_of_the_ends() -> None:
    length = KnownLength(200.0, 100.0)
    assert length.mpp == 0.5
    assert "0.5 µm (0.495 to 0.5051" in length.in_words()


@pytest.mark.parametrize(
    ("px", "um", "sentence"),
    [
        (12.0, 3.0, "a line of 12 pixels is too short to go by; zoom in"),
        (float("nan"), 3.0, "too short to go by"),
        (400.0, 100_000.0, "a pixel cannot be 250 µm large"),  # 0.1 mm taken for 100 mm
        (400.0, 0.1, "a pixel cannot be 0.00025 µm large"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(px: float, um: float, sentence: str) -> None:
    with pytest.raises(ResolutionError, match=sentence):
        KnownLength(px, um)


@pytest.mark.parametrize(("stated", "told"), [(None, False), (0.25, False), (0.252, False)])
def test_what_the_file_says_alike_needs_no_words(stated: float | None, told: bool) -> None:
    assert (KnownLength(400.0, 100.0).beside_file(stated) is not None) is told


def test_what_differs_from_the_file_is_told_with_what_it_does_to_areas() -> None:
    told = KnownLength(400.0, 200.0).beside_file(0.25)
    assert told is not None
    assert "2 times the 0.25 µm" in told
    assert "every area would change 4 times" in told


def test_nuclei_speak_against_a_length_that_does_not_fit_them() -> None:
    assert KnownLength(400.0, 100.0).beside_nuclei(NUCLEI) is None
    told = KnownLength(400.0, 200.0).beside_nuclei(NUCLEI)
    assert told is not None
    assert "by their sizes a pixel is 0.22 to 0.31 µm" in told
