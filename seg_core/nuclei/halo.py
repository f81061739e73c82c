"""How far beyond its core a block sees, and what it sees there.

A block finds the nuclei of its core just as they would be found on the whole slide, and so sees
more than the core::

    |<------------------------- halo ------------------------->|
    +----------------------------------------------------------+---------- core ----
    |                                                          |
    |  < extent >  < 1.5 growth >  < growth >< extent >< growth | >
    |                                                          |
    |  [ another inside       ]         [ ~~( inside )~~~~~~~~~|~~~ ]
    |                         ^         ^  a nucleus whose     |  ^ centroid at the nearest here
    |             its seed, whole       its farthest pixel     |
    +----------------------------------------------------------+---------------------

- A nucleus is a seed, no wider than the largest extent, and what it grew on each side. Its bounding
  box holds the centroid, so no pixel of it is farther from the core than extent + 2 growth.
- Whether a pixel went to it is decided by the seeds within 1.5 growth of that pixel: a step across
  an edge looks one pixel far, a step round a corner two, and every second step is of that kind.
- Those seeds must be seen whole, because their area and their first pixel decide, or far enough to
  see that they are larger than the largest extent: one extent more, and a pixel.

Together 2 extents + 3.5 growths, which is for the worst case. Only connected parts are looked for so
far out, and at first not even these: as long as no part that is cut off there comes near, a halo of
0.7 extents + 2 growths shows the same. A part of which every pixel is farther from the core than
half an extent + 2 growths cannot have its centroid in it, whatever is not seen of it: within an
extent it would have to reach around a corner of the core, or to two sides of it, by halves.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seg_core.geometry import Window
from seg_core.maps import Maps
from seg_core.nuclei.instances import growth_px
from seg_core.nuclei.seeds import Seeds, find_seeds
from seg_core.question import Question
from seg_core.settings import AnalysisSettings

# Of the largest extent: 20 µm, wider than most nuclei and what runs together of them.
_USUAL_EXTENTS = 0.2


def halo_px(settings: AnalysisSettings, mpp: float) -> int:
    """Return how far beyond its core a block must see; the module's docstring tells why.

    Examples
    --------
    >>> halo_px(AnalysisSettings(max_extent_um=100.0, growth_um=3.0), mpp=0.25)
    843
    """
    extent = math.ceil(settings.max_extent_um / mpp)
    growth = growth_px(settings, mpp)
    return 2 * extent + growth + _zone_margin_px(growth) + 1


def near_halo_px(settings: AnalysisSettings, mpp: float) -> int:
    """Return how far beyond its core a block sees at first.

    Examples
    --------
    >>> near_halo_px(AnalysisSettings(max_extent_um=100.0, growth_um=3.0), mpp=0.25)
    304
    """
    usual = math.ceil(_USUAL_EXTENTS * settings.max_extent_um / mpp)
    return _influence_px(settings, mpp) + usual


def _influence_px(settings: AnalysisSettings, mpp: float) -> int:
    """Return how near to a core a pixel of a nucleus is that has its centroid there."""
    return math.ceil(settings.max_extent_um / mpp / 2) + 2 * growth_px(settings, mpp)


def _zone_margin_px(growth: int) -> int:
    """Return how far from a seed nothing decides any more what becomes of its nucleus."""
    return growth + math.ceil(1.5 * growth)


@dataclass(frozen=True)
class Seen:
    """What a block sees of the maps, and the seeds in it.

    Attributes
    ----------
    question : Question
    core, window : Window
        Of the block, and what is seen; in the raster.
    maps : Maps
    seeds : Seeds
        Both of the window.
    """

    question: Question
    core: Window
    window: Window
    maps: Maps
    seeds: Seeds

    @classmethod
    def around(
        cls, core: Window, halo: int, read_maps: Callable[[Window], Maps], question: Question
    ) -> "Seen":
        """Read the maps around a core as far as a halo, in pixels, and find the seeds there."""
        window = core.expanded(halo).intersection(question.window)
        assert window is not None, "the core lies in the window"
        maps = read_maps(window)
        seeds = find_seeds(maps.ternary_map, question.raster.mpp, question.settings)
        return cls(question, core, window, maps, seeds)

    @property
    def overlarge_um2(self) -> float:
        """Area of the core that lies in connected insides too large to be a nucleus."""
        part = self.core.moved(-self.window.x, -self.window.y).slices()
        return float(np.count_nonzero(self.seeds.overlarge[part]) * self.question.raster.mpp**2)

    def zone(self) -> Window | None:
        """Return what decides about all nuclei that can have their centroid in the core.

        In the raster; it may reach past what is seen if that is cut short.
        """
        growth = growth_px(self.question.settings, self.question.raster.mpp)
        core = self.core.moved(-self.window.x, -self.window.y)
        near = self.seeds.bounds[self.seeds.reaching(core, growth)]
        if not len(near):
            return None
        (left, top), (right, bottom) = near[:, :2].min(axis=0), near[:, 2:].max(axis=0)
        around = Window(int(left), int(top), int(right - left), int(bottom - top))
        decides = around.expanded(_zone_margin_px(growth)).moved(self.window.x, self.window.y)
        return decides.intersection(self.question.window)

    def is_cut_short(self) -> bool:
        """Tell whether more than is seen may matter; the module's docstring tells why."""
        influence = _influence_px(self.question.settings, self.question.raster.mpp)
        areas = [self.core.expanded(influence)]
        if (zone := self.zone()) is not None:
            if not self.window.contains(zone):
                return True
            areas.append(zone)
        left, top, right, bottom = self._cut_parts().T
        return any(
            ((left < area.right) & (right > area.x) & (top < area.bottom) & (bottom > area.y)).any()
            for area in areas
        )

    def _cut_parts(self) -> npt.NDArray[np.int64]:
        """Return the bounds of the connected parts that may go on where nothing is seen, (K, 4)."""
        parts = np.concatenate([self.seeds.bounds, self.seeds.speckle])
        parts += np.array([self.window.x, self.window.y] * 2)
        seen, whole = self.window, self.question.window
        ends = np.array([seen.x, seen.y, seen.right, seen.bottom])
        goes_on = ends != np.array([whole.x, whole.y, whole.right, whole.bottom])
        cut: npt.NDArray[np.int64] = parts[((parts == ends) & goes_on).any(axis=1)]
        return cut
