"""How what is asked for is done in turn, and left undone where whoever asked has gone.

Pictures in full size have a thread of their own, so that they never stand before tiles, and of the
lower priority that analyses have: each takes seconds of a core.
"""

import asyncio
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from pages.shared import singletons
from pages.viewer_page.server.fair_pool import FairPool, Places
from seg_core.process.worker import NICENESS

_PIECE_BYTES = 256 * 1024

# What a proxy answers where the browser has hung up; nobody reads it.
_GONE = 499


@dataclass(eq=False)
class Asking:
    """What is known of a question while it is answered."""

    visitor: str
    page: str
    places: Places
    _gone: threading.Event = field(default_factory=threading.Event)
    is_sent_later: bool = False
    _files: list[IO[bytes]] = field(default_factory=list)

    def is_gone(self) -> bool:
        """Tell whether whoever asked has hung up."""
        return self._gone.is_set()

    def leave(self) -> None:
        """Note that whoever asked has hung up."""
        self._gone.set()

    def file(self) -> IO[bytes]:
        """Return a file without a name for a long answer: it goes with the answer.

        In memory the answers to slow readers would add up.
        """
        file = tempfile.TemporaryFile()  # noqa: SIM115 - `end` closes it
        self._files.append(file)
        return file

    def answer_of(self, file: IO[bytes], media_type: str, headers: dict[str, str]) -> Response:
        """Return the file as an answer, which has its place until it has been sent."""
        self.is_sent_later = True
        length = {"Content-Length": str(file.tell())}
        return _Sent(self, file, media_type, {**headers, **length})

    def end(self) -> None:
        """Give the place back and put the files away; nobody may be writing to them any more."""
        for file in self._files:
            file.close()
        self.places.give_back(self.visitor, self.page)


Work = Callable[[Asking], Response]


class _Sent(StreamingResponse):
    def __init__(
        self, asking: Asking, file: IO[bytes], media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(_pieces(file), media_type=media_type, headers=headers)
        self._asking = asking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._asking.end()


class Queue:
    """A pool of threads, and how much may be asked of it at once.

    Parameters
    ----------
    pool : FairPool
    places : Places
    """

    def __init__(self, pool: FairPool, places: Places) -> None:
        self._pool, self._places = pool, places

    async def answer(self, request: Request, work: Work) -> Response:
        """Do what is asked for when its turn comes.

        Raises
        ------
        TooManyError
            If too much is asked for already.
        Exception
            Whatever ``work`` raises.
        """
        source = singletons.tile_sources().find(request.path_params["token"])
        self._places.take(source.visitor, source.token)
        asking = Asking(source.visitor, source.token, self._places)
        future = self._pool.submit(source.visitor, lambda: work(asking))
        answer: asyncio.Future[Response] = asyncio.wrap_future(future)
        leaving = asyncio.create_task(_hung_up(request))
        # what waits leaves the queue by this, and what is being drawn is told by `asking`
        leaving.add_done_callback(lambda _: answer.cancel())
        try:
            return await answer
        except asyncio.CancelledError:
            if not leaving.done():  # the server itself ends
                raise
            return Response(status_code=_GONE)
        finally:
            leaving.cancel()
            if answer.cancelled():
                asking.leave()
            if asking.is_gone() or not asking.is_sent_later:
                # what is being drawn ends at its next step, and only then may its file be closed
                future.add_done_callback(lambda _: asking.end())


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(_PIECE_BYTES):
        yield piece


_cores = os.cpu_count() or 1
_threads = max(4, min(16, 2 * _cores))

# A page asks for six tiles and six squares of outlines at once; those that it has given up are counted
# until the server knows.
TILES = Queue(
    FairPool("tiles", threads=_threads, of_one=_threads // 2), Places(200, 2000, of_page=48)
)
PICTURES = Queue(FairPool("pictures", threads=1, of_one=1, niceness=NICENESS), Places(2, 12))
