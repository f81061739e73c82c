"""With sign-in asked for nobody gets further without it."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from pages.shared import sign_in, state
from pages.shared.page_list import PAGES, PageEntry
from pages.shared.sign_in import SignedInUploads


@pytest.fixture
def required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEG_SIGN_IN", "1")


class Reader(SimpleNamespace):
    """What Streamlit says of who is signed in: attributes that can be read as a mapping, too."""

    def get(self, name, default=None):
        return getattr(self, name, default)


def reader(monkeypatch: pytest.MonkeyPatch, **facts: object) -> None:
    monkeypatch.setattr(st, "user", Reader(**facts))


@pytest.mark.usefixtures("required", "run")
@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_before_signing_in_a_page_is_one_button(
    visit, chosen, monkeypatch, entry: PageEntry
) -> None:
    reader(monkeypatch, is_logged_in=False)
    shown = visit(Path(entry.file).stem, slide=chosen)
    assert [button.label for button in shown.button] == ["Sign in"]
    assert not shown.sidebar.button
    assert "tiles" not in shown.session_state, "a token for tiles was handed out"


@pytest.mark.usefixtures("required")
def test_a_server_that_does_not_say_where_to_sign_in_lets_nobody_in(visit, monkeypatch) -> None:
    reader(monkeypatch)
    shown = visit("slides")
    assert "no section [auth]" in shown.error[0].value
    assert not shown.button


@pytest.mark.usefixtures("required")
def test_after_signing_in_all_is_there_and_one_can_sign_out(visit, chosen, monkeypatch) -> None:
    reader(monkeypatch, is_logged_in=True)
    shown = visit("viewer", slide=chosen)
    assert "tiles" in shown.session_state
    assert "Sign out" in [button.label for button in shown.sidebar.button]


def test_nobody_has_to_sign_in_by_default(visit, chosen, monkeypatch) -> None:
    monkeypatch.delenv("SEG_SIGN_IN", raising=False)
    shown = visit("viewer", slide=chosen)
    assert "tiles" in shown.session_state
    assert "Sign out" not in [button.label for button in shown.sidebar.button]


async def _taken(request: Request) -> PlainTextResponse:
    return PlainTextResponse("taken")


def upload_to(session: str) -> int:
    route = Route("/{prefix:path}/_stcore/upload_file/{session}/{file}", _taken, methods=["PUT"])
    app = Starlette(routes=[route], middleware=[Middleware(SignedInUploads)])
    return TestClient(app).put(f"/app/_stcore/upload_file/{session}/1", content=b"x").status_code


@pytest.mark.usefixtures("required")
def test_uploads_are_taken_from_signed_in_sessions_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    mark = state.SignedIn()
    monkeypatch.setitem(sign_in._signed_in, "inside", mark)
    assert upload_to("inside") == 200
    assert upload_to("outside") == 403


def test_uploads_are_taken_from_everybody_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEG_SIGN_IN", raising=False)
    assert upload_to("outside") == 200
