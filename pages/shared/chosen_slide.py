"""The slide that somebody looks at: one value, since neither of its two parts means much alone."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ChosenSlide:
    """A slide file and how large its pixels are.

    Attributes
    ----------
    path : Path
    mpp : float or None
        Size of a level-0 pixel, µm, as the reader said; None where the file's own word counts.
    """

    path: Path
    mpp: float | None = None
