import pytest

from pages.shared.asked_number import check_number
from seg_core.errors import SettingsError


def test_a_number_beyond_its_bounds_is_refused_and_not_taken_for_none() -> None:
    """25 µm per pixel once started a cohort as if nothing had been typed."""
    with pytest.raises(SettingsError, match=r"µm per pixel is 25; give 0\.05 to 4, or leave it"):
        check_number("µm per pixel", 25.0, 0.05, 4.0)
    for fine in (None, 0.05, 4.0):
        check_number("µm per pixel", fine, 0.05, 4.0)
