"""The catalogue and the page of a large cohort: time to the first table, to filters and to sums.

    python -m tests.bench.cohort_catalog [--runs 500] [--nuclei 20000]

Writes a store of synthetic runs with random nuclei and a cohort of them into a temporary folder, asks
what the command asks, and opens and filters the page *Cohort* as a browser would, without one.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared.page_list import COHORT
from seg_core.analysis import analyse
from seg_core.classes import MONUSAC
from seg_core.cohort.catalog import RunCatalog
from seg_core.cohort.journal import Journal, Outcome
from seg_core.cohort.plan import CohortQuestion, Item
from seg_core.cohort.thumbnails import THUMBNAIL_FILE
from seg_core.geometry import Region
from seg_core.nuclei import column_types
from seg_core.nuclei.nucleus_table import make_table
from seg_core.picture.encoding import encode_jpeg
from seg_core.samples import sample_path
from seg_core.store import Store, write_nuclei
from seg_core.store.run import NUCLEI_FILE, RUN_FILE
from seg_core.store.store import STORE_VARIABLE

_ROOT = Path(__file__).resolve().parents[2]

_SIDE_PX = 40_000.0

# Files of nuclei that differ; copies of them stand for the other runs.
_DIFFERENT = 5


def main() -> None:
    """Write, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--nuclei", type=int, default=20_000, help="of each run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        _write_store(store.path, options.runs, options.nuclei)
        print(f"{options.runs} runs with {options.runs * options.nuclei:,} nuclei")
        before = _peak_mb()
        catalog = RunCatalog(store)
        many_lymphocytes = "select * from runs where count_lymphocyte > 4000 and model is not null"
        questions: dict[str, Callable[[], object]] = {
            "first table": catalog.runs,
            "filter of runs (first question)": lambda: catalog.ask(many_lymphocytes),
            "filter of runs (again)": lambda: catalog.ask(many_lymphocytes),
            "count and mean area of all nuclei by class": lambda: catalog.ask(
                "select class_name, count(*), avg(area_um2) from nuclei group by all"
            ),
            "median area by run and class": lambda: catalog.ask(
                "select slide, class_name, median(area_um2) from nuclei join runs using (folder) "
                "group by all"
            ),
        }
        for name, ask in questions.items():
            began, worked = time.perf_counter(), time.process_time()
            ask()
            seconds, processor = time.perf_counter() - began, time.process_time() - worked
            print(f"{name}: {seconds:.2f} s, {processor:.2f} s of processor time")
        _write_cohort(store, options.runs)
        for name, act in _gestures().items():
            began, worked = time.perf_counter(), time.process_time()
            act()
            seconds, processor = time.perf_counter() - began, time.process_time() - worked
            print(f"{name}: {seconds:.2f} s, {processor:.2f} s of processor time")
        print(f"memory: {before:.0f} MB before, {_peak_mb():.0f} MB at most")


def _write_cohort(store: Store, runs: int) -> None:
    """Write a cohort of the runs, two slides of each patient, as if it had been worked off."""
    os.environ |= {STORE_VARIABLE: str(store.path), "SEG_LOCAL": "1"}
    folders = {run.slide_path.name: run.path.relative_to(store.path) for run in store.runs()}
    items = [
        Item(Path(name), patient=f"P{number // 2}", group="AB"[number // 2 % 2])
        for number, name in enumerate(folders)
    ]
    journal = Journal(store.path, "bench")
    keys = journal.write_plan(items, CohortQuestion("synthetic", "0" * 64))
    for key, folder in zip(keys, folders.values(), strict=True):
        journal.record(Outcome(key, "finished", folder.as_posix()))
        (store.path / folder / THUMBNAIL_FILE).write_bytes(
            encode_jpeg(np.full((90, 120, 3), 200, np.uint8))
        )


def _gestures() -> dict[str, Callable[[], object]]:
    """Return what a reader does on the page, in turn."""
    type(st.context).cookies = {}  # AppTest's browser has made-up ones
    page = AppTest.from_file(str(_ROOT / "streamlit_app.py"), default_timeout=120)
    _whole(page.run())

    def filter_groups() -> None:
        pills = next(each for each in page.get("button_group") if each.key == "_group")
        _whole(pills.set_value(["A"]).run())

    def filter_numbers() -> None:
        _whole(page.selectbox(key="_filter_by").set_value("count_lymphocyte").run())

    def show(section: str) -> None:
        chosen = next(each for each in page.segmented_control if each.label == "Section")
        _whole(chosen.set_value(section).run())

    return {
        "page: first table": lambda: _whole(page.switch_page(COHORT.file).run()),
        "page: one group": filter_groups,
        "page: another filter": filter_numbers,
        "page: groups compared": lambda: show("Groups"),
        "page: scatter": lambda: show("Scatter"),
        "page: table again": lambda: show("Table"),
    }


def _whole(page: AppTest) -> None:
    """Stop where the page did not come to its end: how long that took is no figure."""
    for failure in page.exception:
        raise SystemExit(f"The page failed: {failure.message}")


def _write_store(store: Path, runs: int, nuclei: int) -> None:
    """Write runs that differ in slide and counts; the first is a real one, of a corner."""
    with tempfile.TemporaryDirectory() as folder:
        real = analyse(
            sample_path("cmu_small_region"), Path(folder), region=Region(900, 900, 64, 64)
        )
    rng = np.random.default_rng(1)
    tables = [_nuclei(nuclei, rng) for _ in range(_DIFFERENT)]
    for number in range(runs):
        slide_id = f"slide-{number:04}"
        table = tables[number % _DIFFERENT]
        counts = {name: int(n) for name, n in table["class_name"].value_counts().items()}
        slide = replace(real.facts.slide, path=Path(f"/slides/{slide_id}.svs"))
        facts = replace(real.facts, slide=slide, counts=counts, seal={})
        run = store / slide_id / real.run_id
        run.mkdir(parents=True)
        (run / RUN_FILE).write_text(json.dumps(facts.to_json()))
        if number < _DIFFERENT:
            write_nuclei([table], run / NUCLEI_FILE, MONUSAC)
        else:
            twin = store / f"slide-{number % _DIFFERENT:04}" / real.run_id / NUCLEI_FILE
            (run / NUCLEI_FILE).write_bytes(twin.read_bytes())


def _nuclei(count: int, rng: np.random.Generator) -> gpd.GeoDataFrame:
    centres = rng.uniform(0, _SIDE_PX, (count, 2))
    columns = {name: rng.random(count) for name in column_types(MONUSAC) if name != "class_name"}
    columns |= {
        "nucleus_id": np.arange(1, count + 1),
        "class_name": rng.choice(MONUSAC.names, count),
        "x": centres[:, 0],
        "y": centres[:, 1],
        "area_um2": rng.gamma(8, 5, count),
    }
    outlines = shapely.buffer(shapely.points(centres), 12, quad_segs=4)
    return make_table(columns, outlines, MONUSAC)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
