"""How long it takes to teach a classifier by 500 labels, and to answer a run of a million nuclei.

    python -m tests.bench.teaching_scale [--nuclei N] [--labels N]

The run is made up, its features are noise: nothing is measured but time. Prints wall and processor
seconds of each step, from files to files.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np

from seg_core.classes import MONUSAC
from seg_core.geometry import Raster, Region
from seg_core.nuclei.nucleus_table import FEATURES
from seg_core.question import Question
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.slide import open_slide, slide_id
from seg_core.store import Run, RunFacts, RunWriter, Store, write_nuclei
from seg_core.store.run import NUCLEI_FILE
from seg_core.teaching.apply import classify
from seg_core.teaching.labels import Labels
from seg_core.teaching.teach import Taught, teach
from tests.bench.crowded_run import crowd

FEATURE_COUNT = 88

_PART_PX, _SPACING_PX, _MPP = 2000, 20.0, 0.25


def main() -> None:
    """Make a run, teach, classify, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nuclei", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large = _run(Path(folder), options.nuclei)
        small = _run(Path(folder), 20_000)
        rng = np.random.default_rng(0)
        ids = rng.choice(20_000, options.labels, replace=False) + 1
        names = tuple(rng.choice(["plasma cell", *MONUSAC.names], options.labels).tolist())
        print("| step | wall, s | processor, s |\n|---|---|---|")
        taught: list[Taught] = []
        _timed(
            f"teach by {options.labels} labels of a run of 20,000",
            lambda: taught.append(teach([Labels(small, ids, names)])),
        )
        _timed(
            f"classify {options.nuclei:,} nuclei",
            lambda: classify(large, taught[0].classifier, name="bench"),
        )


def _timed(step: str, work: Callable[[], object]) -> None:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    print(f"| {step} | {wall:.2f} | {processor:.2f} |", flush=True)


def _run(store: Path, nuclei: int) -> Run:
    """Write a finished run of a made-up slide that holds so many nuclei."""
    path = sample_path("hgsc_nest")
    with closing(open_slide(path, mpp=_MPP)) as slide:
        info = slide.info
    side = int(np.ceil(np.sqrt(nuclei))) * int(_SPACING_PX)
    region = Region(0, 0, side, side)
    question = Question(
        *(slide_id(path), Raster(region, _MPP, 1.0), region, None),
        *("crowd", "0" * 64, AnalysisSettings()),
    )
    folder = Store(store).folder(question)
    folder.mkdir(parents=True)
    write_nuclei(_parts(side, nuclei), folder / NUCLEI_FILE, MONUSAC, feature_count=FEATURE_COUNT)
    facts = RunFacts(
        *(question, info, MONUSAC, "finished", "none", "none", {}),
        started="2026-01-01T00:00:00+00:00",
        feature_count=FEATURE_COUNT,
    )
    return RunWriter(folder).write_facts(facts)


def _parts(side: int, nuclei: int) -> Iterator[gpd.GeoDataFrame]:
    rng = np.random.default_rng(1)
    part = crowd(Region(0, 0, _PART_PX, _PART_PX), _SPACING_PX)
    columns = -(-side // _PART_PX)
    first = 0
    while first < nuclei:
        count = min(len(part), nuclei - first)
        place = first // len(part)
        own = part.iloc[:count].copy()
        own["nucleus_id"] = np.arange(first + 1, first + count + 1)
        own["x"] += place % columns * _PART_PX
        own["y"] += place // columns * _PART_PX
        own[FEATURES] = list(rng.normal(size=(count, FEATURE_COUNT)).astype(np.float16))
        yield own
        first += count


if __name__ == "__main__":
    main()
