"""The command on a cluster whose scheduler and workers were started by themselves, as docs/cohort.md says."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from PIL import Image

from seg_core import commands as cli
from seg_core.analysis import analyse
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.store import open_run

ROOT = Path(__file__).parents[3]

# The graph in int8 ships as it is; others are converted first, which takes a while.
ENGINE = ["--engine", "openvino", "--precision", "int8"]


@contextmanager
def dask(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``dask …`` until the block is left."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """Address of a scheduler with two workers, each a process of its own."""
    file = tmp_path / "scheduler.json"
    at_home = ["--host", "127.0.0.1", "--no-dashboard"]
    worker = ["worker", "--scheduler-file", str(file), "--nthreads", "1", "--memory-limit", "4GB"]
    with ExitStack() as stack:
        stack.enter_context(
            dask("scheduler", *at_home, "--port", "0", "--scheduler-file", str(file))
        )
        until = time.monotonic() + 120
        while not file.is_file():
            assert time.monotonic() < until
            time.sleep(0.1)
        for name in ("one", "two"):
            stack.enter_context(dask(*worker, "--name", name, *at_home))
        yield json.loads(file.read_text())["address"]


@pytest.mark.weights
def test_two_workers_share_a_slide_and_end_another_as_analyse_does(
    scheduler: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, store = tmp_path / "slides", tmp_path / "store"
    folder.mkdir()
    with Image.open(sample_path("hgsc_nest")) as picture:
        small = picture.convert("RGB").crop((100, 100, 300, 220))
    small.save(folder / "small.png")
    tall = Image.new("RGB", (200, 960))  # at 0.25 µm/px ranges can meet at row 1536
    for top in range(0, tall.height, small.height):
        tall.paste(small, (0, top))
    tall.save(folder / "tall.png")
    command = ["cohort", str(folder), "--out", str(store), "--scheduler", scheduler]
    command += ["--mpp", "0.5", "--split", "0.4", "--no-til", "--json", *ENGINE]
    assert cli.main(command) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {each["worker"] for each in events if "worker" in each} == {"one", "two"}
    finished = {each["slide"]: each["run"] for each in events if each.get("state") == "finished"}
    assert finished.keys() == {"small.png", "tall.png"}
    settings = AnalysisSettings(engine="openvino", precision="int8")
    for name, run_folder in finished.items():
        run = open_run(store / run_folder)
        alone = analyse(folder / name, tmp_path / "alone", mpp=0.5, settings=settings)
        assert len(alone.nuclei()) > 10
        assert run.nuclei().equals(alone.nuclei())
        assert run.facts.seal == alone.facts.seal
    assert not list(store.glob("*/*/ranges"))
