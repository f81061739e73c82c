"""Names that people give, shown as they are written where Streamlit reads Markdown."""

import re

# Streamlit's own signs too: $ begins a formula, : a colour, an icon or an emoji. An underscore within
# a word means nothing, and what makes a list or a heading does so at the beginning alone.
_SIGNS = re.compile(r"[\\`*\[\]<>~$:&#|]|(?<![^\W_])_|_(?![^\W_])|^[-+=]|^\d+[.)]")


def literal(text: str) -> str:
    r"""Return Markdown that is seen as the text itself.

    Examples
    --------
    >>> literal("a_b*c.svs")
    'a_b\\*c.svs'
    >>> literal("1. _slide_")
    '1\\. \\_slide\\_'
    """
    return _SIGNS.sub(lambda sign: _of(sign[0]), text)


def _of(sign: str) -> str:
    # The emoji of :smile: are looked for after backslashes have gone; a mark that has no width and
    # breaks no line keeps the colon from being the first half of one.
    return "\\:\u2060" if sign == ":" else f"{sign[:-1]}\\{sign[-1]}"
