"""Uploads lie in memory while they arrive, no longer, and never more than there is room for."""

import asyncio
from types import SimpleNamespace

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFile, UploadedFileRec

from pages.shared import upload_memory
from pages.shared.upload_memory import UploadRoom, let_go

ADDRESS = "/below/_stcore/upload_file/session/1"


async def take(request: Request) -> Response:
    return PlainTextResponse(f"{len(await request.body())} bytes")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(upload_memory, "spare_memory", lambda: 1000)
    monkeypatch.setattr(st, "get_option", {"server.maxUploadSize": 1}.get)
    routes = [Route("/{path:path}", take, methods=["PUT", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(UploadRoom)]))


def test_an_upload_for_which_there_is_room_is_taken_again_and_again(client: TestClient) -> None:
    for _ in range(3):
        assert client.put(ADDRESS, content=b"x" * 400).text == "400 bytes"


def test_one_for_which_there_is_none_is_refused_in_a_sentence(client: TestClient) -> None:
    answer = client.put(ADDRESS, content=b"x" * 500)
    assert answer.status_code == 413
    assert answer.text == (
        "This server has not enough memory left for so large an upload; try again later, or ask "
        "whoever runs it to put the slide into the folder that it offers."
    )
    assert client.put("/elsewhere", content=b"x" * 800).status_code == 200


@pytest.mark.parametrize("said", ["", "-5", "9" * 30, "many"])
def test_one_that_does_not_say_its_size_counts_as_the_largest(
    client: TestClient, said: str
) -> None:
    def pieces():
        yield b"x"

    headers = {"content-length": said} if said else {}
    assert client.put(ADDRESS, content=pieces(), headers=headers).status_code == 413


def test_what_comes_at_once_counts_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_memory, "spare_memory", lambda: 1000)
    statuses: list[int] = []

    async def app(_scope, _receive, send) -> None:
        await asyncio.sleep(0.05)
        await PlainTextResponse("taken")(_scope, _receive, send)

    async def send(message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def ask(room: UploadRoom) -> None:
        headers = [(b"content-length", b"300")]
        scope = {"type": "http", "method": "PUT", "path": ADDRESS, "headers": headers}
        await room(scope, None, send)

    async def both() -> None:
        room = UploadRoom(app)
        await asyncio.gather(ask(room), ask(room))
        await ask(room)

    asyncio.run(both())
    assert sorted(statuses) == [200, 200, 413]


def test_what_lies_on_the_disk_is_not_held_and_still_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager = MemoryUploadedFileManager("/upload")
    record = UploadedFileRec("1", "a.svs", "image/tiff", b"x" * 1000)
    manager.add_file("me", record)
    context = SimpleNamespace(uploaded_file_mgr=manager, session_id="me")
    monkeypatch.setattr(upload_memory, "get_script_run_ctx", lambda: context)
    own, copy = UploadedFile(record, FileURLs()), UploadedFile(record, FileURLs())
    monkeypatch.setattr(st, "session_state", {"_files": [own]})
    let_go(copy, "_files")
    assert (own.getvalue(), copy.getvalue()) == (b"", b"")
    (kept,) = manager.get_files("me", ["1"])
    assert (kept.name, kept.data) == ("a.svs", b"")
