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
from distributed import Client
from PIL import Image

from seg_core import commands as cli
from seg_core.analysis import analyse
from seg_core.cohort.cluster import existing_cluster
from seg_core.errors import CohortError
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.store import open_run

ROOT = Path(__file__).parents[3]

# The graph in int8 ships as it is; others are converted first, which takes a while.
ENGINE = ["--engine", "openvino", "--precision", "int8"]


@contextmanager
def dask(*arguments: str, program: Path | None = ROOT) -> Iterator["subprocess.Popen[bytes]"]:
    """Run ``dask …`` in some folder until the block is left; None: it does not find the program."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("dask")), *arguments],
        cwd=Path(sys.prefix),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(program or "")},
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


AT_HOME = ["--host", "127.0.0.1", "--no-dashboard"]


def address_in(file: Path) -> str:
    """Return the address of a scheduler once it has written it down."""
    until = time.monotonic() + 120
    while not file.is_file():
        assert time.monotonic() < until
        time.sleep(0.1)
    return json.loads(file.read_text())["address"]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """Address of a scheduler with two workers, each a process of its own."""
    file = tmp_path / "scheduler.json"
    worker = ["worker", "--scheduler-file", str(file), "--nthreads", "1", "--memory-limit", "4GB"]
    with ExitStack() as stack:
        started = ["scheduler", *AT_HOME, "--port", "0", "--scheduler-file", str(file)]
        stack.enter_context(dask(*started))
        address = address_in(file)
        for name in ("one", "two"):
            stack.enter_context(dask(*worker, "--name", name, *AT_HOME))
        yield address


def test_workers_that_do_not_find_the_program_are_told_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.json"
    started = ["scheduler", *AT_HOME, "--port", "0", "--scheduler-file", str(file)]
    with dask(*started, program=None):
        address = address_in(file)
        with dask("worker", address, *AT_HOME, program=None), Client(address) as client:
            client.wait_for_workers(1, timeout=120)
            with (
                pytest.raises(CohortError, match=r"No module named 'seg_core'.*in PYTHONPATH"),
                existing_cluster(address),
            ):
                pass


@pytest.mark.weights
def test_a_scheduler_that_is_killed_is_told_and_the_next_start_goes_on(tmp_path: Path) -> None:
    file, store, slides = tmp_path / "scheduler.json", tmp_path / "store", tmp_path / "slides"
    slides.mkdir()
    with Image.open(sample_path("hgsc_nest")) as picture:
        picture.convert("RGB").resize((1200, 1200)).save(slides / "slide.png")
    started = ["scheduler", *AT_HOME, "--port", "0", "--scheduler-file", str(file)]
    command = [sys.executable, "-m", "seg_core", "cohort", str(slides), "--out", str(store)]
    command += ["--mpp", "0.25", "--name", "t", "--no-til", "--json", *ENGINE]
    with dask(*started) as scheduler:
        address = address_in(file)
        with dask("worker", address, "--nthreads", "1", "--memory-limit", "4GB", *AT_HOME):
            child = subprocess.Popen(
                [*command, "--scheduler", address],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert child.stdout is not None
            for line in child.stdout:
                if json.loads(line)["event"] == "progress":
                    scheduler.kill()
                    break
            _out, said = child.communicate(timeout=240)
    assert child.returncode == 1
    assert "the scheduler is gone; start the same command again" in said
    assert "Traceback" not in said
    assert cli.main([*command[3:], "--memory", "4"]) == 0


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
