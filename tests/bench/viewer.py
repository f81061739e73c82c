"""How long the viewer's tiles take, idle and while a slide is analysed.

    python -m tests.bench.viewer [SLIDE] [--store DIR] [--tiles 300]

Analyses the slide once into the store, opens it as a session of the dashboard would, and asks for
tiles drawn anew, in the order in which a reader pans, in this process and without the network;
then again while the worker process of lower priority analyses it a second time into a folder that
is thrown away. Prints a Markdown table.
"""

import argparse
import itertools
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pages.shared import resources, singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource, UnknownTileError
from pages.viewer_page import outlines
from pages.viewer_page.server import drawing
from pages.viewer_page.server.tiles import TILE_PX, TileRequest
from seg_core.analysis import analyse
from seg_core.errors import RegionError
from seg_core.picture.outline_squares import SQUARE_PX
from seg_core.process.worker import Job, Worker
from seg_core.samples import sample_path
from seg_core.slide import DeepZoom
from seg_core.store import Run

SHOWN = frozenset({1, 2, 3, 4})
OUTLINES = "outlines"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slide", type=Path, nargs="?", default=sample_path("cmu_small_region"))
    parser.add_argument("--store", type=Path, default=Path(tempfile.mkdtemp()))
    parser.add_argument("--tiles", type=int, default=300)
    options = parser.parse_args()
    run = analyse(options.slide, options.store)
    source = singletons.tile_sources().add(ChosenSlide(options.slide))
    source.runs[run.run_id] = run
    layers = ("slide", "classes", "score", "nuclei", "haematoxylin", "tissue", OUTLINES)
    print("| layer | p50 idle | p95 idle | p50 analysing | p95 analysing | from the cache |")
    print("|---|---|---|---|---|---|")
    idle = {layer: measured(source, run, layer, options.tiles) for layer in layers}
    cached = {layer: again(source, run, layer, options.tiles) for layer in layers}
    with tempfile.TemporaryDirectory() as folder:
        job = start_analysis(options.slide, Path(folder))
        busy = {layer: measured(source, run, layer, options.tiles) for layer in layers}
        if job.done():
            print("The analysis was over before the tiles; give a larger slide or fewer tiles.")
        job.cancel()
    for layer in layers:
        figures = [*idle[layer], *busy[layer], cached[layer]]
        print(f"| {layer} | {' | '.join(f'{value * 1000:.1f} ms' for value in figures)} |")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nMost memory of this process, analysis and all: {peak_mb:.0f} MB")


def start_analysis(slide: Path, store: Path) -> Job[Run]:
    """Start an analysis in a worker, and wait until it is at its tiles."""
    job = Worker().submit(analyse, slide_path=slide, store=store)
    while not job.done() and (job.progress is None or job.progress.stage != "tiles"):
        time.sleep(0.05)
    return job


def measured(source: TileSource, run: Run, layer: str, count: int) -> tuple[float, float]:
    """Return median and 95th percentile of tiles that nobody has drawn yet, s."""
    drawing.forget_tiles()
    outlines.forget_outlines()
    seconds = list(itertools.islice(seconds_of(source, run, layer), count))
    return float(np.median(seconds)), float(np.percentile(seconds, 95))


def again(source: TileSource, run: Run, layer: str, count: int) -> float:
    """Return the median of tiles that have been drawn before, s."""
    for _ in range(2):
        seconds = list(itertools.islice(seconds_of(source, run, layer), count))
    return float(np.median(seconds))


def seconds_of(source: TileSource, run: Run, layer: str) -> Iterator[float]:
    """Ask for the tiles of a layer, level after level from the finest, and time each."""
    if layer == OUTLINES:
        yield from seconds_of_squares(source, run)
        return
    pyramid = DeepZoom(resources.slide(source.slide.path, source.slide.mpp), TILE_PX)
    for level in range(pyramid.level_count - 1, 7, -1):
        width, height = pyramid.level_size(level)
        for row in range(-(-height // TILE_PX)):
            for column in range(-(-width // TILE_PX)):
                request = TileRequest(
                    source.token, layer, level, column, row, run=run.run_id, shown=SHOWN
                )
                started = time.perf_counter()
                try:
                    drawing.draw_tile(request)
                except (UnknownTileError, RegionError):
                    continue
                yield time.perf_counter() - started


def seconds_of_squares(source: TileSource, run: Run) -> Iterator[float]:
    """Ask for all squares of outlines, and time each."""
    region = run.raster.region
    for row in range(-(-region.bottom // SQUARE_PX)):
        for column in range(-(-region.right // SQUARE_PX)):
            path = {"token": source.token, "column": column, "row": row}
            started = time.perf_counter()
            outlines.outlines_of_square(path, {"run": run.run_id})
            yield time.perf_counter() - started


if __name__ == "__main__":
    main()
