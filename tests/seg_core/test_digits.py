"""One rounding, in words and in the numbers of a table."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.digits import in_digits, to_digits


@given(st.floats(0, 1e9, allow_subnormal=False), st.integers(2, 5))
def test_a_table_rounds_as_words_do(value: float, digits: int) -> None:
    rounded = to_digits(pd.DataFrame({"density": [value, -value]}), digits)["density"]
    said = float(in_digits(value, digits).replace(",", ""))
    # a number half-way between two may be written as either
    assert rounded[0] == pytest.approx(said, rel=1.01 * 10 ** (1 - digits), abs=1e-300)
    assert rounded[1] == -rounded[0]
    assert float(in_digits(rounded[0], digits).replace(",", "")) == pytest.approx(rounded[0])


def test_few_nuclei_on_much_tissue_are_not_none() -> None:
    """A density of 0.12 was shown as 0 beside a count of twelve."""
    shown = to_digits(pd.DataFrame({"per mm²": [0.1234, 12.0, float("nan")]}))["per mm²"]
    assert shown[:2].tolist() == [0.123, 12.0]
    assert shown.isna().tolist() == [False, False, True]


@given(st.floats(1e-30, 1e30))
def test_no_number_is_a_power_of_ten(value: float) -> None:
    """A region of a few pixels had 4.98e-06 mm²."""
    said = in_digits(value)
    assert "e" not in said
    assert float(said.replace(",", "")) == pytest.approx(value, rel=0.006)
