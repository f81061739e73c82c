"""What the server answers beside the pages: tiles, outlines, and the viewer's own files.

All addresses begin with ``/app/static/``, which Streamlit leaves to the app and which hosting
proxies let through; pages name them relative to their own address, so a path prefix does no harm.
"""

import asyncio
import gc
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pages.shared import restarts, shown_names, uploads
from pages.shared.housekeeping import keep_house
from pages.shared.tile_sources import AddressError, UnknownTileError
from pages.viewer_page import brushing, correcting
from pages.viewer_page.nucleus_hover import nucleus_at
from pages.viewer_page.outlines import outlines_of_square
from pages.viewer_page.server.drawing import draw_tile
from pages.viewer_page.server.fair_pool import TooManyError
from pages.viewer_page.server.full_picture import draw_full_picture, picture_request
from pages.viewer_page.server.queues import PICTURES, TILES, Asking
from pages.viewer_page.server.tiles import tile_request
from pages.viewer_page.server.web_files import public_files
from seg_core.errors import CorrectionError, RegionError, SegCoreError, StoreError
from seg_core.files import temporary
from seg_core.files.bounded import bound_texts
from seg_core.process.memory import hold_little_memory

_log = logging.getLogger(__name__)

# A token's picture never changes: another slide has another token, another run or other names of
# its nuclei another query.
_TILE_HEADERS = {"Cache-Control": "private, max-age=86400, immutable"}
_FILE_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable"}

# What outlines of a file may take while they are read: some hundred thousand nuclei.
_TEXT_BYTES = 800_000_000
_NOT_KEPT = {"Cache-Control": "no-store"}


Endpoint = Callable[[Request], Awaitable[Response]]


def _told(answer: Endpoint) -> Endpoint:
    """Have an endpoint say in words why there is no answer."""

    @wraps(answer)
    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except (AddressError, CorrectionError) as error:
            return PlainTextResponse(str(error), 400, _NOT_KEPT)
        except (UnknownTileError, RegionError) as error:
            return PlainTextResponse(str(error), 404, _NOT_KEPT)
        except TooManyError as error:
            return PlainTextResponse(str(error), 429, {**_NOT_KEPT, "Retry-After": "5"})
        except SegCoreError as error:
            request_id = secrets.token_hex(4)
            _log.exception("a tile cannot be drawn", extra={"request": request_id})
            headers = {**_NOT_KEPT, "X-Request-Id": request_id}
            return PlainTextResponse(str(error), 500, headers)

    return told


@_told
async def tile(request: Request) -> Response:
    """Answer one tile of the slide or of a layer."""
    # before it waits for its turn: what no page asks for costs no more than to read its address
    asked = tile_request(request.path_params, request.query_params)

    def draw(_asking: Asking) -> Response:
        headers = _headers(request)
        drawn = draw_tile(asked)
        return Response(drawn.content, media_type=drawn.media_type, headers=headers)

    return await TILES.answer(request, draw)


@_told
async def full_picture(request: Request) -> Response:
    """Answer a part of the slide with its layers in full resolution."""
    asked = picture_request(request.path_params["token"], request.query_params)

    def draw(asking: Asking) -> Response:
        file = asking.file()
        try:
            draw_full_picture(asked, file, asking.is_gone)
        except OSError as error:
            raise StoreError(
                "this server has no room for so large a picture now; zoom in, or save a snapshot of "
                "what is seen."
            ) from error
        return asking.answer_of(file, "image/png", _NOT_KEPT)

    return await PICTURES.answer(request, draw)


@_told
async def outlines(request: Request) -> Response:
    """Answer the outlines of the nuclei of a square of the slide."""

    def pack(_asking: Asking) -> Response:
        headers = _headers(request)
        content = outlines_of_square(request.path_params, request.query_params)
        return Response(content, media_type="application/octet-stream", headers=headers)

    return await TILES.answer(request, pack)


def _headers(request: Request) -> dict[str, str]:
    """Let a browser keep what will always be so.

    Asked before the answer is made: a correction meanwhile makes it one of an older version.
    """
    current = shown_names.are_current(request.path_params["token"], request.query_params)
    return _TILE_HEADERS if current else _NOT_KEPT


@_told
async def nucleus(request: Request) -> Response:
    """Answer in a few words which nucleus is at a point, nothing where there is none."""

    def find(_asking: Asking) -> Response:
        headers = _headers(request)
        found = nucleus_at(request.path_params["token"], request.query_params)
        return JSONResponse(found, headers=headers)

    return await TILES.answer(request, find)


@_told
async def corrections(request: Request) -> Response:
    """Correct nuclei, or answer under which version of their names they are called now."""
    token, query = request.path_params["token"], request.query_params
    if request.method != "POST":
        return await run_in_threadpool(lambda: _json(correcting.version_of(token, query)))
    content = await _sent(request, correcting.MOST_BYTES)
    # not in turn with tiles: a short thing, which is done though whoever asked has gone
    return await run_in_threadpool(lambda: _json(correcting.take(token, query, content)))


@_told
async def brushed(request: Request) -> Response:
    """Answer the outline of a region after a stroke of the brush."""
    token = request.path_params["token"]
    content = await _sent(request, brushing.MOST_BYTES)
    return await run_in_threadpool(lambda: _json(brushing.brushed(token, content)))


async def _sent(request: Request, most_bytes: int) -> bytes:
    """Return what came with a request; of too much so much that it is refused in words."""
    content = bytearray()
    async for piece in request.stream():
        content += piece
        if len(content) > most_bytes:
            break  # without holding the rest in memory
    return bytes(content)


def _json(answer: dict[str, Any]) -> Response:
    return JSONResponse(answer, headers=_NOT_KEPT)


async def viewer_file(request: Request) -> Response:
    """Answer a module of the viewer, or OpenSeadragon where npm has installed it."""
    path = public_files().get(request.path_params["name"])
    if path is None:
        return PlainTextResponse("There is no such file.", 404, _NOT_KEPT)
    return FileResponse(path, media_type="text/javascript", headers=_FILE_HEADERS)


async def server(_request: Request) -> Response:
    """Answer which start of the server this is."""
    return PlainTextResponse(restarts.server_name(), headers=_NOT_KEPT)


class _Count(Convertor[int]):
    """A number of a tile: Starlette's own takes any number of digits, which Python refuses to read."""

    regex = "[0-9]{1,9}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("count", _Count())

PICTURES_OF_SLIDES = [
    Route("/app/static/wsi/{token}/{layer}/{level:count}/{x:count}_{y:count}.{ext}", tile),
    Route("/app/static/wsi/{token}/picture.png", full_picture),
]
ROUTES = [
    *PICTURES_OF_SLIDES,
    Route("/app/static/wsi/{token}/nucleus.json", nucleus),
    Route("/app/static/wsi/{token}/corrections.json", corrections, methods=["GET", "POST"]),
    Route("/app/static/wsi/{token}/brushed.json", brushed, methods=["POST"]),
    Route("/app/static/wsi/{token}/nuclei/{column:count}_{row:count}.bin", outlines),
    Route(f"/{restarts.ADDRESS}", server),
    Route("/app/static/viewer/{version}/{name}", viewer_file),
]


def routes_below(base: str) -> list[BaseRoute]:
    """Return the routes for a server that answers below a path (``server.baseUrlPath``).

    Streamlit sets its own addresses below it, but not those of the app.
    """
    return _below(base, ROUTES)


def pictures_below(base: str) -> list[BaseRoute]:
    """Return those of `routes_below` that answer tiles and pictures, which nothing compresses."""
    return _below(base, PICTURES_OF_SLIDES)


def _below(base: str, routes: list[Route]) -> list[BaseRoute]:
    prefix = "/" + base.strip("/") if base.strip("/") else ""
    return [
        Route(prefix + route.path, route.endpoint, methods=list(route.methods or ()))
        for route in routes
    ]


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Have each tile sent at once, in little memory, and put away what sessions and a killed server leave.

    Nagle's algorithm holds the last packet of an answer back until the browser has acknowledged
    the one before, 40 ms a tile. asyncio switches it off only for sockets that name their
    protocol, which Streamlit's does not; a connection inherits the option from the listening
    socket. That socket is nowhere handed out, hence the search for it.
    """
    uploads.remove_abandoned()
    temporary.remove_abandoned()
    hold_little_memory()
    bound_texts(_TEXT_BYTES)
    for each in _internet_sockets():
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    house = asyncio.create_task(keep_house())
    yield
    house.cancel()


def _internet_sockets() -> Iterator[socket.socket]:
    for each in gc.get_objects():
        if (
            type(each) is socket.socket
            and each.fileno() >= 0
            and each.type == socket.SOCK_STREAM
            and each.family in (socket.AF_INET, socket.AF_INET6)
        ):
            yield each
