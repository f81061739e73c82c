"""Where slides come from: a folder of the machine, or the reader's own computer."""

import hashlib
import os
import shutil
from collections.abc import Callable
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import streamlit as st

from pages.shared.literal import printable
from pages.shared.proxies import is_handed_on
from seg_core.errors import SlideError
from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors
from seg_core.slide import slides_below
from seg_core.slide.dicom import series_in
from seg_core.slide.formats import DICOM, HEAD_BYTES

FOLDER_VARIABLE = "SEG_SLIDE_DIR"
"""Names a folder whose slides every visitor may open."""

LOCAL_VARIABLE = "SEG_LOCAL"
"""1: whoever opens the pages sits at this machine and may name any folder of it; 0: never."""

_PIECE_BYTES = 4 * 1024 * 1024

# Systems take 255 bytes; a temporary name is somewhat longer than the name.
_LONGEST_NAME = 200

_COMPANION_FOLDER = {".mrxs", ".vms", ".vmu"}


def offered_folder() -> Path | None:
    """Return the folder that whoever runs the dashboard offers to all visitors."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named).expanduser() if named else None


def reader_is_local() -> bool:
    """Tell whether the reader sits at this machine, so that its folders are the reader's own.

    Nobody else must see names of files. So unless the environment says it, the server has to
    listen on this machine alone, the connection has to come from it, and the browser has to have
    been told to go to this machine: the page's own address (Origin) and the server that was asked
    for (Host) are one, and of this machine. A proxy in front of it says that it is one, or asks for
    the name by which it is known; a page of somebody else's whose name leads to this machine (DNS
    rebinding) has that name in both.
    """
    said = os.environ.get(LOCAL_VARIABLE)
    if said is not None:
        return said == "1"
    headers = st.context.headers
    peer = st.context.ip_address  # None for this machine
    origin, host = urlsplit(headers.get("Origin", "")), headers.get("Host", "")
    return (
        not is_handed_on(headers)
        and is_loopback(st.get_option("server.address"))
        and (peer is None or is_loopback(peer))
        and origin.netloc == host
        and is_loopback(host_name(host))
    )


def slides_in(folder: Path, *, inside_only: bool = False) -> list[Path]:
    """List the slides of a folder and its direct subfolders, a DICOM series as one.

    Parameters
    ----------
    folder : Path
    inside_only : bool
        Leave out what links lead to outside the folder, or whose companion folder lies outside:
        for a folder that is offered to others.

    Raises
    ------
    SlideError
        If there is no such folder or it cannot be read.
    """
    try:
        if not folder.is_dir():
            raise SlideError(f"there is no folder {folder}; check its name.")
        found = slides_below(folder, levels=2)
        if inside_only:
            whole = folder.resolve()
            found = [path for path in found if _is_inside(path, whole)]
    except OSError as error:
        raise SlideError(f"{folder} cannot be read ({error.strerror}).") from error
    return found


def folder_typed(text: str) -> Path:
    """Return the folder that a reader has typed.

    Raises
    ------
    SlideError
        If no folder can have such a name.
    """
    try:
        return Path(text.strip()).expanduser()
    except RuntimeError as error:
        raise SlideError(f"{text} names the home of somebody unknown; check its name.") from error


def file_name_of(name: str) -> str:
    """Return the name under which an upload is kept: the last part of what the browser says.

    Raises
    ------
    SlideError
        If no file here can have it.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    try:
        length = len(last.encode("utf-8"))
    except UnicodeEncodeError:
        length = 0
    if last in ("", ".", "..") or not last.isprintable() or not 0 < length <= _LONGEST_NAME:
        raise SlideError(
            f"{printable(last)[:60] or 'this file'} is a name that cannot be kept here; rename the "
            f"file to at most {_LONGEST_NAME} letters or digits and upload it again."
        )
    return last


def save_upload(
    name: str, size: int, content: IO[bytes], folder: Path, make_room: Callable[[int], None]
) -> Path:
    """Write an uploaded file to disk, piece by piece; equal content under one name is kept once.

    What has the name already and other content stays, too: the new file then lies in a folder of
    its own, ``2`` for the second of a name.

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
        If the file is nothing without others that a browser does not send, or its name cannot be
        kept.
    StoreError
        If there is no room for it.
    """
    name = file_name_of(name)
    if Path(name).suffix.lower() in _COMPANION_FOLDER:
        raise SlideError(
            f"{name} is nothing without the folder beside it, which a browser does not send; "
            "put both on the machine that runs the dashboard and open them as a folder."
        )
    with store_errors(folder):
        folder /= _folder_of_series(content)
    path = folder / name
    for number in count(2):
        if not path.exists():
            break
        if path.stat().st_size == size and _holds(path, content):
            return path
        path = folder / str(number) / name
    make_room(size)
    content.seek(0)
    with store_errors(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as file:
            shutil.copyfileobj(content, file, _PIECE_BYTES)
    return path


def is_loopback(host: str | None) -> bool:
    """Tell whether a name or an address is that of this machine, seen from itself."""
    if not host:
        return False
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str | None:
    """Return the name in a ``Host`` header, without its port; None where there is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _folder_of_series(content: IO[bytes]) -> str:
    """Return a name for the series of a DICOM file; empty for all others."""
    content.seek(0)
    if not DICOM.is_begun_by(content.read(HEAD_BYTES)):
        return ""
    series = series_in(content)
    return f"series-{hashlib.sha256(series.encode()).hexdigest()[:8]}" if series else ""


def _holds(path: Path, content: IO[bytes]) -> bool:
    content.seek(0)
    with path.open("rb") as kept:
        while piece := kept.read(_PIECE_BYTES):
            if piece != content.read(len(piece)):
                return False
    return not content.read(1)


def _is_inside(path: Path, folder: Path) -> bool:
    parts = [path]
    if path.suffix.lower() in _COMPANION_FOLDER:
        parts.append(path.with_suffix(""))
    return all(each.resolve().is_relative_to(folder) for each in parts)
