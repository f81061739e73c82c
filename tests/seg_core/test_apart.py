import pytest

from seg_core.apart import apart
from seg_core.errors import ResolutionError
from seg_core.plausibility.known_length import SHORTEST_PX, KnownLength


@pytest.mark.parametrize(
    ("numbers", "places", "written"),
    [
        ((0.734, 0.731), 2, ["0.734", "0.731"]),
        ((1.0, 0.99996), 2, ["1.00000", "0.99996"]),
        ((3.0, 1.0), 0, ["3", "1"]),
        ((0.5, 0.5), 1, ["0.5", "0.5"]),
        ((2.0, 2.0, 2.04), 1, ["2.00", "2.00", "2.04"]),
        ((1234.5, 1234.0), 0, ["1,234.5", "1,234.0"]),
    ],
)
def test_numbers_that_differ_are_written_so(
    numbers: tuple[float, ...], places: int, written: list[str]
) -> None:
    assert apart(*numbers, places=places) == written


def test_numbers_that_differ_in_their_last_bit_are_told_apart() -> None:
    """Such ends nowhere near nine decimals."""
    first, second = apart(0.1 + 0.2, 0.3)
    assert first != second


def test_a_line_that_is_hardly_too_short_is_not_told_as_long_as_is_needed() -> None:
    with pytest.raises(ResolutionError, match=r"a line of 19\.\d+ pixels .* at least 20\."):
        KnownLength(SHORTEST_PX - 0.04, 5.0)
