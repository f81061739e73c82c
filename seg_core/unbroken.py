"""Numbers that stay with their units where a line ends."""

import re

_BEFORE_UNIT = re.compile(r"(?<=\d) (?=(?:%|(?:px|[µm]m²?|s|min|h|[kMG]B)(?![^\W_])))")


def unbroken(words: str) -> str:
    """Return words in which no line ends between a number and its unit.

    Sentences of the core have plain spaces, which files and terminals want. What is laid out in
    lines, a page or a report, would begin one with the sign of per cent.

    Examples
    --------
    >>> unbroken("10 and 40 % of 2 mm²") == "10 and 40\N{NO-BREAK SPACE}% of 2\N{NO-BREAK SPACE}mm²"
    True
    """
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", words)
