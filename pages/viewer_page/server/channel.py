"""The viewer's questions answered with the page's own data, for hosts that find no routes.

Some hosts start the pages without the `app` of ``streamlit_app.py``; what `routes` answers is then
found at no address. The viewer asks for the same addresses through its component's state instead,
several at once, and the next run of its fragment brings the answers. That is slower: each round
is a run of the fragment, pictures travel as text, and the browser keeps nothing.
"""

import asyncio
import base64
import logging
from collections.abc import MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.routing import Router

from pages.shared.tile_sources import TileSource
from pages.viewer_page.server.routes import ROUTES

_log = logging.getLogger(__name__)

# As many as the viewer asks at once; more would keep a page waiting that has something else to do.
_MOST_ADDRESSES = 24

_TEXT = "text/plain; charset=utf-8"

_router = Router(ROUTES)


def answers_to(question: object, source: TileSource) -> dict[str, Any] | None:
    """Return the answers to what the viewer asks, None where it asks nothing.

    Parameters
    ----------
    question : object
        What the browser has sent: a ``number``, to know the answers by, and ``addresses`` as the
        pages name them, relative to their base; with an address may come a ``body``, whose id
        keeps it from being done in each run of the fragment.
    source : TileSource
        What this session shows; nobody else's tiles are answered.

    Returns
    -------
    dict or None
        The ``number`` again, and ``answers`` in the order of the addresses: ``status``, ``type``
        and ``body``, the last in base64.
    """
    match question:
        case {"number": number, "addresses": [*addresses]} if addresses:
            asked = [_asked(each) for each in addresses[:_MOST_ADDRESSES]]
            # in a thread of its own: nobody knows what loop runs in this one
            with ThreadPoolExecutor(max_workers=1) as thread:
                answers = thread.submit(lambda: asyncio.run(_answer_all(asked, source))).result()
            return {"number": number, "answers": answers}
    return None


def _asked(each: object) -> tuple[str, bytes | None]:
    match each:
        case {"address": str(address), "body": str(body)}:
            return address, body.encode()
    return str(each), None


async def _answer_all(
    asked: list[tuple[str, bytes | None]], source: TileSource
) -> list[dict[str, Any]]:
    found = await asyncio.gather(
        *(_answer(address, body, source) for address, body in asked), return_exceptions=True
    )
    return [_failed(each) if isinstance(each, BaseException) else each for each in found]


async def _answer(address: str, body: bytes | None, source: TileSource) -> dict[str, Any]:
    parts = urlsplit(address)
    path = unquote(parts.path)
    if path == source.picture_address:
        return _refused(
            403, "This host sends no pictures in full size; Snapshot saves what is seen."
        )
    if not path.startswith((source.folder, "app/static/viewer/")):
        return _refused(404, "This view has expired; reload the page.")
    return await _ask_routes(path, parts.query, body)


def _failed(error: BaseException) -> dict[str, Any]:
    """Answer as a server does: one tile that fails by a mistake here is not the end of the page."""
    _log.error("what the viewer asked for cannot be answered", exc_info=error)
    return _refused(500, "This cannot be shown.")


def _refused(status: int, sentence: str) -> dict[str, Any]:
    return _packed(status, _TEXT, sentence.encode())


def _packed(status: int, content_type: str, body: bytes) -> dict[str, Any]:
    return {"status": status, "type": content_type, "body": base64.b64encode(body).decode()}


async def _ask_routes(path: str, query: str, content: bytes | None) -> dict[str, Any]:
    """Ask the routes as a server would; with content as a browser sends it."""
    scope = {
        "type": "http",
        # From this version on an answer need not watch, by `receive`, whether the browser has gone.
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET" if content is None else "POST",
        "scheme": "http",
        "path": f"/{path}",
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
    }
    status, headers, body = 500, {}, bytearray()

    sent = [] if content is None else [{"type": "http.request", "body": content}]

    async def receive() -> dict[str, Any]:
        if sent:
            return sent.pop()
        return await asyncio.get_running_loop().create_future()  # nothing comes after the question

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], dict(message["headers"])
        else:
            body.extend(message.get("body", b""))

    await _router(scope, receive, send)
    return _packed(status, headers.get(b"content-type", b"").decode("latin-1"), bytes(body))
