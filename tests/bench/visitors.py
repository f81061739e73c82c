"""Twenty simulated viewers on loopback, one of them hostile, while a slide is analysed.

    python -m tests.bench.visitors [SLIDE] [--viewers 20] [--minutes 10] [--no-hostile] [--gone 120]

Starts the dashboard as a reader does. Each viewer opens the slide by its address over the pages' own
connection, as a browser does, and pans: six tiles at once, which is what a browser asks of one
server, then a pause as for a glance. The hostile one asks for 45 pictures in full size and gives
them up after a second, asks with made-up options by the hundred, and asks for tiles without end. It
is a process of its own, as it would be on another machine: what it needs to ask is no delay of the
others, whose time is taken here.
The analysis is the command line's, again and again, of the lower priority that the dashboard's own
have. Memory is that of the server, whose tiles and pages they are. Prints what the table in the README shows.
"""

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg

from seg_core.process.worker import NICENESS
from seg_core.samples import sample_path
from seg_core.slide import DeepZoom, open_slide, slide_id
from tests.bench.footprint import resident_mb
from tests.browser.starting import serve

AT_ONCE = 6
GLANCE_S = (0.3, 1.5)
PATIENCE_S = 90

_TOKEN = re.compile(rb"app/static/wsi/([\w-]{20,})/")


@dataclass
class Told:
    """What the viewers have seen.

    Attributes
    ----------
    seconds : list of float
        Of each tile of the well-behaved.
    errors : list of str
        Of theirs.
    refused : int
        Answers to the hostile one that were no 200.
    """

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refused: int = 0


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slide", type=Path, nargs="?", default=sample_path("cmu_small_region"))
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--no-hostile", action="store_true")
    parser.add_argument("--gone", type=float, default=120, help="seconds after all have left")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"SEG_STORE": f"{folder}/store", "SEG_SLIDE_DIR": str(options.slide.parent)}
        with serve(Path(folder) / "log.txt", environment=environment) as (address, server):
            asyncio.run(_measure(options, address, server.pid, Path(folder)))
        log = (Path(folder) / "log.txt").read_text("utf-8", "replace")
        print(f"| tracebacks in the log | {log.count('Traceback')} |")
    return 0


async def _measure(options: argparse.Namespace, address: str, server: int, folder: Path) -> None:
    told = Told()
    await _warm_up(address, options.slide)
    print(f"| | {options.viewers} viewers, {options.minutes:g} min |\n|---|---|")
    print(f"| memory before they come | {resident_mb(server):.0f} MB |")
    until = time.monotonic() + 60 * options.minutes
    hostile = 0 if options.no_hostile else 1
    with _analysing(options.slide, folder), _process() as process:
        viewers = [
            asyncio.create_task(_view(address, options.slide, until, number, told))
            for number in range(options.viewers - hostile)
        ]
        attack = [process.submit(attack_until, address, options.slide, until)] if hostile else []
        await asyncio.sleep(min(60.0, 30 * options.minutes))
        print(f"| memory after the first minute | {resident_mb(server):.0f} MB |", flush=True)
        for ended in await asyncio.gather(*viewers, return_exceptions=True):
            if isinstance(ended, BaseException):
                told.errors.append(repr(ended))
        for refused in await asyncio.gather(*map(asyncio.wrap_future, attack)):
            told.refused += refused
        print(f"| memory at the end | {resident_mb(server):.0f} MB |")
    percentiles = np.percentile(told.seconds or [np.nan], (50, 95, 99)) * 1000
    print(f"| tiles | {len(told.seconds):,} |")
    print(f"| errors of others than the hostile one | {len(told.errors)} |")
    for name, value in zip(("p50", "p95", "p99"), percentiles, strict=True):
        print(f"| tile {name} | {value:.0f} ms |")
    print(f"| answers that the hostile one was refused | {told.refused:,} |", flush=True)
    for error in sorted(set(told.errors))[:5]:
        print(f"  {error}")
    await asyncio.sleep(options.gone)
    print(f"| memory {options.gone:.0f} s after all have left | {resident_mb(server):.0f} MB |")


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


@contextmanager
def _analysing(slide: Path, folder: Path) -> Iterator[None]:
    """Analyse the slide again and again for as long as the context lasts."""
    program = (
        "import os, shutil, subprocess, sys\n"
        f"os.nice({NICENESS})\n"
        "while True:\n"
        f"    shutil.rmtree({str(folder / 'other')!r}, ignore_errors=True)\n"
        f"    subprocess.run([sys.executable, '-m', 'seg_core', 'analyse', {str(slide)!r}, '--mpp',"
        f" '0.5', '--out', {str(folder / 'other')!r}], capture_output=True)\n"
    )
    # a group, so as to end its children too, but no session: Linux shares its time by sessions first
    # (autogroup), and in one of its own the lower priority would count for nothing
    process = subprocess.Popen([sys.executable, "-c", program], process_group=0)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait()


@asynccontextmanager
async def _session(address: str, slide: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """Visit the viewer as a browser does; give what asks, and what tiles' addresses begin with."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(PATIENCE_S)
    ) as client:
        await (await client.get(f"{address}/")).read()
        async with client.ws_connect(
            f"{address}/_stcore/stream", protocols=("streamlit",), max_msg_size=0
        ) as socket:
            question = BackMsg()
            question.rerun_script.query_string = f"slide={slide_id(slide)}"
            question.rerun_script.page_name = "viewer"
            await socket.send_bytes(question.SerializeToString())
            token = None
            async with asyncio.timeout(PATIENCE_S):
                async for message in socket:
                    found = _TOKEN.search(message.data) if isinstance(message.data, bytes) else None
                    if found is not None:
                        token = found[1].decode()
                        break
            if token is None:
                raise RuntimeError("the viewer gave no token")
            reading = asyncio.create_task(_read_on(socket))
            try:
                yield client, f"{address}/app/static/wsi/{token}/"
            finally:
                reading.cancel()


async def _read_on(socket: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass


async def _warm_up(address: str, slide: Path) -> None:
    """Have one visit loaded what the first loads: the memory before is that of a server in use."""
    async with _session(address, slide) as (client, base):
        await _tile(client, f"{base}slide/0/0_0.jpg")


async def _tile(client: aiohttp.ClientSession, address: str) -> float:
    began = time.monotonic()
    async with client.get(address) as answer:
        content = await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {content[:80]!r}")
    return time.monotonic() - began


async def _view(address: str, slide: Path, until: float, number: int, told: Told) -> None:
    chance = random.Random(number)
    places = _places(slide)
    async with _session(address, slide) as (client, base):
        while time.monotonic() < until:
            chosen = chance.choice(places)
            layer = chance.choice(("slide.jpg", "slide.jpg", "haematoxylin.jpg", "tissue.webp"))
            name, _, suffix = layer.partition(".")
            asked = [
                _tile(client, f"{base}{name}/{level}/{x}_{y}.{suffix}")
                for level, x, y in chosen[:AT_ONCE]
            ]
            for answer in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(answer, BaseException):
                    told.errors.append(repr(answer))
                else:
                    told.seconds.append(answer)
            await asyncio.sleep(chance.uniform(*GLANCE_S))


def _places(slide: Path) -> list[list[tuple[int, int, int]]]:
    """Return views of some tiles side by side, as (level, column, row), on the finest levels."""
    opened = open_slide(slide)
    levels = DeepZoom(opened, 256).level_count
    size = opened.info.width, opened.info.height
    opened.close()
    views = []
    for level in range(max(0, levels - 4), levels):
        columns, rows = (-(-side // (256 << (levels - 1 - level))) for side in size)
        views += [
            [
                (level, min(x + dx, columns - 1), min(y + dy, rows - 1))
                for dy in (0, 1)
                for dx in range(3)
            ]
            for x in range(0, columns, 2)
            for y in range(0, rows, 2)
        ]
    return views


def attack_until(address: str, slide: Path, until: float) -> int:
    """Ask for too much of everything, until then by the clock of this machine; count refusals."""
    told = Told()
    asyncio.run(_attack(address, slide, until, told))
    return told.refused


async def _attack(address: str, slide: Path, until: float, told: Told) -> None:
    chance = random.Random(99)
    places = _places(slide)
    async with _session(address, slide) as (client, base):
        while time.monotonic() < until:
            whole = f"{base}picture.png?region=0,0,100000,100000&layers=tissue:1,haematoxylin:0.5"
            given_up = [asyncio.create_task(_ask(client, whole, told)) for _ in range(45)]
            made_up = [
                asyncio.create_task(_ask(client, f"{base}slide/0/0_0.jpg?x={'y' * 900}{n}", told))
                for n in range(100)
            ]
            tiles = [
                asyncio.create_task(_ask(client, f"{base}haematoxylin/{level}/{x}_{y}.jpg", told))
                for level, x, y in (
                    place for view in chance.choices(places, k=60) for place in view
                )
            ]
            await asyncio.sleep(1)
            for each in (*given_up, *made_up, *tiles):
                each.cancel()


async def _ask(client: aiohttp.ClientSession, address: str, told: Told) -> None:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with client.get(address) as answer:
            await answer.read()
            told.refused += answer.status != 200


if __name__ == "__main__":
    sys.exit(main())
