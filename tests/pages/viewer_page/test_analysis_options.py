from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import singletons, state
from pages.shared.analyses import Analyses
from pages.viewer_page import analysis_options
from seg_core.model import ModelCard
from seg_core.model.card import MODEL_VARIABLE
from seg_core.model.int8 import Int8Graph
from seg_core.settings import PRESETS, AnalysisSettings, PresetName
from seg_core.unbroken import unbroken

MPP = 0.25
Visit = Callable[..., AppTest]


class WaitingJob:
    progress, stopping = None, False

    def cancel(self) -> None:
        raise AssertionError("nobody stops it")

    def done(self) -> bool:
        return False


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[AnalysisSettings]:
    """Return the settings of every analysis that a worker was asked for; none is done."""
    settings: list[AnalysisSettings] = []

    class Worker:
        def submit(self, _act: object, **arguments: Any) -> WaitingJob:
            settings.append(arguments["settings"])
            return WaitingJob()

    monkeypatch.setattr(singletons, "analyses", lambda: Analyses(Worker))  # type: ignore[arg-type]
    return settings


@pytest.mark.parametrize(
    ("change", "weights", "offered"),
    [(-0.002, "abc", True), (-0.006, "abc", False), (-0.002, "of others", False)],
)
def test_8_bit_integers_are_offered_where_they_were_measured_to_lose_little(
    visit: Visit,
    slide_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[AnalysisSettings],
    change: float,
    weights: str,
    offered: bool,
) -> None:
    graph = Int8Graph("m-int8.xml", "0", weights, metrics={"mpq_plus_change": change})
    card = ModelCard("m", "m.safetensors", "abc", "none", 0.25, (0.5,) * 3, (0.5,) * 3, int8=graph)
    monkeypatch.setattr(analysis_options, "find_model", lambda _name: (card, Path("m")))
    page = visit("viewer", slide=state.ChosenSlide(slide_path, MPP))
    assert ("8-bit integers" in page.sidebar.segmented_control(key="_precision").options) == offered
    page.sidebar.segmented_control(key="_preset").set_value("fast").run()
    analyse_slide(page)
    assert asked == [AnalysisSettings(tile_px=512, precision="int8" if offered else "auto")]


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_is_asked_for_and_single_options_overrule_it(
    visit: Visit, slide_path: Path, asked: list[AnalysisSettings], name: PresetName
) -> None:
    page = visit("viewer", slide=state.ChosenSlide(slide_path, MPP))
    page.sidebar.segmented_control(key="_preset").set_value(name).run()
    words = [each.value for each in page.sidebar.caption]
    assert any(each.startswith(unbroken(PRESETS[name].words.capitalize())) for each in words)
    analyse_slide(page)
    preset = PRESETS[name].applied(AnalysisSettings(), int8=True)
    assert asked == [preset]
    page = visit("viewer", slide=state.ChosenSlide(slide_path, MPP))
    page.sidebar.segmented_control(key="_preset").set_value(name).run()
    page.sidebar.segmented_control(key="_tile_px").set_value(1024).run()
    page.sidebar.segmented_control(key="_precision").set_value("fp32").run()
    analyse_slide(page)
    assert asked[-1] == replace(preset, tile_px=1024, precision="fp32")


def test_what_is_chosen_is_what_the_analysis_is_asked_for(
    visit: Visit, slide_path: Path, asked: list[AnalysisSettings]
) -> None:
    page = visit("viewer", slide=state.ChosenSlide(slide_path, MPP))
    page.sidebar.segmented_control(key="_tile_px").set_value(512).run()
    page.sidebar.segmented_control(key="_views").set_value(4).run()
    page.sidebar.selectbox(key="_stain").set_value("macenko").run()
    page.sidebar.toggle(key="_quality").set_value(False).run()
    page.sidebar.toggle(key="_tissue_only").set_value(False).run()
    assert page.sidebar.toggle(key="_quality").disabled
    analyse_slide(page)
    assert asked == [
        AnalysisSettings(tile_px=512, views=4, stain="macenko", tissue_only=False, quality=False)
    ]


def test_another_model_can_be_chosen_and_has_no_graph_in_integers_of_the_first(
    visit: Visit, slide_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    submitted: list[dict[str, Any]] = []

    class Worker:
        def submit(self, _act: object, **arguments: Any) -> WaitingJob:
            submitted.append(arguments)
            return WaitingJob()

    monkeypatch.setattr(singletons, "analyses", lambda: Analyses(Worker))  # type: ignore[arg-type]
    page = visit("viewer", slide=state.ChosenSlide(slide_path, MPP))
    model = page.sidebar.selectbox(key="_model")
    assert model.value == "nuclei-lite0"
    page.sidebar.segmented_control(key="_preset").set_value("fast").run()
    page.sidebar.selectbox(key="_model").select("nuclei-resnet18").run()
    precisions = page.sidebar.segmented_control(key="_precision").options
    assert "8-bit integers" not in precisions
    analyse_slide(page)
    assert submitted[0]["model"] == "nuclei-resnet18"
    assert submitted[0]["settings"] == AnalysisSettings(tile_px=512)


def analyse_slide(page: AppTest) -> None:
    next(each for each in page.sidebar.button if each.label == "Analyse slide").click().run()
