"""Tiles are answered before all that pages pass through.

A server that many look at answers hundreds of tiles a second, all by one thread. Cookies, uploads,
sessions, compression and Streamlit's own addresses concern none of them, and took more of that
thread's time than the tiles did.
"""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send


class ShortWay:
    """Answers some addresses at once and hands everything else on.

    Parameters
    ----------
    app : ASGI app
    routes : sequence of BaseRoute
        Those that are answered at once.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app, self._routes = app, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the first route that knows the address."""
        if scope["type"] == "http":
            for route in self._routes:
                match, found = route.matches(scope)
                if match is Match.FULL:
                    await route.handle({**scope, **found}, receive, send)
                    return
        await self._app(scope, receive, send)
