"""Fixtures of the rooms that work on whole runs, or on a network."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import painted_slides
import pytest
from painted_slides import SMALL_TILES, PaintedEngine, Painting

from seg_core.analysis import analyse
from seg_core.files.sealed import checksum_of
from seg_core.model import ModelCard, write_card
from seg_core.settings import AnalysisSettings
from seg_core.store import Run, RunWriter, write_nuclei
from seg_core.store.run import NUCLEI_FILE
from tests.stand_in import stand_in

if TYPE_CHECKING:
    from seg_core.model.network import TwoHeadUnet

TINY_ENCODER = "tu-test_resnet.r160_in1k"


@pytest.fixture
def painted_engines(monkeypatch: pytest.MonkeyPatch) -> list[PaintedEngine]:
    """Let analyses run on paintings; returns the engines made, in order."""
    made: list[PaintedEngine] = []

    def make(card: ModelCard, weights: Path, settings: AnalysisSettings) -> PaintedEngine:
        made.append(painted_slides.make_painted_engine(card, weights, settings))
        return made[-1]

    stand_in(monkeypatch, painted_slides.CARD, make)
    return made


@pytest.fixture(scope="session")
def painting() -> Painting:
    return painted_slides.paint(500, 700, glass_from=400)


@pytest.fixture(scope="session")
def painted_slide(painting: Painting, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return painting.save(tmp_path_factory.mktemp("slides") / "painted.png")


@pytest.fixture(scope="session")
def painted_run(painted_slide: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run, to read only."""
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, painted_slides.CARD, painted_slides.make_painted_engine)
        return analyse(
            painted_slide,
            tmp_path_factory.mktemp("store"),
            mpp=painted_slides.MPP,
            settings=SMALL_TILES,
        )


@pytest.fixture
def tiny_network() -> "TwoHeadUnet":
    """A network small enough to build in a blink: random weights, real architecture."""
    # torch takes seconds to import, and most rooms need none
    import torch

    from seg_core.model.network import TwoHeadUnet

    torch.manual_seed(3)
    return TwoHeadUnet(TINY_ENCODER).eval()


@pytest.fixture
def tiny_model(tiny_network: "TwoHeadUnet", tmp_path: Path) -> tuple[ModelCard, Path]:
    """A folder like ``weights/`` with one model, ``tiny``, in it."""
    from seg_core.model.network import save_weights

    weights = tmp_path / "tiny.safetensors"
    save_weights(tiny_network, weights)
    card = ModelCard(
        name="tiny",
        file=weights.name,
        sha256=checksum_of(weights),
        encoder=TINY_ENCODER,
        mpp=0.25,
        mean=(0.5, 0.5, 0.5),
        std=(0.25, 0.25, 0.25),
        default=True,
    )
    write_card(card, tmp_path / "tiny.json")
    return card, weights


@pytest.fixture(scope="session")
def doubtful_run(painted_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The same run with class scores from 0.3 to 1; in a painting all pixels vote alike."""
    folder = tmp_path_factory.mktemp("doubtful") / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    table = painted_run.nuclei()
    scores = np.linspace(0.3, 1, len(table), dtype=np.float32)
    shuffled = np.random.default_rng(0).permutation(scores)
    write_nuclei([table.assign(class_score=shuffled)], folder / NUCLEI_FILE, painted_run.scheme)
    return RunWriter(folder).write_facts(painted_run.facts)  # with the checksum of these nuclei
