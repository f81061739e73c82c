"""Labelled images that are painted, and a model that answers them."""

from functools import partial
from pathlib import Path

import pytest
from painted_images import CARD, REFERENCE, SHOWN, PaintedEngine, write_image

from seg_core.errors import ModelError
from seg_core.evaluation import evaluate as evaluate_module
from seg_core.evaluation.metrics import intervals_of


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    write_image(folder, "TCGA-AA-0001_1", SHOWN, REFERENCE)
    write_image(folder, "TCGA-AA-0002_1", REFERENCE, REFERENCE)
    return folder


@pytest.fixture
def painted_model(monkeypatch):
    """Let evaluations ask the painted engine."""

    def find(name):
        if name not in (None, "painted"):
            raise ModelError(f"there is no model {name!r}.")
        return CARD, Path(CARD.file)

    monkeypatch.setattr(evaluate_module, "find_model", find)
    monkeypatch.setattr(evaluate_module, "make_engine", lambda *_: PaintedEngine())
    # fewer samples than the thousand of real use, which take seconds
    monkeypatch.setattr(evaluate_module, "intervals_of", partial(intervals_of, samples=20))
