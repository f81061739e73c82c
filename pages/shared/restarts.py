"""A page that was open while the server was started anew begins anew by itself.

Streamlit's page connects again, but asks for nothing: what it shows belongs to a session that the
new server does not know, tiles answer 404 and controls of a fragment do nothing. So each page has
the name of the server it came from, and looks whether that is still the one that answers. Slide,
run, place and all that a person set stand in the address or are kept, and come back with the page.
"""

import secrets
from pathlib import Path

import streamlit as st

ADDRESS = "app/static/server"
"""Where the server tells its name, relative to the page's base."""

_FOLDER = Path(__file__).parent / "restart_view"

_SERVER = f"server-{secrets.token_hex(8)}"

_mount = st.components.v2.component(
    "restarts",
    css=":host { display: none; }",
    html="<i hidden></i>",
    js=(_FOLDER / "restarts.js").read_text("utf-8"),
)


def server_name() -> str:
    """Return the name of this server: another one each time it is started."""
    return _SERVER


def watch() -> None:
    """Load the page again once another server answers at its address."""
    _mount(key="_restarts", data={"address": ADDRESS, "server": server_name()})
