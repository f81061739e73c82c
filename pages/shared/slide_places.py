"""Where slides come from: a folder of the machine, or the reader's own computer."""

import os
import shutil
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import streamlit as st

from seg_core.errors import SlideError
from seg_core.files.disk_errors import store_errors
from seg_core.slide import slides_among

FOLDER_VARIABLE = "SEG_SLIDE_DIR"
"""Names a folder whose slides every visitor may open."""

LOCAL_VARIABLE = "SEG_LOCAL"
"""1: whoever opens the pages sits at this machine and may name any folder of it; 0: never."""

_PIECE_BYTES = 4 * 1024 * 1024
# Whose browser takes no cookie is not known again.

_COMPANION_FOLDER = {".mrxs", ".vms", ".vmu"}


def offered_folder() -> Path | None:
    """Return the folder that whoever runs the dashboard offers to all visitors."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else None


def reader_is_local() -> bool:
    """Tell whether the reader sits at this machine, so that its folders are the reader's own.

    Nobody else must see names of files. So unless the environment says it, the server has to
    listen on this machine alone, and the browser has to have been told to go to this machine,
    not to a proxy in front of it.
    """
    said = os.environ.get(LOCAL_VARIABLE)
    if said is not None:
        return said == "1"
    headers = st.context.headers
    proxied = any(name in headers for name in ("X-Forwarded-For", "Forwarded", "Via"))
    visited = urlsplit(headers.get("Origin", "")).hostname
    listening = st.get_option("server.address")
    return not proxied and _is_loopback(listening) and _is_loopback(visited)


def slides_in(folder: Path) -> list[Path]:
    """List the slides of a folder and its direct subfolders, a DICOM series as one.

    Raises
    ------
    SlideError
        If there is no such folder or it cannot be read.
    """
    if not folder.is_dir():
        raise SlideError(f"there is no folder {folder}; check its name.")
    try:
        return slides_among((*folder.glob("*"), *folder.glob("*/*")))
    except OSError as error:
        raise SlideError(f"{folder} cannot be read ({error.strerror}).") from error


def save_upload(
    name: str, size: int, content: IO[bytes], folder: Path, make_room: Callable[[int], None]
) -> Path:
    """Write an uploaded file to disk, piece by piece; one that is there already stays.

    Parameters
    ----------
    name : str
    size : int
        Bytes.
    content : file
    folder : Path
    make_room : callable
        Called with the size before anything is written; raises StoreError where there is no room.

    Raises
    ------
    SlideError
        If the file is nothing without others that a browser does not send.
    StoreError
        If there is no room for it.
    """
    # A browser may send a path; only the last part is a name.
    path = folder / Path(name.replace("\\", "/")).name
    if path.suffix.lower() in _COMPANION_FOLDER:
        raise SlideError(
            f"{path.name} is nothing without the folder beside it, which a browser does not send; "
            "put both on the machine that runs the dashboard and open them as a folder."
        )
    if not path.exists() or path.stat().st_size != size:
        make_room(size)
        content.seek(0)
        with store_errors(folder), path.open("wb") as file:
            shutil.copyfileobj(content, file, _PIECE_BYTES)
    return path


def _is_loopback(host: str | None) -> bool:
    if not host:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
