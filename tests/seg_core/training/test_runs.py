from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from seg_core.errors import DataError
from seg_core.training.config import TrainConfig
from seg_core.training.runs import compare, read_runs, report_html
from seg_core.training.train import train


@pytest.fixture
def folder(tiny_config: TrainConfig, tmp_path: Path) -> Path:
    """Two short runs."""
    for name, steps in (("short", 2), ("long", 8)):
        config = replace(tiny_config, name=name, steps=steps, validate_every=2)
        train(config, tmp_path / "runs" / name)
    return tmp_path / "runs"


def test_runs_are_compared_at_their_best_step(folder: Path) -> None:
    table = compare(read_runs(folder)).set_index("run")
    log = pd.read_csv(folder / "long" / "log.csv")
    assert table.loc["long", "score"] == log["score"].max()
    assert table.loc["long", "best_step"] == log.loc[log["score"].idxmax(), "step"]
    assert table.loc["short", "steps"] == table.loc["short", "done"] == 2
    assert table["score"].is_monotonic_decreasing


def test_report_is_one_file_with_the_worst_image_first(folder: Path) -> None:
    runs = read_runs(folder)
    agreements = [float(path.stem.split("_")[1]) for path in runs[0].previews]
    assert len(agreements) == 2
    assert agreements == sorted(agreements)
    page = report_html(runs)
    assert page.index(runs[0].previews[0].stem) < page.index(runs[0].previews[1].stem)
    assert "monusac boundary dice" in page
    assert page.count("data:image/jpeg") == 4


def test_damaged_preview_is_named(folder: Path) -> None:
    runs = read_runs(folder)
    runs[0].previews[0].write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"preview 01_.* is damaged"):
        report_html(runs)


def test_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no training run"):
        read_runs(tmp_path)
