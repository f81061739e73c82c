"""One visitor who asks for too much, or goes, does not keep the others waiting."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from pages.shared import resources
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page.server import queues, routes
from pages.viewer_page.server.fair_pool import FairPool, Places
from pages.viewer_page.server.full_picture import AskerGoneError
from pages.viewer_page.server.routes import routes_below
from seg_core.store import Run

APP = Starlette(routes=routes_below(""))


@pytest.fixture
def source(run: Run) -> TileSource:
    opened = resources.tile_sources().add(ChosenSlide(run.slide_path, 0.25), "greedy")
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

    def draw(self, _token: str, _query: object, file: Any, is_gone: Any) -> None:
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
