"""What every answer says to browsers, and who is refused."""

import tomllib
from pathlib import Path

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.shared.doors import FRAMED_BY_VARIABLE, Doors
from pages.shared.visitor import ReaderCookie

ROOT = Path(__file__).parents[2]


async def page(_request: Request) -> Response:
    return HTMLResponse("<p>a page</p>")


async def upload(_request: Request) -> Response:
    return PlainTextResponse("taken")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("welcome")
    await socket.close()


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the server has been told, for the test to change."""
    told: dict[str, object] = {"server.address": "localhost", "server.allowedHosts": []}
    monkeypatch.setattr(st, "get_option", told.get)
    return told


@pytest.fixture
def client(options: dict[str, object]) -> TestClient:
    routes = [
        Route("/", page),
        Route("/upload", upload, methods=["PUT"]),
        WebSocketRoute("/stream", stream),
    ]
    layers = [Middleware(Doors), Middleware(ReaderCookie)]
    return TestClient(Starlette(routes=routes, middleware=layers), base_url="http://localhost:8501")


def test_pages_load_nothing_from_elsewhere_and_are_framed_by_nobody(client: TestClient) -> None:
    headers = client.get("/").headers
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] == "'self'"
    assert policy["img-src"] == "'self' data: blob:"
    assert policy["object-src"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"


def test_whoever_runs_it_may_name_a_page_that_frames_it(client, monkeypatch) -> None:
    monkeypatch.setenv(FRAMED_BY_VARIABLE, "https://portal.example.org")
    policy = client.get("/").headers["content-security-policy"]
    assert "frame-ancestors 'self' https://portal.example.org" in policy


def test_the_cookie_is_for_tls_alone_where_there_is_tls(client: TestClient) -> None:
    assert "Secure" not in client.get("/").headers["set-cookie"]
    client.cookies.clear()
    behind = client.get("/", headers={"X-Forwarded-Proto": "https"})
    assert behind.headers["set-cookie"].endswith("HttpOnly; SameSite=Lax; Secure")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_upload_nothing(client: TestClient, site: str) -> None:
    answer = client.put("/upload", headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, answer.text) == (
        403,
        "Another site may not change anything here.",
    )
    assert client.put("/upload", headers={"Sec-Fetch-Site": "same-origin"}).text == "taken"
    assert client.put("/upload").text == "taken"


def test_a_name_that_was_made_to_lead_to_this_machine_is_refused(
    client: TestClient, options: dict[str, object]
) -> None:
    rebound = {"Host": "evil.example:8501"}
    answer = client.get("/", headers=rebound)
    assert answer.status_code == 403
    assert "open it as localhost, or name its hosts in server.allowedHosts" in answer.text
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/stream", headers=rebound):
        pass
    with client.websocket_connect("/stream", headers={"Host": "localhost:8501"}) as socket:
        assert socket.receive_text() == "welcome"
    options["server.allowedHosts"] = ["evil.example"]
    assert client.get("/", headers=rebound).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "[::1]:8501", "localhost"])
def test_this_machine_is_answered_by_each_of_its_names(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


def test_a_proxy_that_names_itself_is_answered(client: TestClient) -> None:
    headers = {"Host": "slides.example.org", "X-Forwarded-For": "203.0.113.9"}
    assert client.get("/", headers=headers).status_code == 200


def test_a_server_for_others_is_asked_by_any_name(client, options) -> None:
    options["server.address"] = None
    assert client.get("/", headers={"Host": "slides.example.org"}).status_code == 200


def test_visitors_see_neither_paths_nor_lines_of_the_program() -> None:
    """Streamlit shows a page's traceback to whoever looks, unless it is told not to."""
    told = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert told["client"]["showErrorDetails"] == "none"
