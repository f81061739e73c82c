"""The memory that uploads take: as long as they arrive, and no longer.

Streamlit keeps the bytes of each upload for as long as its session lasts, and takes any number of them.
"""

import re

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from seg_core.process.confined import spare_memory

UPLOAD = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/")
"""Streamlit's own address for uploads, below whatever path."""

_MEGABYTE = 1024 * 1024

# Of what this machine has left. Streamlit copies an upload once for the page.
_SHARE, _COPIES = 0.9, 2


def let_go(file: UploadedFile, key: str) -> None:
    """Forget the bytes of an upload that lies on the disk; the page goes on to list its name.

    Parameters
    ----------
    file : UploadedFile
        A copy, as the widget returns it.
    key : str
        Of the widget, whose own state has the bytes too.
    """
    context = get_script_run_ctx()
    manager = None if context is None else context.uploaded_file_mgr
    if context is not None and isinstance(manager, MemoryUploadedFileManager):
        for record in manager.get_files(context.session_id, [file.file_id]):
            manager.add_file(context.session_id, record._replace(data=b""))
    kept = st.session_state.get(key) or []
    for each in (file, *(own for own in kept if own.file_id == file.file_id)):
        each.seek(0)
        each.truncate()


class UploadRoom:
    """Refuses an upload for which this machine has not enough memory left."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._coming = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the app does, or with 413."""
        if scope["type"] != "http" or scope["method"] != "PUT" or not UPLOAD.search(scope["path"]):
            await self._app(scope, receive, send)
            return
        size = _COPIES * _size_of(Headers(scope=scope))
        if self._coming + size > _SHARE * spare_memory():
            sentence = (
                "This server has not enough memory left for so large an upload; try again later, or "
                "ask whoever runs it to put the slide into the folder that it offers."
            )
            await PlainTextResponse(sentence, 413)(scope, receive, send)
            return
        self._coming += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._coming -= size


def _size_of(headers: Headers) -> int:
    """Return how many bytes come; the most that may where the browser does not say."""
    said = headers.get("content-length", "")
    if said.isascii() and said.isdecimal() and len(said) < 16:
        return int(said)
    return int(st.get_option("server.maxUploadSize")) * _MEGABYTE
