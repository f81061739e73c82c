"""What the dashboard takes: memory idle and at work, time to its first screen, installed size.

    python -m tests.bench.footprint [--side 5000]

Linux only. Starts the dashboard as the README does, opens it in Chromium, and has a worker, the
same that the dashboard starts, analyse a square of ``--side`` pixels. Memory is what the
server and the worker keep resident together; pages that both use, those of libraries, count once, as
they do for the limit of a container.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import tifffile
from packaging.requirements import Requirement
from PIL import Image
from playwright.sync_api import sync_playwright

from seg_core.analysis import analyse
from seg_core.process.worker import Worker
from seg_core.samples import sample_path
from tests.browser.starting import CHROMIUM, CHROMIUM_FLAGS, serve
from tests.browser.viewing import choose_button

ROOT = Path(__file__).parents[2]
MPP = 0.25


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=5000)
    side = parser.parse_args().side
    with tempfile.TemporaryDirectory() as folder, Worker() as worker:
        os.environ["SEG_STORE"] = folder
        slides = [_write_slide(Path(folder) / f"{each}.tif", each) for each in (512, side)]
        began = time.monotonic()
        with serve(Path(folder) / "log.txt") as (address, server):
            ready = time.monotonic() - began
            screen = ready + _open(address)
            print(f"server answers after          {ready:6.1f} s")
            print(f"first screen after            {screen:6.1f} s")
            print(f"server with a slide open      {resident_mb(server.pid):6.0f} MB")
            for slide, words in zip(slides, ("the first analysis", f"{side:,}²"), strict=True):
                job = worker.submit(analyse, slide_path=slide, store=Path(folder), mpp=MPP)
                with _peak_of(server.pid, os.getpid()) as peak:
                    run = job.result()
                print(f"at most during {words:<15}{peak[0]:6.0f} MB, {run.facts.seconds:.0f} s")
                print(f"idle afterwards               {_both(server.pid, os.getpid()):6.0f} MB")
            print(f"engine                        {run.facts.engine}, {run.facts.precision}")
    print(f"installed requirements        {_installed_mb():6.0f} MB")
    sys.stdout.flush()


def _write_slide(path: Path, side: int) -> Path:
    """Write a tiled TIFF of the sample's tissue over and over."""
    tissue = np.asarray(Image.open(sample_path("hgsc_nest")).convert("RGB"))
    repeats = (-(-side // tissue.shape[0]), -(-side // tissue.shape[1]), 1)
    pixels = np.tile(tissue, repeats)[:side, :side]
    tifffile.imwrite(path, pixels, tile=(256, 256), photometric="rgb", compression="zlib")
    return path


def _open(address: str) -> float:
    """Open the dashboard and a sample; return the seconds until the samples were there."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        page = browser.new_page()
        began = time.monotonic()
        page.goto(address)
        button = choose_button(page)
        button.wait_for()
        seconds = time.monotonic() - began
        button.click()
        page.get_by_role("button", name="Open in the viewer").click()
        page.locator(".openseadragon-canvas").first.wait_for()
        browser.close()
    return seconds


@contextmanager
def _peak_of(server: int, parent: int) -> Iterator[list[float]]:
    """Watch the memory of both while the block lasts; the list's one number is the most."""
    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            peak[0] = max(peak[0], _both(server, parent))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()


def _both(server: int, parent: int) -> float:
    """Return the memory of the server and of the worker, which is this process's only child but it."""
    children = [pid for pid in descendants(parent) if pid not in {server, *descendants(server)}]
    return resident_mb(server) + sum(map(resident_mb, children))


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and theirs."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in tasks.read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def resident_mb(pid: int) -> float:
    """Return the memory that a process has for itself, with its share of what others use too."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    (share,) = (line.split()[1] for line in lines if line.startswith("Pss:"))
    return int(share) * 1024 / 1e6


def _installed_mb() -> float:
    """Return the size of all packages that requirements.txt asks for, directly or not."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    waiting = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    sizes: dict[str, int] = {}
    while waiting:
        name = waiting.pop().name.lower().replace("_", "-")
        if name in sizes:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another system
            continue
        files = (Path(str(package.locate_file(each))) for each in package.files or [])
        sizes[name] = sum(path.stat().st_size for path in files if path.is_file())
        wanted = (Requirement(each) for each in package.requires or [])
        waiting += [each for each in wanted if each.marker is None or each.marker.evaluate()]
    return sum(sizes.values()) / 1e6


if __name__ == "__main__":
    main()
