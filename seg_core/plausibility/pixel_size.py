"""How large a pixel must be for nuclei to have the size that nuclei have.

Nuclei are the yardstick that every slide brings along: a lymphocyte's is much the same in any
tissue. So the network looks at a few places as if a pixel were 0.12 µm, 0.15 µm and so on up to
1 µm, and two linear regressions tell how many doublings of length too large everything seems. The
*coarse* one goes by what the network knows of the nuclei (`seg_core.model.features`): it is right
within a factor or so however wrong the assumption is, and says where the size lies roughly. The
*fine* one goes by the median areas of what is found, class by class, and by how sure the network is
of the classes: it is right near the true size, where the assumptions vote by it.

Both are learnt from the training images, shown larger and smaller by known factors, and their
errors are what they make on a data set that they were not learnt from: other tissue, another scanner.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme
from seg_core.errors import ResolutionError, counted
from seg_core.geometry import Raster, Window
from seg_core.model import Engine
from seg_core.plausibility.digest import Digest
from seg_core.plausibility.looking import LOOK_PX, look_at
from seg_core.plausibility.places import places_of_nuclei
from seg_core.process.progress import CountCallback
from seg_core.settings import AnalysisSettings
from seg_core.slide import Slide

_Floats = npt.NDArray[np.float64]

ASSUMED_MPP = tuple(float(each) for each in np.geomspace(0.12, 1.0, 11).round(4))
"""What a pixel is assumed to be, µm: from finer than a 60x scan to a 10x one, steps of 1.24."""

PLACES = 6
"""On how many places the network looks."""

FEWEST_NUCLEI = 30
"""On fewer nuclei nothing is said of the size of a pixel."""

_COARSE_REACH, _FINE_REACH = 0.7, 0.4
"""How fast the vote of an assumption falls that seems so many doublings off (normal)."""

_NEAR = 1.5
"""Doublings from the coarse size within which assumptions have a fine vote: looked at much too
large, texture makes nuclei of any size."""

_NORMAL = 1.96

USUAL_MPP = {0.25: "40x", 0.5: "20x", 1.0: "10x"}
"""What a pixel covers on most scanners, µm, by the nominal magnification."""


@dataclass(frozen=True, slots=True)
class Regression:
    """A linear regression of standardised numbers: ``weight · (number - mean) / deviation``, added up."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def __call__(self, numbers: npt.ArrayLike) -> float:
        """Return what it says of some numbers."""
        standard = (np.asarray(numbers) - np.array(self.means)) / np.array(self.deviations)
        return float(standard @ np.array(self.weights) + self.intercept)


@dataclass(frozen=True, slots=True)
class ScaleModel:
    """By how many doublings of length too large the nuclei of a picture seem.

    Attributes
    ----------
    fine : Regression
        Of `Digest.sizes`; exact near 0.
    coarse : Regression
        Of the sizes and `Digest.look`; roughly right far from 0, too.
    spread : float
        Standard deviation of an estimate's error, doublings, on data sets it was not learnt from.
    limit : float
        What of 100 images of the right size 5 exceed by the coarse one, on such data sets: how far
        off it may be.
    """

    fine: Regression
    coarse: Regression
    spread: float
    limit: float

    def doublings(self, nuclei: Digest) -> float | None:
        """Return what the coarse regression says; None of nuclei without features."""
        look = nuclei.look()
        known = look is not None and len(look) + len(nuclei.sizes()) == len(self.coarse.means)
        return self.coarse(coarse_entries(nuclei)) if known else None


def coarse_entries(nuclei: Digest) -> _Floats:
    """Return what the coarse regression goes by; the nuclei need features."""
    look = nuclei.look()
    assert look is not None, "of nuclei without features nothing is asked"
    return np.concatenate([nuclei.sizes(), look])


@dataclass(frozen=True, slots=True)
class PixelSizeEstimate:
    """An estimate of the size of a level-0 pixel.

    Attributes
    ----------
    mpp, low, high : float
        µm per pixel, and the ends of an interval that holds the true one for 95 of 100 slides.
    nuclei : int
        Found at the assumption nearest to it.
    places : int
        On which they were looked for.
    """

    mpp: float
    low: float
    high: float
    nuclei: int
    places: int

    @property
    def usual(self) -> float | None:
        """The one usual size that lies in the interval; None where none or several do."""
        inside = [each for each in USUAL_MPP if self.low <= each <= self.high]
        return inside[0] if len(inside) == 1 else None

    def in_words(self) -> str:
        """Say it in a sentence that asks to be confirmed."""
        usual = (
            ""
            if self.usual is None
            else f" A scan at {USUAL_MPP[self.usual]} has about {self.usual:g}."
        )
        return (
            f"About {self.mpp:.2g} µm per pixel ({self.low:.2g} to {self.high:.2g}), from "
            f"{self.nuclei:,} nuclei on {counted(self.places, 'place')}; please confirm.{usual}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the estimate as commands print it."""
        return {**asdict(self), "usual": self.usual, "sentence": self.in_words()}


def estimate_pixel_size(
    slide: Slide,
    engine: Engine,
    model: ScaleModel,
    *,
    network_mpp: float,
    scheme: ClassScheme,
    settings: AnalysisSettings | None = None,
    report: CountCallback | None = None,
) -> PixelSizeEstimate:
    """Estimate the size of a slide's pixels from its nuclei, whatever its file says.

    Parameters
    ----------
    slide : Slide
    engine : Engine
    model : ScaleModel
        Of the network that the engine runs.
    network_mpp : float
        µm per pixel that the network has learnt.
    scheme : ClassScheme
    settings : AnalysisSettings, optional
    report : callable, optional
        Called with the number of pictures looked at and of all.

    Returns
    -------
    estimate : PixelSizeEstimate

    Raises
    ------
    ResolutionError
        If too few nuclei are found at any of the sizes.
    """
    settings = settings or AnalysisSettings()
    widest = round(LOOK_PX * network_mpp / min(ASSUMED_MPP))
    centres = places_of_nuclei(slide, widest, PLACES)
    total = len(ASSUMED_MPP) * len(centres)
    found: list[list[Digest]] = []
    for assumed in ASSUMED_MPP:
        found.append([])
        for rgb in _pictures(slide, centres, assumed, network_mpp):
            if report is not None:
                report(sum(map(len, found)), total)
            found[-1].append(
                look_at(rgb, network_mpp, engine, scheme, settings, with_features=True)
            )
    return estimate_of(found, ASSUMED_MPP, model, slide.info.path.name)


def estimate_of(
    found: Sequence[Sequence[Digest]], assumed: Sequence[float], model: ScaleModel, name: str
) -> PixelSizeEstimate:
    """Estimate from what was found; see `estimate_pixel_size`.

    Parameters
    ----------
    found : sequence of sequence of Digest
        For each assumption the nuclei of each place.
    assumed : sequence of float
        µm per pixel.
    model : ScaleModel
    name : str
        Of the slide, for an error.
    """
    places = len(found[0])
    middle = vote(found, assumed, model)
    if middle is None:
        most = max(sum(map(len, each)) for each in found)
        raise ResolutionError(
            f"the size of a pixel of {name} cannot be estimated: at most {most} nuclei were found on "
            f"{places} place{'s' * (places != 1)}, and {FEWEST_NUCLEI} are needed; give the size that "
            "the scanner's settings say."
        )
    nearest = int(np.abs(np.log(np.array(assumed)) - np.log(middle)).argmin())
    without = [
        vote([[*each[:left], *each[left + 1 :]] for each in found], assumed, model)
        for left in range(places if places > 1 else 0)
    ]
    others = np.log2([each for each in without if each is not None])
    # the jackknife: places of one slide differ, and each was left out once
    between = (len(others) - 1) * float(others.var()) if len(others) > 1 else 0.0
    reach = _NORMAL * np.sqrt(model.spread**2 + between)
    return PixelSizeEstimate(
        round(middle, 4),
        round(float(middle * 2**-reach), 4),
        round(float(middle * 2**reach), 4),
        sum(map(len, found[nearest])),
        places,
    )


def vote(
    found: Sequence[Sequence[Digest]],
    assumed: Sequence[float],
    model: ScaleModel,
    *,
    fewest: int = FEWEST_NUCLEI,
) -> float | None:
    """Return the size that the assumptions agree on, and then vote for.

    Parameters are those of `estimate_of`; assumptions with fewer than ``fewest`` nuclei do not vote,
    and None is what comes of none.
    """
    together = [
        (np.log2(mpp), nuclei)
        for mpp, places in zip(assumed, found, strict=True)
        if len(nuclei := sum(places, Digest.empty())) >= fewest and nuclei.featured
    ]
    if not together:
        return None
    sizes = np.array([size for size, _ in together])
    by_looks = np.array([model.coarse(coarse_entries(nuclei)) for _, nuclei in together])
    by_sizes = np.array([model.fine(nuclei.sizes()) for _, nuclei in together])
    coarse = np.average(sizes - by_looks, weights=_trust(by_looks, _COARSE_REACH))
    distances = np.abs(sizes - coarse)
    near = distances <= max(_NEAR, distances.min())
    trust = _trust(by_sizes[near], _FINE_REACH)
    return float(2 ** np.average((sizes - by_sizes)[near], weights=trust))


def _trust(doublings: _Floats, reach: float) -> _Floats:
    """Return how much an assumption counts that seems so many doublings off; the best one 1."""
    squares = (doublings / reach) ** 2
    return np.exp(-0.5 * (squares - squares.min()))


def _pictures(
    slide: Slide, centres: _Floats, assumed_mpp: float, network_mpp: float
) -> Iterator[npt.NDArray[np.uint8]]:
    """Read around each centre as the network would see it were the assumption right."""
    raster = Raster(slide.info.bounds, network_mpp, network_mpp / assumed_mpp)
    for x, y in raster.from_level0(centres):
        left, width = _span(x, raster.width)
        top, height = _span(y, raster.height)
        yield slide.read(raster, Window(left, top, width, height))


def _span(middle: float, length: int) -> tuple[int, int]:
    """Return the start and the length of what is read along one side."""
    size = min(LOOK_PX, length)
    return int(np.clip(round(middle - size / 2), 0, length - size)), size
