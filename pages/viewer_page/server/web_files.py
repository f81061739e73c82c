"""The viewer's own files, and OpenSeadragon, as the browser gets them.

OpenSeadragon comes from ``node_modules`` where npm has put it there, else from a CDN; in either
case the browser checks it against the hash below.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "web"

# Put together to one module.
_SENT_WITH_PAGE = ("channel.js", "mount.js")

# In this order: where two rules are equally strong the later one counts.
_STYLES = (
    "stage.css",
    "toolbar.css",
    "buttons.css",
    "panel.css",
    "cards.css",
    "shapes.css",
)

_IMPORT = re.compile(r"^import .* from .*;\n", re.MULTILINE)

_LIBRARY = "openseadragon.min.js"
_VERSION = "6.1.1"
"""The one in ``package.json``."""

_INTEGRITY = "sha384-KKly+4vqqBHitr2XfNKWa3+0asIVpzYs2HijkM/zz0X6rgnyLuQEVERX9HqkM5/P"
_BUILD = "build/openseadragon"
_INSTALLED = Path(__file__).parents[3] / "node_modules" / "openseadragon" / _BUILD / _LIBRARY
_CDN = f"https://cdn.jsdelivr.net/npm/openseadragon@{_VERSION}/{_BUILD}/{_LIBRARY}"


def script_of_page() -> str:
    """Return the part of the viewer that comes with the page and brings the rest.

    Its two modules become one, in which neither has to be imported: a page's script has no address
    that others could be relative to.
    """
    text = "\n".join((FOLDER / name).read_text("utf-8") for name in _SENT_WITH_PAGE)
    return _IMPORT.sub("", text)


def style_of_page() -> str:
    """Return the viewer's style sheet."""
    return "\n".join((FOLDER / "style" / name).read_text("utf-8") for name in _STYLES)


def public_files() -> dict[str, Path]:
    """Return the files that a route may answer, by name."""
    modules = {path.name: path for path in FOLDER.glob("*.js") if path.name not in _SENT_WITH_PAGE}
    return modules | ({_LIBRARY: _INSTALLED} if _INSTALLED.is_file() else {})


def address(name: str) -> str:
    """Return the address of a public file, relative to the page's base."""
    return f"app/static/viewer/{_version_of_files()}/{name}"


def library() -> dict[str, Any]:
    """Return where OpenSeadragon may be had, the nearest place first, and its hash."""
    own = [address(_LIBRARY)] if _INSTALLED.is_file() else []
    return {"sources": [*own, _CDN], "integrity": _INTEGRITY}


@cache
def _version_of_files() -> str:
    """Return a name that changes with the files, so that a browser may keep them for good."""
    digest = hashlib.sha256(_INTEGRITY.encode())
    for path in sorted(FOLDER.glob("*.js")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
