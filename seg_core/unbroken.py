"""Numbers that stay with their units where a line ends."""

import re

_BEFORE_UNIT = r"(?<=\d) (?=(?:%|(?:px|[µm]m²?|s|min|h|[kMG]B|views?|analys[ei]s)(?![^\W_])))"
_AROUND_TIMES = r"(?<=\d) (?=× \d)|(?<=\d ×) (?=\d)"
_JOINED = re.compile(f"{_BEFORE_UNIT}|{_AROUND_TIMES}")


def unbroken(words: str) -> str:
    """Return words in which no line ends between a number and its unit, or width and height.

    Sentences of the core have plain spaces, which files and terminals want. What is laid out in
    lines, a page or a report, would begin one with the sign of per cent.

    Examples
    --------
    >>> unbroken("10 and 40 % of 2 mm²") == "10 and 40\N{NO-BREAK SPACE}% of 2\N{NO-BREAK SPACE}mm²"
    True
    >>> unbroken("1 view, 4 analyses") == "1\N{NO-BREAK SPACE}view, 4\N{NO-BREAK SPACE}analyses"
    True
    """
    return _JOINED.sub("\N{NO-BREAK SPACE}", words)
