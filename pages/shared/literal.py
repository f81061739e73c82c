"""Names that people give, shown as they are written where Streamlit reads Markdown."""

import re

# Streamlit's own signs too: $ begins a formula, : a colour, an icon or an emoji.
_SIGNS = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|~$:&=]")


def literal(text: str) -> str:
    r"""Return Markdown that is seen as the text itself.

    Examples
    --------
    >>> literal("a_b*c")
    'a\\_b\\*c'
    """
    return _SIGNS.sub(lambda sign: _of(sign[0]), text)


def _of(sign: str) -> str:
    # The emoji of :smile: are looked for after backslashes have gone; a mark that has no width and
    # breaks no line keeps the colon from being the first half of one.
    return "\\:\u2060" if sign == ":" else f"\\{sign}"
