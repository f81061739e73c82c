"""Tiles do not pass what pages pass through."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.shared.doors import Doors
from pages.shared.tile_sources import TileSource
from pages.viewer_page.server.routes import pictures_below, routes_below
from pages.viewer_page.server.short_way import ShortWay

passed: list[str] = []


class Passage:
    """Stands for what pages pass through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        passed.append(scope["path"])
        await self._app(scope, receive, send)


@pytest.fixture(params=["", "lab/nuclei"])
def base(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(base: str) -> TestClient:
    passed.clear()
    layers = [
        Middleware(Doors),
        Middleware(ShortWay, routes=pictures_below(base)),
        Middleware(Passage),
    ]
    app = Starlette(routes=routes_below(base), middleware=layers)
    return TestClient(app, base_url="http://localhost:8501" + (f"/{base}/" if base else "/"))


def test_tiles_and_pictures_are_answered_at_once_with_what_every_answer_says(
    client: TestClient, source: TileSource
) -> None:
    tile = source.address("slide", "jpg").format(level=0, x=0, y=0)
    for address in (tile, f"{source.picture_address}?region=0,0,9,9", f"{tile}?made=up"):
        answer = client.get(address)
        assert answer.status_code == (400 if "made" in address else 200)
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert passed == []


def test_everything_else_goes_on(client: TestClient, source: TileSource) -> None:
    others = (f"{source.folder}nucleus.json", f"{source.folder}slide/x/0_0.jpg", "page")
    for address in others:
        client.get(address)
    client.post(source.address("slide", "jpg").format(level=0, x=0, y=0))
    assert len(passed) == 4
