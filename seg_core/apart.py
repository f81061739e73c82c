"""Numbers that are compared in a sentence, written so that they differ where they do."""

_MOST_PLACES = 9


def apart(*numbers: float, places: int = 0) -> list[str]:
    """Return numbers with as many decimals as it takes to tell those apart that are not equal.

    A distance of 0.734 beyond a limit of 0.731 would otherwise be told as 0.73 beyond 0.73.

    Parameters
    ----------
    numbers : float
    places : int
        Decimals at the least.

    Examples
    --------
    >>> apart(0.734, 0.731, places=2), apart(1.5, 0.25, places=2)
    (['0.734', '0.731'], ['1.50', '0.25'])
    """
    for more in range(places, _MOST_PLACES):
        written = [f"{number:,.{more}f}" for number in numbers]
        if len(set(written)) == len(set(numbers)):
            return written
    return [f"{number!r}" for number in numbers]
