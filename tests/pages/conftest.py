"""A drawn slide, an analysis of it without weights, and the dashboard without a browser."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from pages.shared import resources, state
from pages.shared.page_list import PAGES
from seg_core import analysis
from seg_core.classes import INSIDE
from seg_core.geometry import Region
from seg_core.model import ModelCard
from seg_core.model.lender import EngineLender
from seg_core.settings import AnalysisSettings
from seg_core.store import Run
from seg_core.store.label import RunLabel

ROOT = Path(__file__).parents[2]
MPP = 0.25
NUCLEI = 12
LYMPHOCYTE = 2

PAGE_BY_STEM = {Path(each.file).stem: each for each in PAGES}

Visit = Callable[..., AppTest]


class BlueEngine:
    """Calls whatever is blue the inside of a lymphocyte."""

    name, precision = "blue", "fp32"
    feature_count = 0

    def run(self, tiles: Iterable[tuple[int, np.ndarray]]) -> Iterator[tuple[int, np.ndarray]]:
        for number, rgb in tiles:
            blue = rgb[..., 2].astype(np.float32) > rgb[..., 0]
            logits = np.zeros((8, *blue.shape), np.float32)
            logits[[0, 5]] = 0.5
            logits[[LYMPHOCYTE, 5 + INSIDE]] = blue
            yield number, logits


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty store for each test, and no slide opened by another."""
    monkeypatch.setenv("SEG_STORE", str(tmp_path / "store"))
    for name in ("SEG_LOCAL", "SEG_SLIDE_DIR", "SEG_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(type(st.context), "cookies", {})  # AppTest's browser has made-up ones
    resources.forget_slides()
    return tmp_path / "store"


@pytest.fixture(scope="session")
def slide_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Discs on pink, four by three, in a file that says nothing of its resolution."""
    picture = Image.new("RGB", (400, 300), (230, 170, 200))
    draw = ImageDraw.Draw(picture)
    for x in (50, 150, 250, 350):
        for y in (50, 150, 250):
            draw.circle((x, y), 15, fill=(60, 40, 150))
    path = tmp_path_factory.mktemp("slides") / "discs.png"
    picture.save(path)
    return path


@pytest.fixture
def run(slide_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished analysis of the slide."""
    statistics = (0.5, 0.5, 0.5)
    card = ModelCard("blue", "blue.safetensors", "0" * 64, "none", MPP, statistics, statistics)
    monkeypatch.setattr(analysis, "find_model", lambda name: (card, Path(card.file)))
    monkeypatch.setattr(analysis, "make_engine", lambda *_: BlueEngine())
    monkeypatch.setattr(analysis, "_engines", EngineLender())
    return analysis.analyse(slide_path, store, mpp=MPP)


@pytest.fixture
def coarse(run: Run, slide_path: Path, store: Path) -> Run:
    """A part of the same slide under another pixel size and other tiles, finished after ``run``."""
    return analysis.analyse(
        slide_path,
        store,
        mpp=2 * MPP,
        region=Region(0, 0, 200, 300),
        settings=AnalysisSettings(tile_px=512),
        label=RunLabel(person="Dr Ada", owner="ada"),
    )


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What a session remembers, without one."""
    remembered: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", remembered)
    return remembered


@pytest.fixture
def visit() -> Visit:
    """Open a page of the dashboard; what the session remembers is given by name."""

    def open_page(page: str, **remembered: object) -> AppTest:
        test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
        for name, value in remembered.items():
            test.session_state[name] = value
        test.run()
        entry = PAGE_BY_STEM[page]
        if not entry.default:
            test.switch_page(entry.file).run()
        assert not test.exception
        return test

    return open_page


@pytest.fixture
def chosen(slide_path: Path) -> state.ChosenSlide:
    return state.ChosenSlide(slide_path, MPP)
