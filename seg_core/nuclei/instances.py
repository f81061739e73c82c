"""From maps to nuclei: seeds grow into the foreground, and their pixels vote on the class."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seg_core.classes import BACKGROUND, ClassScheme
from seg_core.errors import ModelError
from seg_core.geometry import Raster, Window
from seg_core.maps import Maps
from seg_core.nuclei.growth import grow_seeds
from seg_core.nuclei.pixels import NucleusPixels
from seg_core.nuclei.seeds import Seeds, find_seeds
from seg_core.nuclei.vote import calibrated
from seg_core.settings import AnalysisSettings

# Ratios such as 3.0 / 0.25 are not exact; a millionth of a pixel is nobody's pixel.
_EPSILON = 1e-6


@dataclass(frozen=True)
class Instances:
    """Nuclei as pixels, with their class. Row i is label i + 1.

    Attributes
    ----------
    raster : Raster
    window : Window
        Where the labels lie in the raster.
    labels : (H, W) int32
        0 none, 1 to N one a nucleus, each connected across edges of pixels.
    class_ids : (N,) uint8
        Winner of the vote; 0, background, for a nucleus that none of the classes names (*other*).
    class_scores : (N,) float32
        The winner's share.
    class_shares : (N, C + 1) float32
        Share of the score that each class got, background first, or where the scheme's votes were
        calibrated each class's probability. They add up to 1; where no pixel has any score they are
        0 and the nucleus is *other*.
    """

    raster: Raster
    window: Window
    labels: npt.NDArray[np.int32]
    class_ids: npt.NDArray[np.uint8]
    class_scores: npt.NDArray[np.float32]
    class_shares: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.labels.shape != (self.window.height, self.window.width):
            raise ValueError(
                f"labels have the shape {self.labels.shape}; the window is "
                f"{self.window.width} × {self.window.height} pixels."
            )
        rows = {len(self.class_ids), len(self.class_scores), len(self.class_shares)}
        if len(rows) != 1:
            raise ValueError(f"ids, scores and shares have {sorted(rows)} rows; they need as many.")

    def __len__(self) -> int:
        return len(self.class_ids)

    @cached_property
    def pixels(self) -> NucleusPixels:
        """The pixels of the nuclei."""
        return NucleusPixels.of(self.labels, len(self))

    def named(self, shares: npt.NDArray[np.float32]) -> "Instances":
        """Return the same nuclei, each with the class that has the largest of other shares.

        Parameters
        ----------
        shares : (N, C + 1) float32
        """
        winners = shares.argmax(axis=1)
        named = replace(
            self,
            class_ids=winners.astype(np.uint8),
            class_scores=np.take_along_axis(shares, winners[:, None], axis=1)[:, 0],
            class_shares=shares,
        )
        vars(named)["pixels"] = self.pixels  # known already
        return named

    def selected(self, keep: npt.NDArray[np.bool_]) -> "Instances":
        """Return some of the nuclei, in the same order, numbered anew.

        Parameters
        ----------
        keep : (N,) bool
        """
        pixels = self.pixels.selected(keep)
        chosen = replace(
            self,
            labels=pixels.painted(self.labels.shape),
            class_ids=self.class_ids[keep],
            class_scores=self.class_scores[keep],
            class_shares=self.class_shares[keep],
        )
        vars(chosen)["pixels"] = pixels  # known already
        return chosen


def find_instances(
    maps: Maps, raster: Raster, window: Window, settings: AnalysisSettings, scheme: ClassScheme
) -> Instances:
    """Find the nuclei of a window, in memory.

    Parameters
    ----------
    maps : Maps
        Of the window.
    raster : Raster
    window : Window
        Where the maps lie in the raster.
    settings : AnalysisSettings
        ``min_seed_um2``, ``max_extent_um``, ``growth_um`` and ``min_nucleus_um2`` are used here.
    scheme : ClassScheme
        The classes of the class map.

    Returns
    -------
    Instances
        In reading order of the seeds' first pixels.

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> from seg_core.geometry import Region
    >>> ternary = np.array([[2, 2, 2, 2], [2, 1, 1, 2], [2, 2, 2, 2]], dtype=np.uint8)
    >>> maps = Maps(np.full_like(ternary, 2), ternary, np.full_like(ternary, 200))
    >>> raster = Raster(Region(0, 0, 4, 3), mpp=1.0, downsample=1.0)
    >>> nuclei = find_instances(maps, raster, raster.window, AnalysisSettings(), MONUSAC)
    >>> nuclei.labels.tolist()
    [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]
    >>> nuclei.class_ids.tolist(), nuclei.class_scores.tolist()
    ([2], [1.0])
    """
    seeds = find_seeds(maps.ternary_map, raster.mpp, settings)
    return instances_of_seeds(seeds, maps, raster, window, settings, scheme)


def instances_of_seeds(
    seeds: Seeds,
    maps: Maps,
    raster: Raster,
    window: Window,
    settings: AnalysisSettings,
    scheme: ClassScheme,
    *,
    wanted: Callable[[NucleusPixels], npt.NDArray[np.bool_]] | None = None,
) -> Instances:
    """Grow seeds, drop what stays small, and let the pixels vote; see `find_instances`.

    Parameters
    ----------
    seeds : Seeds
        Of the maps.
    maps, raster, window, settings, scheme
        As of `find_instances`.
    wanted : callable, optional
        Tells of grown nuclei, some of which may have no pixel, which are looked at further, (N,) bool.
    """
    foreground = maps.ternary_map != BACKGROUND
    if seeds.overlarge.any():
        foreground &= ~seeds.overlarge
    labels = grow_seeds(seeds.labels, foreground, growth_px(settings, raster.mpp))
    grown = NucleusPixels.of(labels, len(seeds.bounds))
    areas_px = grown.areas_px
    keep = (areas_px > 0) & (areas_px * raster.mpp**2 >= settings.min_nucleus_um2)
    if wanted is not None:
        keep &= wanted(grown)
    pixels = grown.selected(keep)
    if pixels is not grown:
        labels = pixels.painted(labels.shape)
    shares = _vote(pixels, maps, len(scheme.classes) + 1)
    if scheme.votes is not None:
        shares = calibrated(shares, scheme.votes)
    winners = shares.argmax(axis=1)
    instances = Instances(
        raster=raster,
        window=window,
        labels=labels,
        class_ids=winners.astype(np.uint8),
        class_scores=np.take_along_axis(shares, winners[:, None], axis=1)[:, 0],
        class_shares=shares,
    )
    vars(instances)["pixels"] = pixels  # known already
    return instances


def growth_px(settings: AnalysisSettings, mpp: float) -> int:
    """Return how many whole pixels a seed may grow."""
    return int(settings.growth_um / mpp + _EPSILON)


def _vote(pixels: NucleusPixels, maps: Maps, classes: int) -> npt.NDArray[np.float32]:
    """Return the share of the score that each class has in each nucleus, (N, classes)."""
    class_ids = maps.class_map.reshape(-1)[pixels.indices]
    if len(class_ids) and class_ids.max() >= classes:
        raise ModelError(
            f"the class map names class {class_ids.max()}, but the model's card has "
            f"{classes - 1} classes; give the card that belongs to the weights."
        )
    scores = maps.score.reshape(-1)[pixels.indices]
    votes = pixels.votes(class_ids, scores, classes)
    return (votes / np.maximum(votes.sum(axis=1, keepdims=True), 1)).astype(np.float32)
