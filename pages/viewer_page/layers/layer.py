"""What a layer over the slide is: some words, and a function that paints a piece of it.

A layer knows nothing of tiles, tokens or the browser. It is asked for a `LayerRequest`, a grid of
pixels somewhere on the slide with all that may matter there, and answers colours. The pieces are
kept by everything that stands in the request, so the same request must always look the same.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from pages.shared import resources
from seg_core.classes import ClassScheme
from seg_core.geometry import Region
from seg_core.picture.viewport import Viewport
from seg_core.slide import Slide, SlideInfo
from seg_core.store import Run, RunMaps

Colours = npt.NDArray[np.uint8]
"""(H, W, 4), not multiplied by the opacity; (H, W, 3) where a layer hides the slide."""


@dataclass(frozen=True)
class LayerRequest:
    """A piece of a layer, and what may matter for how it looks.

    Attributes
    ----------
    slide : Slide
    viewport : Viewport
        Where the pixels lie.
    shown_run : Run or None
        The analysis shown; none for layers of the slide alone.
    shown : frozenset of int
        Ids of the classes that are switched on, 0 for *other*.
    palette : str
        Name of the classes' colours, see `ClassScheme.recoloured`.
    options : mapping of str to str
        What the layer itself has put into its addresses.
    """

    slide: Slide
    viewport: Viewport
    shown_run: Run | None = None
    shown: frozenset[int] = frozenset()
    palette: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def at(self, viewport: Viewport) -> "LayerRequest":
        """Return the same request for another piece."""
        return replace(self, viewport=viewport)

    @property
    def run(self) -> Run:
        """The analysis shown, for layers that need one."""
        assert self.shown_run is not None, "a layer of the slide alone has no analysis"
        return self.shown_run

    @cached_property
    def maps(self) -> RunMaps:
        """Its maps."""
        run = self.run
        if run.status == "finished":
            return resources.maps(run.path)
        return resources.growing_maps(run.path, run.maps_version)

    @property
    def scheme(self) -> ClassScheme:
        """Its classes, in the colours the reader has chosen."""
        return self.run.scheme.recoloured(self.palette)

    def read_slide(self) -> npt.NDArray[np.uint8]:
        """Return the slide's own pixels there, (H, W, 3)."""
        viewport = self.viewport
        bounds = self.slide.info.bounds
        left, top, right, bottom = map(round, viewport.box)
        region = Region(
            left, top, min(right, bounds.right) - left, min(bottom, bounds.bottom) - top
        )
        return self.slide.read_level0(region, (viewport.width, viewport.height))


@dataclass(frozen=True, slots=True)
class Scale:
    """How the colours of a layer are read.

    Attributes
    ----------
    colours : tuple of str
        Evenly spaced, as ``#rrggbb``, from the lowest value on.
    low, high : str
        What the ends mean.
    """

    colours: tuple[str, ...]
    low: str
    high: str


def has_maps(info: SlideInfo, run: Run | None) -> bool:
    """Offer a layer once there is an analysis, were it one that is still at work."""
    return run is not None


def has_nuclei(info: SlideInfo, run: Run | None) -> bool:
    """Offer a layer once an analysis is finished."""
    return run is not None and run.status == "finished"


def always(info: SlideInfo, run: Run | None) -> bool:
    """Offer a layer on every slide."""
    return True


def has_mpp(info: SlideInfo, run: Run | None) -> bool:
    """Offer a layer where the size of a pixel is known."""
    return info.mpp is not None


def no_options() -> Mapping[str, str]:
    """Return what most layers add to their addresses."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One layer, as the reader first sees it."""

    name: str
    """In addresses and in the browser; letters, digits and hyphens."""

    label: str
    title: str
    """What is told when the pointer rests on the label."""

    paint: Callable[[LayerRequest], Colours]

    opacity: float = 1.0
    growing_opacity: float | None = None
    """Until the nuclei are there, where it then lies below them; otherwise as ever."""

    on: bool = False

    of_run: bool = True
    """It shows the analysis, so it covers what was analysed and changes with it."""

    by_class: bool = False
    """Single classes of it can be switched off."""

    opaque: bool = False
    """It hides the slide: `paint` answers three channels."""

    finest: Literal["slide", "maps", "drawn"] = "maps"
    """Whose pixels it is made of; what is drawn stays sharp at any enlargement."""

    outlines: bool = False
    """Zoomed in, the browser draws the outlines of the nuclei instead of it."""

    scale: Scale | None = None

    offered: Callable[[SlideInfo, Run | None], bool] = has_maps

    options: Callable[[], Mapping[str, str]] = no_options
    """Whatever else decides how it looks, from the session; comes back in the request."""

    option_names: frozenset[str] = frozenset()
    """All that `options` may say; an address with another name is refused."""
