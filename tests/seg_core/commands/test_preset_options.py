"""The presets on the command line."""

import argparse

import pytest

from seg_core.commands import analysis_options
from seg_core.commands.analysis_options import (
    add_analysis_options,
    add_engine_options,
    analysis_settings,
    engine_settings,
)
from seg_core.settings import PRESETS, AnalysisSettings


def asked(*words: str) -> AnalysisSettings:
    parser = argparse.ArgumentParser()
    add_analysis_options(parser)
    parser.set_defaults(parser=parser)
    return analysis_settings(parser.parse_args(words))


@pytest.fixture(params=[True, False])
def int8(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(analysis_options, "suits_int8", lambda _card: request.param)
    return request.param


def test_without_a_preset_settings_are_as_ever() -> None:
    assert asked() == AnalysisSettings()
    assert asked("--tile", "512", "--no-tissue") == AnalysisSettings(tile_px=512, tissue_only=False)


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_says_what_it_stands_for(name: str, int8: bool) -> None:
    expected = PRESETS[name].applied(AnalysisSettings(stain="macenko"), int8=int8)
    assert asked("--preset", name, "--stain", "macenko") == expected


def test_single_options_overrule_a_preset_wherever_they_stand(int8: bool) -> None:
    after = asked("--preset", "best", "--views", "2", "--precision", "fp32")
    before = asked("--precision", "fp32", "--views", "2", "--preset", "best")
    assert after == before == AnalysisSettings(tile_px=512, views=2, precision="fp32")


def test_torch_never_gets_integers_by_a_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis_options, "suits_int8", lambda _card: True)
    assert asked("--preset", "fast").precision == "int8"
    assert asked("--preset", "fast", "--engine", "torch").precision == "auto"


def test_a_command_keeps_the_precision_it_is_used_to() -> None:
    parser = argparse.ArgumentParser()
    add_engine_options(parser, precision="fp32")
    parser.set_defaults(parser=parser)
    assert engine_settings(parser.parse_args([])).precision == "fp32"
    assert engine_settings(parser.parse_args(["--preset", "best"])).precision == "fp32"
    assert engine_settings(parser.parse_args(["--precision", "bf16"])).precision == "bf16"


def test_wrong_options_end_with_2_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        asked("--preset", "fast", "--overlap", "320")
    assert ended.value.code == 2
    assert "cannot be blended" in capsys.readouterr().err
