"""The files that docs/cluster.md offers start a cluster, and the command goes through it."""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from distributed.cli.dask_scheduler import main as dask_scheduler
from distributed.cli.dask_worker import main as dask_worker
from PIL import Image

from seg_core.commands.cohort import add_cohort
from seg_core.samples import sample_path

ROOT = Path(__file__).parents[3]
FILES = ROOT / "docs" / "cluster"

# What SLURM does for dask-jobqueue: sbatch starts a script and tells its number, scancel ends it.
SBATCH = """#!/usr/bin/env bash
script=$(mktemp "$JOBS/XXXXXX.sh")
cat "${@: -1}" > "$script"  # the one it is given is gone in a moment
setsid bash "$script" > "$script.out" 2>&1 < /dev/null &
touch "$JOBS/$!.job"
echo "Submitted batch job $!"
"""
SCANCEL = """#!/usr/bin/env bash
for job in "$@"; do kill -- "-$job"; done
"""


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of the jobs of a stand-in for SLURM that runs them here."""
    commands, jobs = tmp_path / "bin", tmp_path / "jobs"
    commands.mkdir()
    jobs.mkdir()
    for name, script in (("sbatch", SBATCH), ("scancel", SCANCEL)):
        (commands / name).write_text(script)
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(commands), prepend=os.pathsep)
    monkeypatch.setenv("JOBS", str(jobs))
    yield jobs
    for number in numbers_of(jobs):
        with suppress(ProcessLookupError):
            os.killpg(number, signal.SIGKILL)


def numbers_of(jobs: Path) -> list[int]:
    return [int(path.stem) for path in jobs.glob("*.job")]


def is_at_work(number: int) -> bool:
    """Tell whether any process of a job is left."""
    with suppress(ProcessLookupError):
        os.killpg(number, 0)
        return True
    return False


@pytest.mark.weights
def test_slurm_jobs_work_off_a_cohort_and_end_with_the_script(slurm: Path, tmp_path: Path) -> None:
    folder = tmp_path / "slides"
    folder.mkdir()
    with Image.open(sample_path("hgsc_nest")) as picture:
        for number in range(2):
            picture.convert("RGB").crop((100, 100, 300, 220)).save(folder / f"{number}.png")
    with subprocess.Popen(
        [sys.executable, str(FILES / "slurm_workers.py")],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
    ) as script:
        assert script.stdout is not None
        address = script.stdout.readline().strip()
        command = [sys.executable, "-m", "seg_core", "cohort", str(folder)]
        command += ["--out", str(tmp_path / "store"), "--scheduler", address, "--no-til"]
        command += ["--mpp", "0.5", "--engine", "openvino", "--precision", "int8"]
        try:
            told = subprocess.run(
                command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=180
            )
        finally:
            script.terminate()
        assert script.wait(60) == 0
    assert told.returncode == 0, told.stderr + "".join(
        path.read_text() for path in slurm.glob("*.out")
    )
    assert "2 slides, 2 finished" in told.stdout
    assert numbers_of(slurm)
    until = time.monotonic() + 60
    while any(map(is_at_work, numbers_of(slurm))):
        assert time.monotonic() < until
        time.sleep(0.1)


def documents() -> dict[str, Any]:
    """Return the objects of the manifest by their kind."""
    text = (FILES / "kubernetes.yaml").read_text("utf-8")
    return {each["kind"]: each["spec"] for each in yaml.safe_load_all(text)}


def container(spec: dict[str, Any]) -> dict[str, Any]:
    (only,) = spec["containers"]
    return only


def test_kubernetes_containers_are_told_what_dask_takes_and_find_the_program() -> None:
    cluster = documents()["DaskCluster"]
    (folder,) = re.findall(r"^WORKDIR (\S+)\s+COPY --from=viewer", dockerfile(), re.MULTILINE)
    for role, command in (("scheduler", dask_scheduler), ("worker", dask_worker)):
        its = container(cluster[role]["spec"])
        program, name, *arguments = its["args"]
        assert (program, name) == ("dask", role)
        command.make_context(name, arguments)  # a mistake among them is an error
        # dask is a program of its own: unlike python -m it does not look where it is started
        assert {"name": "PYTHONPATH", "value": folder} in its["env"]


def test_the_kubernetes_job_is_a_command_that_finds_scheduler_and_folders() -> None:
    cluster, job = documents()["DaskCluster"], documents()["Job"]["template"]["spec"]
    python, module, name, program, *arguments = container(job)["args"]
    assert (python, module, name) == ("python", "-m", "seg_core")
    parser = argparse.ArgumentParser()
    add_cohort(parser.add_subparsers())
    options = parser.parse_args([program, *arguments])
    (port, _dashboard) = cluster["scheduler"]["service"]["ports"]
    assert options.scheduler == f"tcp://nuclei-scheduler:{port['port']}"
    pods = (job, cluster["worker"]["spec"])
    (mount,) = {its["mountPath"] for pod in pods for its in container(pod)["volumeMounts"]}
    assert all(path.is_relative_to(mount) for path in [*options.sources, options.out])
    assert job["volumes"] == cluster["worker"]["spec"]["volumes"]


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text("utf-8")
