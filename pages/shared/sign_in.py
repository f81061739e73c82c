"""Who may use the dashboard where ``SEG_SIGN_IN=1``: whoever the provider of identities knows.

Streamlit does the signing in (OpenID Connect). Tokens for tiles are made by pages that come after
`require_sign_in`, so tiles are asked for by signed-in sessions alone; Streamlit's own address for
uploads takes files from any session, so `SignedInUploads` stands before it.
"""

import os
import weakref

import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.shared import state
from pages.shared.upload_memory import UPLOAD

SIGN_IN_VARIABLE = "SEG_SIGN_IN"
"""1: nobody sees more than a button to sign in before having done so."""

# Held weakly: when a session ends, its id is forgotten.
_signed_in: "weakref.WeakValueDictionary[str, state.SignedIn]" = weakref.WeakValueDictionary()


def sign_in_is_required() -> bool:
    """Tell whether the environment asks for it."""
    return os.environ.get(SIGN_IN_VARIABLE) == "1"


def require_sign_in() -> None:
    """End the page with a button to sign in, unless nobody has to or the reader has."""
    if not sign_in_is_required():
        return
    is_logged_in = getattr(st.user, "is_logged_in", None)
    if is_logged_in is None:
        st.error(
            "This server asks for sign-in, but does not say where: its secrets have no section "
            "[auth]. Whoever runs it finds what is needed in docs/deploy.md."
        )
        st.stop()
    if not is_logged_in:
        st.info("Sign in to open slides.", icon=":material/lock:")
        st.button("Sign in", type="primary", on_click=st.login)
        st.stop()
    _remember_session()


def signed_in_name() -> str:
    """Return what the provider of identities calls the reader; empty where nobody signs in."""
    if not sign_in_is_required():
        return ""
    return str(st.user.get("name") or st.user.get("email") or "")


def offer_sign_out() -> None:
    """Show a button that ends the session, where there was a sign-in."""
    if sign_in_is_required():
        st.button("Sign out", icon=":material/logout:", on_click=st.logout, width="stretch")


class SignedInUploads:
    """Refuses uploads to sessions that have not signed in, where they have to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, or with 403."""
        target = UPLOAD.search(scope["path"]) if scope["type"] == "http" else None
        if target and sign_in_is_required() and target["session"] not in _signed_in:
            await PlainTextResponse("Sign in first.", 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _remember_session() -> None:
    context = get_script_run_ctx()
    if context is not None:
        mark = state.SIGNED_IN.get() or state.SignedIn()
        state.SIGNED_IN.set(mark)
        _signed_in[context.session_id] = mark
