from dataclasses import replace
from typing import Any

import pytest

from seg_core.errors import SettingsError
from seg_core.settings import PRESETS, AnalysisSettings


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tile_px": 250}, "tile_px is 250; .* multiple of 32"),
        ({"overlap_px": -32}, "overlap_px is -32"),
        ({"overlap_px": 160}, "256 px with 160 px overlap cannot be blended"),
        ({"tile_px": 32, "overlap_px": 0}, "a tile of 32 px"),
        ({"views": 3}, "views is 3; give 1, 2, 4 or 8"),
        ({"min_nucleus_um2": -1.0}, "min_nucleus_um2 is -1.0"),
        ({"min_seed_um2": -1.0}, "min_seed_um2 is -1.0"),
        ({"growth_um": -1.0}, "growth_um is -1.0"),
        ({"max_extent_um": 0.0}, "max_extent_um is 0.0"),
        ({"min_nucleus_um2": float("nan")}, "min_nucleus_um2 is nan; give a number from 0 on"),
        ({"growth_um": float("inf")}, "growth_um is inf; give a number from 0 on"),
        ({"max_extent_um": float("nan")}, "max_extent_um is nan; give a number above 0"),
        ({"block_px": 100}, "block_px is 100"),
        ({"engine": "abacus"}, "engine is 'abacus'; choose one of auto, torch, openvino"),
        ({"stain": "vahadane"}, "stain is 'vahadane'; choose one of none, macenko, reinhard"),
        ({"precision": "fp8"}, "precision is 'fp8'; choose one of auto, fp32"),
    ],
)
def test_impossible_options_are_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        replace(AnalysisSettings(), **change)


def test_options_are_written_with_their_names() -> None:
    settings = AnalysisSettings(tile_px=512)
    assert AnalysisSettings(**settings.to_json()) == settings
    assert settings.stride_px == 448


def test_a_tile_that_no_memory_holds_is_refused_with_what_it_takes() -> None:
    AnalysisSettings(tile_px=4096)
    with pytest.raises(SettingsError) as refused:
        AnalysisSettings(tile_px=16384)
    assert str(refused.value) == (
        "a tile of 16,384 px takes some 21 GB of memory while the network works on it; give at most "
        "4,096. Larger tiles are no faster."
    )


def test_the_first_preset_is_what_settings_are_without_any() -> None:
    first = next(iter(PRESETS.values()))
    assert first.applied(AnalysisSettings(), int8=True) == AnalysisSettings()


@pytest.mark.parametrize("int8", [True, False])
def test_a_preset_leaves_what_it_says_nothing_of(int8: bool) -> None:
    settings = AnalysisSettings(stain="macenko", growth_um=2.0, precision="fp32")
    for name, preset in PRESETS.items():
        applied = preset.applied(settings, int8=int8)
        assert (applied.stain, applied.growth_um) == ("macenko", 2.0)
        assert applied.precision == ("int8" if int8 and name == "fast" else "fp32")
