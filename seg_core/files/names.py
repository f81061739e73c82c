"""Names that others have given to files, in a form that every reader of a text takes."""

from collections.abc import Iterable


def printable(text: str) -> str:
    r"""Return a text on one line that any terminal, file or browser takes.

    Names of files may hold bytes that are no letters in UTF-8, and characters that are not seen or
    that a terminal obeys.

    Examples
    --------
    >>> printable("lat\udce9\n.png")
    'lat\\udce9\\n.png'
    """
    shown = (each if each.isprintable() else ascii(each)[1:-1] for each in text)
    return "".join(shown)


def listed(names: Iterable[str], most: int = 200) -> str:
    r"""Return names of a file for a sentence that quotes them: printable, and not all of the file.

    Examples
    --------
    >>> listed(["slide", "m\x07pp"])
    'slide, m\\x07pp'
    """
    words = printable(", ".join(names))
    return words if len(words) <= most else f"{words[:most]} …"
