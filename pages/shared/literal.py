"""Names that people give, shown as they are written where Streamlit reads Markdown.

A slide or a region may be called ``![](http://elsewhere/picture)``; shown as Markdown that would
load something from elsewhere and hide the name.
"""

import hashlib
import os
import re
from pathlib import Path

from seg_core.files.names import printable

__all__ = ["key_of", "literal", "printable"]

# Streamlit's own signs too: $ begins a formula, : a colour, an icon or an emoji. An underscore within
# a word means nothing, and what makes a list or a heading does so at the beginning alone.
_SIGNS = re.compile(r"[\\`*\[\]<>~$:&#|@]|(?<![^\W_])_|_(?![^\W_])|^[-+=]|^\d+[.)]|(?i:(?<=www)\.)")

# Streamlit makes arrows of these after backslashes have gone.
_ARROW = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")
_NO_WIDTH = "\N{WORD JOINER}"


def literal(text: str) -> str:
    r"""Return Markdown that is seen as the text itself.

    Examples
    --------
    >>> literal("a_b*c.svs")
    'a_b\\*c.svs'
    >>> literal("1. _slide_")
    '1\\. \\_slide\\_'
    """
    text = _ARROW.sub(lambda found: found[0][0] + _NO_WIDTH + found[0][1:], printable(text))
    return _SIGNS.sub(lambda sign: _of(sign[0]), text)


def key_of(path: Path) -> str:
    """Return a name for a path that the browser's part of Streamlit takes, whatever its bytes."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _of(sign: str) -> str:
    # The emoji of :smile: are looked for after backslashes have gone; a mark that has no width and
    # breaks no line keeps the colon from being the first half of one.
    return f"\\:{_NO_WIDTH}" if sign == ":" else f"{sign[:-1]}\\{sign[-1]}"
