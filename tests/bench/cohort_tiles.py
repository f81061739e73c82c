"""How long the viewer's tiles take, idle and while a cohort of the page is at work.

    python -m tests.bench.cohort_tiles [--tiles 200] [--slides 6] [--side 6000]

Starts the command as the page *Cohort* does, in processes of lower priority, on mosaics of a sample,
and asks for tiles in this process as `tests.bench.viewer` does, without the network. Prints a
Markdown table.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from pages.shared import singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.cohort_process import CohortProcess, order_of, start
from seg_core.analysis import analyse
from seg_core.samples import sample_path
from seg_core.store.store import STORE_VARIABLE
from tests.bench.cohort_scaling import MPP, write_slide
from tests.bench.viewer import OUTLINES, measured

_WAIT_S = 300


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=200, help="of each layer")
    parser.add_argument("--slides", type=int, default=6, help="of the cohort")
    parser.add_argument("--side", type=int, default=6000, help="of each, pixels")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[STORE_VARIABLE] = str(folder / "store")
        slide = sample_path("cmu_small_region")
        run = analyse(slide, folder / "store")
        source = singletons.tile_sources().add(ChosenSlide(slide))
        source.runs[run.run_id] = run
        layers = ("slide", "classes", "score", "nuclei", "haematoxylin", OUTLINES)
        idle = {layer: measured(source, run, layer, options.tiles) for layer in layers}
        slides = folder / "slides"
        slides.mkdir()
        for number in range(options.slides):
            write_slide(slides / f"{number}.png", options.side, options.side, number)
        process = start(order_of(slides, mpp=MPP))
        try:
            _wait_for_tiles(process)
            busy = {layer: measured(source, run, layer, options.tiles) for layer in layers}
            is_over = not process.is_running()
        finally:
            process.stop()
            process.process.wait()
            process.clear_up()
    print("| layer | p50 idle | p95 idle | p50, cohort at work | p95, cohort at work |")
    print("|---|---|---|---|---|")
    for layer in layers:
        figures = [*idle[layer], *busy[layer]]
        print(f"| {layer} | {' | '.join(f'{value * 1000:.1f} ms' for value in figures)} |")
    worst = max(p95 for _p50, p95 in busy.values()) * 1000
    print(f"\nThe largest p95 while the cohort was at work: {worst:.0f} ms (wanted: below 100).")
    if is_over:
        print("The cohort was over before the tiles; give more or larger slides.")


def _wait_for_tiles(process: CohortProcess) -> None:
    until = time.monotonic() + _WAIT_S
    while not any(each.stage == "tiles" for each in process.progress().at_work):
        if not process.is_running() or time.monotonic() > until:
            raise SystemExit(process.problem() or "The cohort did not come to its tiles.")
        time.sleep(0.1)


if __name__ == "__main__":
    main()
