from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import analysis_options, resources, state
from seg_core.model import ModelCard
from seg_core.model.int8 import Int8Graph
from seg_core.settings import AnalysisSettings

MPP = 0.25
Visit = Callable[..., AppTest]


@pytest.mark.parametrize(
    ("change", "weights", "offered"),
    [(-0.002, "abc", True), (-0.006, "abc", False), (-0.002, "of others", False)],
)
def test_fast_is_offered_where_it_was_measured_to_lose_little(
    visit: Visit,
    slide_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: float,
    weights: str,
    offered: bool,
) -> None:
    graph = Int8Graph("m-int8.xml", "0", weights, metrics={"mpq_plus_change": change})
    card = ModelCard("m", "m.safetensors", "abc", "none", 0.25, (0.5,) * 3, (0.5,) * 3, int8=graph)
    monkeypatch.setattr(analysis_options, "find_model", lambda _name: (card, Path("m")))
    submitted: list[dict[str, object]] = []

    class Job:
        progress = None

        def done(self) -> bool:
            return False

    class Worker:
        def submit(self, _act: object, **arguments: object) -> Job:
            submitted.append(arguments)
            return Job()

    monkeypatch.setattr(resources, "worker", Worker)
    page = visit("viewer", slide=state.ChosenSlide(slide_path, MPP))
    assert [each.label for each in page.sidebar.toggle if each.key == "_fast"] == (
        ["Fast (8-bit)"] if offered else []
    )
    if offered:
        page.sidebar.toggle(key="_fast").set_value(True).run()
    page.sidebar.segmented_control(key="_tile_px").set_value(512).run()
    next(each for each in page.sidebar.button if each.label == "Analyse slide").click().run()
    precision = "int8" if offered else "auto"
    assert submitted[0]["settings"] == AnalysisSettings(tile_px=512, precision=precision)
