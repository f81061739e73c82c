"""How a cohort scales: one worker of one core against two, and one slide shared by two workers.

    python -m tests.bench.cohort_scaling [--slides 4] [--side 3000] [--tall 6] [--rounds 3]

Linux only. Slides are mosaics of a sample at 0.25 µm/px. Each way begins with a store of its own and
with workers that have loaded the model; ways alternate, and ratios are those within a round, so that
other work on the machine weighs on both. Prints Markdown. At the end what was measured is put into
`tests.bench.cohort_on_paper`: how long 1,000 slides take on 20 machines.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import numpy as np
from distributed import Client
from PIL import Image

from seg_core.cohort.cluster import local_workers
from seg_core.cohort.journal import Journal
from seg_core.cohort.plan import Item
from seg_core.cohort.work import CohortOptions, work_off
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.store import open_run
from tests.bench.cohort_on_paper import Study

MPP = 0.25
SETTINGS = AnalysisSettings(tissue_only=False)

_numbers = count()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slides", type=int, default=4, help="of the cohort")
    parser.add_argument("--side", type=int, default=3000, help="of each, pixels")
    parser.add_argument(
        "--tall", type=int, default=6, help="height of the shared slide, in steps of 1536 pixels"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slides = [
            write_slide(folder / f"slide{number}.png", options.side, options.side, number)
            for number in range(options.slides)
        ]
        tall = write_slide(folder / "tall.png", options.side, 1536 * options.tall, 99)
        split_mpx = options.side * 1536 * options.tall / 1e6 / 1.9  # two ranges
        alone: list[float] = []
        both: list[float] = []
        whole: list[float] = []
        shared: list[float] = []
        for _ in range(options.rounds):
            with _workers(cores[:1]) as client:
                _work(client, folder, [slides[0]])
                alone.append(_work(client, folder, slides))
                whole.append(_work(client, folder, [tall]))
            with _workers(cores) as client:
                _work(client, folder, slides[:2])
                both.append(_work(client, folder, slides))
                shared.append(_work(client, folder, [tall], split_mpx))
    megapixels = options.slides * options.side**2 / 1e6
    tall_mpx = options.side * 1536 * options.tall / 1e6
    print(f"{len(cores)} cores; medians of {options.rounds} rounds, ratios with their range\n")
    print("| work | one worker of one core, s | two, s | ratio |")
    print("|---|---|---|---|")
    print(_row(f"{options.slides} slides, {megapixels:.0f} Mpx together", alone, both))
    print(_row(f"one slide of {tall_mpx:.0f} Mpx, shared", whole, shared))
    print()
    core_seconds = statistics.median(alone) / (megapixels * MPP**2)
    print(f"{core_seconds:.1f} s/mm² on one core\n")
    print(Study(seconds=core_seconds, on_cores=1).to_markdown())


def _row(words: str, one: list[float], two: list[float]) -> str:
    ratios = [a / b for a, b in zip(one, two, strict=True)]
    middle, low, high = statistics.median(ratios), min(ratios), max(ratios)
    return (
        f"| {words} | {statistics.median(one):.0f} | {statistics.median(two):.0f} "
        f"| {middle:.2f} ({low:.2f}–{high:.2f}) |"
    )


@contextmanager
def _workers(cores: list[int]) -> Iterator[Client]:
    """Start a worker for each of some cores, which is all that they may use."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        with local_workers(len(cores), memory_gb=4) as client:
            yield client
    finally:
        os.sched_setaffinity(0, before)


def _work(
    client: Client, folder: Path, slides: list[Path], split_mpx: float | None = None
) -> float:
    """Work off slides into a new store and return the seconds; the store goes again."""
    store = folder / f"store{next(_numbers)}"
    options = CohortOptions(mpp=MPP, settings=SETTINGS, til=False, split_mpx=split_mpx)
    items = [Item(path) for path in slides]
    began = time.monotonic()
    with closing(work_off(items, Journal(store, "bench"), options, client)) as events:
        outcomes = [event.outcome for event in events if event.kind == "ended"]
    seconds = time.monotonic() - began
    for outcome in outcomes:
        assert outcome is not None
        assert outcome.run is not None, outcome.error
        assert open_run(store / outcome.run).status == "finished"
    shutil.rmtree(store)
    return seconds


def write_slide(path: Path, width: int, height: int, seed: int) -> Path:
    """Write a mosaic of a sample, begun elsewhere for each seed."""
    with Image.open(sample_path("hgsc_nest")) as picture:
        tile = np.asarray(picture.convert("RGB"))
    tile = np.roll(tile, 37 * seed, axis=(0, 1))
    repeats = (-(-height // tile.shape[0]), -(-width // tile.shape[1]), 1)
    Image.fromarray(np.tile(tile, repeats)[:height, :width]).save(path, compress_level=1)
    return path


if __name__ == "__main__":
    main()
