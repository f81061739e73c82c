import pytest

from seg_core.errors import SettingsError
from seg_core.til import TilSettings


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"grid_um": 0.0}, "grid_um is 0; it must be above 0"),
        ({"near_um": (20.0, -1.0)}, "near_um is -1; it must be above 0"),
        ({"erosion_um": -1.0}, "erosion_um is -1 at a dilation of 20; give at least 0"),
        ({"erosion_um": 21.0}, "erosion_um is 21 at a dilation of 20"),
        ({"square_um": 300.0}, "square_um of 300 µm does not divide phenotype_square_um"),
        ({"finer_squares_um": (100.0, 40.0, 30.0)}, "finer_squares_um of 30 µm does not divide"),
        ({"grid_um": 3.0}, "grid_um of 3 µm does not divide square_um of 250 µm"),
        ({"min_square_tissue": 1.5}, "min_square_tissue is 1.5; a share is at most 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, float], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        TilSettings(**changes)  # type: ignore[arg-type]


def test_settings_stand_in_json() -> None:
    figures = TilSettings(erosion_um=0, seed=0).to_json()
    assert figures["dilation_um"] == 20
    assert figures["finer_squares_um"] == [100, 50]
