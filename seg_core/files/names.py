"""Names that others have given to files, in a form that every reader of a text takes."""


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
