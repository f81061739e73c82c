"""The shipped model on a shipped slide, in the worker as the pages use it."""

import json
import os
from pathlib import Path

import geopandas as gpd
import pytest

from seg_core.analysis import analyse
from seg_core.export.geojson import write_geojson
from seg_core.geometry import Region
from seg_core.model import available_models
from seg_core.model.card import MODEL_VARIABLE
from seg_core.process.worker import Worker
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.store import Run

WAIT_S = 300

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def sample_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    if not (available_models() or os.environ.get(MODEL_VARIABLE)):
        pytest.skip("weights/ holds no model")
    question = {
        "slide_path": sample_path("cmu_small_region"),
        "store": tmp_path_factory.mktemp("store"),
        "region": Region(900, 900, 240, 200),
        "settings": AnalysisSettings(engine="openvino", precision="fp32"),
    }
    with Worker() as worker:
        run = worker.submit(analyse, **question).result(WAIT_S)
        assert worker.submit(analyse, **question).result(WAIT_S) == run
    return run


def test_the_shipped_model_finds_nuclei_on_the_sample(sample_run: Run) -> None:
    """120 × 100 µm of dense tissue; a person counts some seventy nuclei."""
    assert sample_run.status == "finished"
    assert (sample_run.facts.engine, sample_run.facts.precision) == ("openvino", "fp32")
    assert 30 < sum(sample_run.facts.counts.values()) < 150
    table = sample_run.nuclei()
    assert table.geometry.is_valid.all()
    assert 10 < table["area_um2"].median() < 100


def test_its_export_is_read_back_with_the_same_count(sample_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "nuclei.geojson"
    count = write_geojson(sample_run, path)
    assert count == sum(sample_run.facts.counts[name] for name in sample_run.scheme.names)
    assert len(gpd.read_file(path)) == count
    measurements = json.loads(path.read_text())["features"][0]["properties"]["measurements"]
    assert {"Area µm^2", "Circularity", "Haematoxylin OD", "Class score"} <= measurements.keys()
