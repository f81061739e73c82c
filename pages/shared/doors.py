"""What every answer says to browsers, and whom nothing is answered at all.

The policy for pages lets nothing be loaded from elsewhere but OpenSeadragon, whose hash the browser
checks: a name that got into a page as Markdown could not fetch a picture and so tell who looks at
what. Streamlit's own program needs inline and evaluated scripts, which stay allowed.
"""

import os

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.shared.proxies import is_by_tls, is_handed_on
from pages.shared.slide_places import host_name, is_loopback

FRAMED_BY_VARIABLE = "SEG_FRAMED_BY"
"""Addresses of pages, apart from this server's own, that may show the dashboard in a frame."""

_CDN = "https://cdn.jsdelivr.net"
_OWN = "'self' data: blob:"
_POLICY = (
    f"default-src {_OWN} 'unsafe-inline' 'unsafe-eval' {_CDN}",
    f"img-src {_OWN}",
    f"media-src {_OWN}",
    f"font-src {_OWN}",
    f"connect-src {_OWN} {_CDN}",
    "frame-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
)

_CHANGING = {"PUT", "POST", "PATCH", "DELETE"}


class Doors:
    """Refuses what comes from other sites, and tells browsers how far they may trust the answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, with the headers, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = _refusal(scope, headers)
        if reason is not None:
            await _refuse(reason, scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_secure = is_by_tls(headers, scope.get("scheme", "http"))
                _add_headers(MutableHeaders(scope=message), is_secure=is_secure)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _refusal(scope: Scope, headers: Headers) -> str | None:
    """Return why a request is refused, None where it is not."""
    # Browsers say it themselves, and no page can make them say otherwise.
    site = headers.get("sec-fetch-site", "same-origin")
    if scope.get("method") in _CHANGING and site not in ("same-origin", "none"):
        return "Another site may not change anything here."
    # On the reader's own machine a page of somebody else's, whose name has been made to lead here,
    # counts as the same site for the browser; only the name that it asks for tells.
    asked_for = host_name(headers.get("host", ""))
    if (
        is_loopback(st.get_option("server.address"))
        and not st.get_option("server.allowedHosts")
        and not is_handed_on(headers)
        and not is_loopback(asked_for)
    ):
        return (
            "This server is for its own machine and is not known by this name; open it as localhost, "
            "or name its hosts in server.allowedHosts."
        )
    return None


async def _refuse(reason: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": reason[:100]})
    else:
        await PlainTextResponse(reason, 403)(scope, receive, send)


def _add_headers(headers: MutableHeaders, *, is_secure: bool) -> None:
    headers["x-content-type-options"] = "nosniff"
    headers["referrer-policy"] = "same-origin"
    if headers.get("content-type", "").startswith("text/html"):
        framed_by = f"frame-ancestors 'self' {os.environ.get(FRAMED_BY_VARIABLE, '')}".strip()
        headers["content-security-policy"] = "; ".join((*_POLICY, framed_by))
    if is_secure:
        cookies = headers.getlist("set-cookie")
        del headers["set-cookie"]
        for cookie in cookies:
            is_marked = "; secure" in cookie.lower()
            headers.append("set-cookie", cookie if is_marked else f"{cookie}; Secure")
