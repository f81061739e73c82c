"""What part of a slide is painted, and how fine: a tile of the viewer or a picture for a report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewport:
    """A grid of square pixels of any size somewhere on a slide, to be painted.

    Attributes
    ----------
    x, y : float
        Its upper left corner, level-0 pixels.
    step : float
        Level-0 pixels per pixel of the viewport; below 1 the slide is enlarged.
    width, height : int
        Pixels of the viewport.

    Examples
    --------
    >>> Viewport(100, 0, step=2.0, width=256, height=256).box
    (100, 0, 612.0, 512.0)
    """

    x: float
    y: float
    step: float
    width: int
    height: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edge, level-0 pixels."""
        right, bottom = self.x + self.width * self.step, self.y + self.height * self.step
        return self.x, self.y, right, bottom
