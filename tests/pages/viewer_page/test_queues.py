"""One visitor who asks for too much, or goes, does not keep the others waiting."""

import asyncio
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from pages.shared import singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page.server import queues, routes
from pages.viewer_page.server.drawing import Tile
from pages.viewer_page.server.fair_pool import FairPool, Places
from pages.viewer_page.server.full_picture import AskerGoneError
from pages.viewer_page.server.routes import routes_below
from pages.viewer_page.server.tiles import TileRequest
from seg_core.store import Run

APP = Starlette(routes=routes_below(""))
WEB = Path(__file__).parents[3] / "pages" / "viewer_page" / "web"
WAIT_S = 60


@pytest.fixture
def source(run: Run) -> TileSource:
    opened = singletons.tile_sources().add(ChosenSlide(run.slide_path, 0.25), "greedy")
    opened.runs[run.run_id] = run
    return opened


class Browser:
    """Asks for one address, as a server hands it on, and may hang up."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.gone = asyncio.Event()
        self.status = 0
        self.body = b""
        self._told = False

    async def ask(self) -> "Browser":
        parts = urlsplit(self.address)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": parts.path,
            "root_path": "",
            "query_string": parts.query.encode(),
            "headers": [],
        }
        await APP(scope, self._receive, self._send)
        return self

    async def _receive(self) -> dict[str, Any]:
        if not self._told:
            self._told = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.body += message.get("body", b"")


class SlowPictures:
    """Stands for the drawing of pictures: each is drawn until somebody lets it end, or hangs up."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.let_end = threading.Event()
        self.started = 0
        self.given_up = threading.Semaphore(0)

    def draw(self, _asked: object, file: Any, is_gone: Any) -> None:
        self.started += 1
        self.begun.release()
        while not self.let_end.wait(0.01):
            if is_gone():
                self.given_up.release()
                raise AskerGoneError
        file.write(b"picture")


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowPictures]:
    slow = SlowPictures()
    monkeypatch.setattr(routes, "draw_full_picture", slow.draw)
    fresh = queues.Queue(FairPool("pictures", threads=1, of_one=1), Places(2, 3))
    monkeypatch.setattr(routes, "PICTURES", fresh)
    yield slow
    slow.let_end.set()


def picture_of(source: TileSource) -> str:
    return f"/{source.picture_address}?region=0,0,100,100"


def tile_of(source: TileSource) -> str:
    return "/" + source.address("slide", "jpg").format(level=0, x=0, y=0)


async def once(happened: threading.Semaphore) -> None:
    with ThreadPoolExecutor(1) as thread:
        await asyncio.get_running_loop().run_in_executor(thread, happened.acquire)


def test_pictures_that_are_given_up_hold_up_nobody_and_are_not_drawn(
    source: TileSource, pictures: SlowPictures
) -> None:
    async def visit() -> None:
        browsers = [Browser(picture_of(source)) for _ in range(45)]
        asked = [asyncio.ensure_future(each.ask()) for each in browsers]
        await once(pictures.begun)
        tile = await Browser(tile_of(source)).ask()  # answered while a picture is being drawn
        assert tile.status == 200
        for each in browsers:
            each.gone.set()
        answers = [each.status for each in await asyncio.gather(*asked)]
        assert answers.count(429) == 43
        assert b"asked for 2 of these at once" in browsers[-1].body
        await once(pictures.given_up)
        pictures.let_end.set()
        # the places are free again: the next picture is drawn
        again = await _until_there_is_a_place(source)
        assert (again.status, again.body) == (200, b"picture")

    asyncio.run(visit())
    assert pictures.started == 2, "the second of the 45 waited, and left before it was drawn"


async def _until_there_is_a_place(source: TileSource) -> Browser:
    while (answer := await Browser(picture_of(source)).ask()).status == 429:
        await asyncio.sleep(0.01)
    return answer


class SlowTiles:
    """Stands for the drawing of tiles: the first waits until it is let go on; all are written down."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.drawn: list[str] = []

    def draw(self, asked: TileRequest) -> Tile:
        self.begun.release()
        assert self.go_on.wait(WAIT_S)
        self.drawn.append(singletons.tile_sources().find(asked.token).visitor)
        return Tile(b"tile", "image/jpeg")


@pytest.fixture
def tiles(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowTiles]:
    """One thread that draws, and places for four tiles of a page and six of a visitor."""
    slow = SlowTiles()
    monkeypatch.setattr(routes, "draw_tile", slow.draw)
    pool = FairPool("tiles", threads=1, of_one=1)
    monkeypatch.setattr(routes, "TILES", queues.Queue(pool, Places(6, 100, of_page=4)))
    yield slow
    slow.go_on.set()


def opened_by(source: TileSource, visitor: str) -> TileSource:
    return singletons.tile_sources().add(source.slide, visitor)


def test_however_many_tiles_one_waits_for_another_waits_for_one_of_them(
    source: TileSource, tiles: SlowTiles
) -> None:
    modest = opened_by(source, "modest")

    async def visit() -> None:
        flood = [asyncio.ensure_future(Browser(tile_of(source)).ask()) for _ in range(100)]
        await once(tiles.begun)
        other = asyncio.ensure_future(Browser(tile_of(modest)).ask())
        await asyncio.sleep(0)  # it stands in the queue
        tiles.go_on.set()
        assert (await other).body == b"tile"
        statuses = [each.status for each in await asyncio.gather(*flood)]
        assert sorted(set(statuses)) == [200, 429]
        assert statuses.count(200) == 4

    asyncio.run(visit())
    # besides the one that was being drawn
    assert tiles.drawn == ["greedy", "greedy", "modest", "greedy", "greedy"]


def test_a_page_that_floods_leaves_room_for_its_visitors_other_page_and_for_others(
    source: TileSource, tiles: SlowTiles
) -> None:
    again, modest = opened_by(source, "greedy"), opened_by(source, "modest")

    async def visit() -> None:
        flood = [asyncio.ensure_future(Browser(tile_of(source)).ask()) for _ in range(4)]
        await once(tiles.begun)
        refused = await Browser(tile_of(source)).ask()
        assert refused.status == 429
        assert b"Your browser has asked for 4 of these at once" in refused.body
        let_in = [Browser(tile_of(each)) for each in (again, again, modest)]
        asked = [asyncio.ensure_future(each.ask()) for each in let_in]
        await asyncio.sleep(0)
        assert b"asked for 6 of these" in (await Browser(tile_of(again)).ask()).body
        tiles.go_on.set()
        assert {each.status for each in await asyncio.gather(*flood, *asked)} == {200}

    asyncio.run(visit())


def test_tiles_that_are_given_up_while_they_wait_are_not_drawn(
    source: TileSource, tiles: SlowTiles
) -> None:
    modest = opened_by(source, "modest")

    async def visit() -> None:
        browsers = [Browser(tile_of(source)) for _ in range(4)]
        asked = [asyncio.ensure_future(each.ask()) for each in browsers]
        await once(tiles.begun)
        for each in browsers:
            each.gone.set()
        await asyncio.gather(*asked)
        tiles.go_on.set()
        assert (await Browser(tile_of(modest)).ask()).body == b"tile"

    asyncio.run(visit())
    assert tiles.drawn == ["greedy", "modest"]


def test_a_page_asks_for_a_quarter_of_what_it_may_at_once() -> None:
    """Tiles of OpenSeadragon and squares of outlines; those given up count until that is known."""
    limits = {
        "slide_viewer.js": r"imageLoaderLimit: (\d+)",
        "outline_squares.js": r"AT_ONCE = (\d+)",
    }
    asks = sum(
        int(re.search(limit, (WEB / name).read_text())[1])  # type: ignore[index]
        for name, limit in limits.items()
    )
    for number in range(4 * asks):
        queues.TILES._places.take("somebody", "a page")
        assert number < 200
    for _ in range(4 * asks):
        queues.TILES._places.give_back("somebody", "a page")


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("{folder}slide/0/0_0.jpg?made=up", 400),
        ("{folder}slide/0/0_0.jpg?palette=none", 404),
        ("app/static/wsi/unknown/slide/0/0_0.jpg", 404),
        ("{folder}picture.png?region=0,0,9,9&made=up", 400),
        ("{folder}picture.png?region=0,0,9,9&layers=none:1", 404),
        ("{folder}picture.png?region=nowhere", 404),
    ],
)
def test_what_no_page_asks_for_is_refused_while_nothing_can_be_drawn(
    source: TileSource, tiles: SlowTiles, pictures: SlowPictures, address: str, status: int
) -> None:
    async def visit() -> None:
        busy = [Browser(tile_of(source)), Browser(picture_of(source))]
        asked = [asyncio.ensure_future(each.ask()) for each in busy]
        await once(tiles.begun)
        await once(pictures.begun)
        async with asyncio.timeout(WAIT_S):
            refused = await Browser("/" + address.format(folder=source.folder)).ask()
        assert refused.status == status
        tiles.go_on.set()
        pictures.let_end.set()
        await asyncio.gather(*asked)

    asyncio.run(visit())
    assert len(tiles.drawn) == pictures.started == 1


def test_a_picture_keeps_its_place_until_it_has_been_sent(
    source: TileSource, pictures: SlowPictures
) -> None:
    pictures.let_end.set()
    reading = asyncio.Event

    async def visit() -> None:
        read_on = reading()
        slow = [Browser(picture_of(source)) for _ in range(2)]

        async def send_slowly(message: Any) -> None:
            await read_on.wait()

        for each in slow:
            each._send = send_slowly  # type: ignore[method-assign]
        asked = [asyncio.ensure_future(each.ask()) for each in slow]
        await once(pictures.begun)
        await once(pictures.begun)
        assert (await Browser(picture_of(source)).ask()).status == 429
        read_on.set()
        await asyncio.gather(*asked)
        assert (await Browser(picture_of(source)).ask()).status == 200

    asyncio.run(visit())


def test_a_disk_without_room_for_a_picture_is_a_sentence(
    source: TileSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(routes, "draw_full_picture", full)
    answer = asyncio.run(Browser(picture_of(source)).ask())
    assert answer.status == 500
    assert b"no room for so large a picture now; zoom in, or save a snapshot" in answer.body
