"""How evenly the viewer moves with 50,000 nuclei in view, and how soon it answers.

    python -m tests.bench.viewer_nuclei [--spacing 17]

Linux only. Writes a slide that is full of made-up nuclei, opens it in Chromium without a GPU, the
viewer being 1320 × 730 pixels, and pans 8 pixels a frame to where nothing has been loaded yet; once
with the nuclei alone over the slide, once with the classes too, as shipped. Prints frames a second
and the processor time a frame takes in all of the browser's processes (which says more on a busy
machine, and may exceed a frame's length on several cores), then round trips and memory. Tiles are
measured by `tests.bench.viewer`.
"""

import argparse
import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, sync_playwright

from seg_core.slide import slide_id
from seg_core.store import Run
from tests.bench.crowded_run import make_crowded_run
from tests.bench.footprint import descendants, resident_mb
from tests.bench.huge_slide import write_huge_slide
from tests.browser.starting import CHROMIUM, CHROMIUM_FLAGS, serve
from tests.browser.viewing import WAIT_FOR_TILES, on_screen

WIDTH_PX, HEIGHT_PX = 12288, 8192
WINDOW = {"width": 1640, "height": 800}
FRAMES, STEP_PX = 150, 8
ROUND_TRIPS = 9

# Enlargement of a slide of 0.25 µm/px, by how much of it the viewer shows from left to right.
VIEWS = {"5×": 10240, "10×": 5120, "20×": 2560, "40×": 1280}

SETTLED = """viewer => viewer.slideViewer?.osd.isOpen()
    && viewer.slideViewer.outlines.layer && viewer.slideViewer.outlines.areSettled"""

PAN = """async (viewer, [frames, step]) => {
    const { osd } = viewer.slideViewer;
    const { viewport } = osd;
    const by = viewport.deltaPointsFromPixels(new OpenSeadragon.Point(step, 0));
    const frame = () => new Promise(requestAnimationFrame);
    const times = [await frame()];
    for (let i = 0; i < frames; i++) {
        viewport.panBy(by, true);
        times.push(await frame());
    }
    return times;
}"""


@dataclass(frozen=True)
class Panned:
    """What a run over the slide has given."""

    frames_per_s: float
    p95_ms: float
    cpu_ms: float
    """Of all processes of the browser, a frame."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spacing", type=float, default=17.0, help="between nuclei, level-0 px")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        slides, store = Path(temporary) / "slides", Path(temporary) / "store"
        slides.mkdir()
        slide = write_huge_slide(slides / "crowd.tif", WIDTH_PX, HEIGHT_PX, 1.0)
        run = make_crowded_run(slide, store, options.spacing)
        environment = {"SEG_STORE": str(store), "SEG_SLIDE_DIR": str(slides)}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        with serve(Path(temporary) / "log.txt", environment=environment) as (address, server):
            page = browser.new_page(viewport=WINDOW)
            others = {server.pid, *descendants(server.pid)}
            _print_panning(page, address, run, others)
            _print_round_trips(page, address, run)
            print(f"\nMemory of the server: {resident_mb(server.pid):.0f} MB", end="; ")
            print(f"of the browser: {sum(map(resident_mb, _browser(others))):.0f} MB")
        browser.close()


def _print_panning(page: Page, address: str, run: Run, others: set[int]) -> None:
    table = run.nuclei()
    print(f"{len(table):,} nuclei; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| view | nuclei in view | drawn as | layers | frames/s | p95 | processor a frame |")
    print("|---|---|---|---|---|---|---|")
    for name, width in VIEWS.items():
        for layers in ("no layer", "nuclei", "nuclei and classes"):
            viewer = _open(page, address, run, width)
            for layer in ("Nuclei", "Classes"):
                switch = viewer.get_by_role("switch", name=layer)
                switch.set_checked(layer.lower() in layers)
            _settle(page, viewer)
            view = viewer.evaluate("viewer => viewer.slideViewer.frame.view")
            inside = table["x"].between(view["x"], view["x"] + view["width"])
            inside &= table["y"].between(view["y"], view["y"] + view["height"])
            lines = viewer.evaluate("viewer => viewer.slideViewer.outlines.areSeen")
            panned = _pan(viewer, others)
            print(
                f"| {name} | {inside.sum():,} | "
                f"{'–' if layers == 'no layer' else 'lines' if lines else 'tiles'} | {layers} | "
                f"{panned.frames_per_s:.0f} | {panned.p95_ms:.0f} ms | {panned.cpu_ms:.0f} ms |"
            )
            sys.stdout.flush()


def _print_round_trips(page: Page, address: str, run: Run) -> None:
    viewer = _open(page, address, run, VIEWS["40×"])
    card = page.get_by_role("complementary", name="Picked nucleus")
    middle = WIDTH_PX / 3, HEIGHT_PX / 2
    table = run.nuclei()
    distance = (table["x"] - middle[0]).abs() + (table["y"] - middle[1]).abs()
    near = table.loc[distance.nsmallest(ROUND_TRIPS).index]

    def pick(number: int) -> None:
        row = near.iloc[number]
        page.mouse.click(*on_screen(viewer, row["x"], row["y"]))
        card.get_by_text(f"Nucleus {row['nucleus_id']},").wait_for()

    def draw(number: int) -> None:
        viewer.get_by_role("button", name="Take the visible part").click()
        page.get_by_text(f"Regions ({number + 1})").wait_for()

    print()
    for name, ask in {"a picked nucleus": pick, "a drawn region": draw}.items():
        print(f"From the click to what Python says of {name}: {_median_ms(ask):.0f} ms")


def _median_ms(ask: Callable[[int], None]) -> float:
    seconds = []
    for number in range(ROUND_TRIPS):
        started = time.perf_counter()
        ask(number)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1000


def _open(page: Page, address: str, run: Run, width: int) -> Locator:
    slide = slide_id(run.slide_path)
    page.goto(
        f"{address}/viewer?slide={slide}&x={WIDTH_PX / 3:.0f}&y={HEIGHT_PX / 2}&width={width}"
    )
    viewer = page.locator("section.viewer")
    viewer.locator(".openseadragon-canvas").first.wait_for()
    _settle(page, viewer)
    return viewer


def _settle(page: Page, viewer: Locator) -> None:
    page.wait_for_function(SETTLED, arg=viewer.element_handle())
    viewer.evaluate(WAIT_FOR_TILES)


def _pan(viewer: Locator, others: set[int]) -> Panned:
    before = _cpu_ms(others)
    times: list[Any] = viewer.evaluate(PAN, [FRAMES, STEP_PX])
    cpu_ms = _cpu_ms(others) - before
    lengths = sorted(after - before for before, after in itertools.pairwise(times))
    return Panned(
        1000 * FRAMES / (times[-1] - times[0]), lengths[int(0.95 * FRAMES)], cpu_ms / FRAMES
    )


def _browser(others: set[int]) -> list[int]:
    return [pid for pid in descendants(os.getpid()) if pid not in others]


def _cpu_ms(others: set[int]) -> float:
    ticks = 0
    for pid in _browser(others):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
