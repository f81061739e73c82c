"""A drawn slide, an analysis of it without weights, and the dashboard without a browser."""

import shutil
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
from seg_core.settings import AnalysisSettings
from seg_core.store import Run, open_run
from seg_core.store.label import RunLabel
from tests.stand_in import stand_in

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


def use_blue_engine(patch: pytest.MonkeyPatch) -> None:
    statistics = (0.5, 0.5, 0.5)
    card = ModelCard("blue", "blue.safetensors", "0" * 64, "none", MPP, statistics, statistics)
    stand_in(patch, card, lambda *_: BlueEngine())


@pytest.fixture(scope="session")
def analysed_runs(slide_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """What ``run`` and ``coarse`` are copies of."""
    store = tmp_path_factory.mktemp("analysed")
    with pytest.MonkeyPatch.context() as patch:
        use_blue_engine(patch)
        run = analysis.analyse(slide_path, store, mpp=MPP)
        coarse = analysis.analyse(
            slide_path,
            store,
            mpp=2 * MPP,
            region=Region(0, 0, 200, 300),
            settings=AnalysisSettings(tile_px=512),
            label=RunLabel(person="Dr Ada", owner="ada"),
        )
    return run, coarse


def copied(run: Run, store: Path) -> Run:
    return open_run(shutil.copytree(run.path, store / run.slide_id / run.run_id))


@pytest.fixture
def run(analysed_runs: tuple[Run, Run], store: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished analysis of the slide, and an engine for others."""
    use_blue_engine(monkeypatch)
    return copied(analysed_runs[0], store)


@pytest.fixture
def coarse(run: Run, analysed_runs: tuple[Run, Run], store: Path) -> Run:
    """A part of the same slide under another pixel size and other tiles, finished after ``run``."""
    return copied(analysed_runs[1], store)


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
        entry = PAGE_BY_STEM[page]
        if not entry.default:
            test.switch_page(entry.file)
        test.run()
        assert not test.exception
        return test

    return open_page


@pytest.fixture
def chosen(slide_path: Path) -> state.ChosenSlide:
    return state.ChosenSlide(slide_path, MPP)
