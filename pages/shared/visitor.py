"""Knows a browser again, so that what somebody draws on a shared server stays theirs.

The cookie is a random number and nothing else: no name, no trace of what was looked at.
"""

import hashlib
import secrets

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime.scriptrunner import get_script_run_ctx

COOKIE = "seg_reader"

_BYTES = 24
_YEAR_S = 365 * 24 * 3600


def folder_name() -> str | None:
    """Return the name of what is kept for the reader alone, None where the browser has no cookie.

    Whoever can list the folders of a store still cannot be another reader.
    """
    number = st.context.cookies.get(COOKIE)
    return None if number is None else hashlib.sha256(number.encode()).hexdigest()[:32]


def asker() -> str | None:
    """Return whose turn it is where visitors take turns: the reader's, else the session's own."""
    context = get_script_run_ctx()
    return folder_name() or (None if context is None else context.session_id)


class ReaderCookie:
    """Gives the cookie to a browser that asks for a page and has none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, with the cookie where it is missing."""
        if scope["type"] != "http" or COOKIE in HTTPConnection(scope).cookies:
            await self._app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # Only with the page itself: its many files are asked for at once, each without it.
                if headers.get("content-type", "").startswith("text/html"):
                    headers.append("set-cookie", _new_cookie())
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def _new_cookie() -> str:
    name_and_value = f"{COOKIE}={secrets.token_urlsafe(_BYTES)}"
    return f"{name_and_value}; Path=/; Max-Age={_YEAR_S}; HttpOnly; SameSite=Lax"
