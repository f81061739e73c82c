"""How large a pixel is by a length that somebody knows: a scale bar, a grid of a slide for calibration."""

from dataclasses import dataclass

from seg_core.apart import apart
from seg_core.errors import ResolutionError
from seg_core.plausibility.pixel_size import PixelSizeEstimate
from seg_core.slide.levelled import check_mpp

_ENDS_PX = 2.0
"""How far off a line by hand is, a pixel at either end."""

SHORTEST_PX = 20.0
"""A shorter line is off by more than a tenth."""


@dataclass(frozen=True, slots=True)
class KnownLength:
    """A line on a slide whose true length is known.

    Attributes
    ----------
    px : float
        Its length in level-0 pixels.
    um : float
        Its true length, µm.

    Raises
    ------
    ResolutionError
        If the line is too short to go by, or no microscope gives such pixels.

    Examples
    --------
    >>> KnownLength(400.0, 100.0).in_words()
    'A pixel is then 0.25 µm (0.2488 to 0.2513, with a pixel of doubt at either end of the line).'
    """

    px: float
    um: float

    def __post_init__(self) -> None:
        if not self.px >= SHORTEST_PX:
            length, _ = apart(self.px, SHORTEST_PX)
            raise ResolutionError(
                f"a line of {length} pixels is too short to go by; zoom in and measure one of at least "
                f"{SHORTEST_PX:g}."
            )
        check_mpp(self.mpp)

    @property
    def mpp(self) -> float:
        """µm per level-0 pixel."""
        return self.um / self.px

    def in_words(self) -> str:
        """Say what a pixel is then, and how far that may be off."""
        least, most = (self.um / (self.px + doubt) for doubt in (_ENDS_PX, -_ENDS_PX))
        return (
            f"A pixel is then {self.mpp:.4g} µm ({least:.4g} to {most:.4g}, with a pixel of doubt at either "
            "end of the line)."
        )

    def beside_file(self, stated: float | None) -> str | None:
        """Say how it differs from what the file states, µm per pixel; None where it hardly does.

        Examples
        --------
        >>> KnownLength(400.0, 200.0).beside_file(0.25)
        'That is 2 times the 0.25 µm that counted until now: every area would change 4 times.'
        """
        if stated is None or abs(self.mpp / stated - 1) <= max(2 * _ENDS_PX / self.px, 0.02):
            return None
        times = self.mpp / stated
        return (
            f"That is {times:.3g} times the {stated:.4g} µm that counted until now: every area would change "
            f"{times**2:.3g} times."
        )

    def beside_nuclei(self, estimate: PixelSizeEstimate) -> str | None:
        """Say so where the nuclei speak against it; None where they agree."""
        if estimate.low <= self.mpp <= estimate.high:
            return None
        return (
            f"The nuclei speak against it: by their sizes a pixel is {estimate.low:.2g} to {estimate.high:.2g} µm. "
            "Is the length right, and is it in µm?"
        )
