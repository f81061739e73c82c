"""Names shown as they are: Streamlit reads most of what it is given as Markdown.

A slide or a region may be called ``![](http://elsewhere/picture)``; shown as Markdown that would
load something from elsewhere and hide the name.
"""

import hashlib
import os
import re
from pathlib import Path

# What CommonMark lets a backslash stand before.
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")

# Streamlit turns these into pictures and arrows after the Markdown is read, where a backslash no
# longer helps; between two letters an invisible character of no width does.
_SHORTCODE = re.compile(r":(?=[\w+-]+:)")
_ARROW = re.compile(r"(?<!\S)(<->|->|<-|--|>=|<=|~=)(?!\S)")
_NO_WIDTH = "\N{WORD JOINER}"


def printable(text: str) -> str:
    r"""Return a text on one line that any terminal, file or browser takes.

    Names of files may hold bytes that are no letters in UTF-8, and characters that are not seen.

    Examples
    --------
    >>> printable("lat\udce9\n.png")
    'lat\\udce9\\n.png'
    """
    shown = (each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return "".join(shown)


def literal(text: str) -> str:
    r"""Return Markdown that shows a text as it is.

    Examples
    --------
    >>> literal("![](http://elsewhere/a_b)")
    '\\!\\[\\]\\(http\\:\\/\\/elsewhere\\/a\\_b\\)'
    """
    text = _SHORTCODE.sub(f":{_NO_WIDTH}", printable(text))
    text = _ARROW.sub(lambda found: found[0][0] + _NO_WIDTH + found[0][1:], text)
    return _PUNCTUATION.sub(r"\\\1", text)


def key_of(path: Path) -> str:
    """Return a name for a path that the browser's part of Streamlit takes, whatever its bytes."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
