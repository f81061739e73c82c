"""Take the colours of a slide to those the model was taught with.

What the stain of a slide is like is learned once, from pixels drawn all over its tissue, by
torchstain (its NumPy side, which does not load torch). From then on the slide's colours go through
one fixed function of a pixel's colour: tiles that overlap agree, and a region gives exactly what
the whole slide gives. torchstain itself would learn anew from each picture it normalises.

- **macenko** (Macenko et al., ISBI 2009): haematoxylin and eosin are the two extreme directions of
  the optical densities; their amounts are kept, up to their strength, and mixed again in the
  target's colours.
- **reinhard** (Reinhard et al., 2001): mean and spread of each channel of CIELAB become the
  target's.

The target is the mean of the patients of the training part of MoNuSAC.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from torchstain.numpy.normalizers import NumpyMacenkoNormalizer, NumpyReinhardNormalizer

from seg_core.apart import apart
from seg_core.errors import StainError
from seg_core.geometry import Raster, Region, Window
from seg_core.slide.slide import Slide, SlideInfo
from seg_core.slide.tissue import TissueMask, absorbs

StainMethod = Literal["macenko", "reinhard"]

# Squares of tissue, each a pixel of the mask, that the stain is learned from: 0.4 Mpx at most.
_SQUARES = 400
_SEED = 0

# Fine enough for a pixel to be nucleus or cytoplasm, not both.
_SAMPLE_MPP = 0.25

# A patch of 25 × 25 µm. With fewer pixels of tissue the extremes are single pixels.
_MIN_PIXELS = 10_000

# torchstain's own values for what light passes unhindered, and for glass.
_LIGHT = 240.0
_MIN_DENSITY = 0.15

# Haematoxylin and eosin are 15° to 40° apart; directions that are nearer are one stain, or noise.
_MIN_ANGLE_DEGREES = 5.0

# What would have to be made stronger or weaker by more than this is no H&E.
_MAX_GAIN = 8.0

_Image = npt.NDArray[np.uint8]


class StainFit(Protocol):
    """What the stain of a slide is like, and so how its colours become the target's."""

    @property
    def method(self) -> StainMethod:
        """How it was learned."""

    @property
    def gains(self) -> npt.NDArray[np.float64]:
        """How much stronger than the slide's the target's stains, or colours, are."""

    def normalise(self, rgb: _Image) -> _Image:
        """Return the colours as the target's stain would show them, each pixel by itself.

        Parameters
        ----------
        rgb : (H, W, 3) uint8

        Returns
        -------
        rgb : (H, W, 3) uint8
        """

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as they stand in ``run.json``."""


@dataclass(frozen=True, slots=True)
class MacenkoFit:
    """The two stains of a slide.

    Attributes
    ----------
    haematoxylin, eosin : (float, float, float)
        Optical density (natural logarithm) of red, green and blue per unit, of length 1.
    strengths : (float, float)
        The amounts that 99 % of the pixels do not exceed.
    """

    haematoxylin: tuple[float, float, float]
    eosin: tuple[float, float, float]
    strengths: tuple[float, float]

    method: ClassVar[StainMethod] = "macenko"

    def __post_init__(self) -> None:
        _check_numbers((*self.haematoxylin, *self.eosin), self.strengths)
        cosine = float(np.dot(self.haematoxylin, self.eosin))
        angle = math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))
        if angle < _MIN_ANGLE_DEGREES:
            found, _ = apart(angle, _MIN_ANGLE_DEGREES, places=1)
            raise StainError(
                f"the two stains found are {found}° apart, less than {_MIN_ANGLE_DEGREES:g}°, "
                "so they are one; use the colours as they are."
            )

    @property
    def mixing(self) -> npt.NDArray[np.float64]:
        """(3, 2) matrix from amounts of stain to optical densities."""
        return np.array([self.haematoxylin, self.eosin]).T

    @property
    def gains(self) -> npt.NDArray[np.float64]:
        """How much stronger than the slide's the target's stains are."""
        return np.divide(MACENKO_TARGET.strengths, self.strengths)

    def normalise(self, rgb: _Image) -> _Image:
        """Return the colours as the target's stain would show them, each pixel by itself."""
        matrix = MACENKO_TARGET.mixing @ np.diag(self.gains) @ np.linalg.pinv(self.mixing)
        brightness = cv2.transform(cv2.LUT(rgb, _BRIGHTNESS_OF_LEVEL), matrix.astype(np.float32))
        return _to_bytes(cv2.exp(brightness), _LIGHT)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as they stand in ``run.json``."""
        return {"method": self.method, **asdict(self)}


@dataclass(frozen=True, slots=True)
class ReinhardFit:
    """The colours of a slide in CIELAB.

    Attributes
    ----------
    means, spreads : (float, float, float)
        Mean and standard deviation of L* (0 to 100), a* and b*.
    """

    means: tuple[float, float, float]
    spreads: tuple[float, float, float]

    method: ClassVar[StainMethod] = "reinhard"

    def __post_init__(self) -> None:
        _check_numbers(self.means, self.spreads)

    @property
    def gains(self) -> npt.NDArray[np.float64]:
        """How much further than the slide's the target's colours are spread."""
        return np.divide(REINHARD_TARGET.spreads, self.spreads)

    def normalise(self, rgb: _Image) -> _Image:
        """Return the colours as the target's stain would show them, each pixel by itself."""
        shifts = np.subtract(REINHARD_TARGET.means, self.means * self.gains)
        lab = cv2.cvtColor(rgb.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
        lab = lab * self.gains.astype(np.float32) + shifts.astype(np.float32)
        return _to_bytes(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 255.0)

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as they stand in ``run.json``."""
        return {"method": self.method, **asdict(self)}


def fit_stain(slide: Slide, tissue: TissueMask, method: StainMethod) -> StainFit:
    """Learn what the stain of a slide is like, from all over its tissue.

    Parameters
    ----------
    slide : Slide
    tissue : TissueMask
        Of the slide; the same tissue gives the same fit.
    method : {"macenko", "reinhard"}

    Returns
    -------
    fit : StainFit

    Raises
    ------
    StainError
        If there is too little tissue, or its colours are not those of two stains.
    """
    return fit_colours(tissue_colours(slide, tissue), method)


def tissue_colours(slide: Slide, tissue: TissueMask) -> _Image:
    """Draw pixels from all over the tissue of a slide, the same ones each time.

    Parameters
    ----------
    slide : Slide
    tissue : TissueMask

    Returns
    -------
    colours : (N, 3) uint8
        At most 0.4 million; the glass in gaps of the tissue is left out.
    """
    raster = slide.raster(_SAMPLE_MPP)
    places = np.argwhere(tissue.mask)
    if len(places) > _SQUARES:
        drawn = np.random.default_rng(_SEED).choice(len(places), _SQUARES, replace=False)
        places = places[np.sort(drawn)]
    colours = [np.empty((0, 3), dtype=np.uint8)]
    for row, column in places.tolist():
        square = tissue.raster.region_of(Window(column, row, 1, 1))
        rgb = slide.read(raster, raster.window_of(square))
        colours.append(rgb[absorbs(rgb)])
    return np.concatenate(colours)


def fit_colours(colours: _Image, method: StainMethod) -> StainFit:
    """Learn what a stain is like from pixels of tissue.

    Parameters
    ----------
    colours : (N, 3) uint8
    method : {"macenko", "reinhard"}

    Returns
    -------
    fit : StainFit

    Raises
    ------
    StainError
        If these are too few, or their colours are not those of two stains.
    """
    dark = (colours < _LIGHT * math.exp(-_MIN_DENSITY)).all(axis=1)
    if dark.sum() < _MIN_PIXELS:
        raise StainError(
            f"no stain can be learned from {dark.sum():,} stained pixels, at least {_MIN_PIXELS:,} "
            "are needed; use the colours as they are."
        )
    fit = _fit_macenko(colours) if method == "macenko" else _fit_reinhard(colours)
    if max(fit.gains.max(), (1 / fit.gains).max()) > _MAX_GAIN:
        raise StainError(
            f"the colours differ {_MAX_GAIN:g} times or more from those of H&E; "
            "use the colours as they are."
        )
    return fit


def stain_from_json(entries: dict[str, Any]) -> StainFit:
    """Read what `StainFit.to_json` gave; KeyError or TypeError where it is not that."""
    kinds: dict[str, type[MacenkoFit | ReinhardFit]] = {
        kind.method: kind for kind in (MacenkoFit, ReinhardFit)
    }
    numbers = {name: tuple(each) for name, each in entries.items() if name != "method"}
    return kinds[entries["method"]](**numbers)


class NormalisedSlide:
    """A slide in the target's colours.

    Parameters
    ----------
    slide : Slide
        As it is; closing the one closes the other.
    fit : StainFit
        What its stain is like.
    """

    def __init__(self, slide: Slide, fit: StainFit) -> None:
        self._slide = slide
        self._fit = fit

    @property
    def info(self) -> SlideInfo:
        """What the file says of itself, and what the user said."""
        return self._slide.info

    def raster(self, mpp: float) -> Raster:
        """Return the grid over the slide's bounds whose pixels have about this size."""
        return self._slide.raster(mpp)

    def read(self, raster: Raster, window: Window) -> _Image:
        """Read a window of a raster; what was resampled is normalised."""
        return self._fit.normalise(self._slide.read(raster, window))

    def read_level0(self, region: Region, size: tuple[int, int]) -> _Image:
        """Read a region inside the slide, resampled to a size in pixels."""
        return self._fit.normalise(self._slide.read_level0(region, size))

    def thumbnail(self, max_side_px: int) -> _Image:
        """Read the slide's bounds so that the longer side has at most this many pixels."""
        return self._fit.normalise(self._slide.thumbnail(max_side_px))

    def associated_images(self) -> dict[str, Image.Image]:
        """Return label, macro and other pictures stored beside the slide, as they are."""
        return self._slide.associated_images()

    def close(self) -> None:
        """Let go of the file; nothing can be read afterwards."""
        self._slide.close()


def _fit_macenko(colours: _Image) -> MacenkoFit:
    learner = NumpyMacenkoNormalizer()
    learner.fit(colours, Io=_LIGHT, beta=_MIN_DENSITY)
    haematoxylin, eosin = learner.HERef.T.tolist()
    return MacenkoFit(tuple(haematoxylin), tuple(eosin), tuple(learner.maxCRef.tolist()))


def _fit_reinhard(colours: _Image) -> ReinhardFit:
    learner = NumpyReinhardNormalizer()
    learner.fit(colours[None])
    return ReinhardFit(tuple(learner.target_means.tolist()), tuple(learner.target_stds.tolist()))


def _check_numbers(numbers: Sequence[float], above_zero: Sequence[float]) -> None:
    if not all(map(math.isfinite, (*numbers, *above_zero))):
        raise StainError("the stain found is no number; use the colours as they are.")
    if min(above_zero) <= 0:
        raise StainError("the tissue has a single colour; use the colours as they are.")


def _to_bytes(values: npt.NDArray[np.float32], scale: float) -> _Image:
    return cv2.convertScaleAbs(np.clip(values, 0, 255 / scale), alpha=scale)


# Of torchstain, which adds 1 to the grey level: the natural logarithm of the share of light.
_BRIGHTNESS_OF_LEVEL = np.log((np.arange(256) + 1) / _LIGHT).astype(np.float32)

# Means over the 11 patients of monusac/train, each learned from the pooled tissue of its images:
# python -m tests.bench.stain_target ../shared/data/monusac/train
MACENKO_TARGET = MacenkoFit(
    haematoxylin=(0.5658, 0.7442, 0.3551),
    eosin=(0.1660, 0.8263, 0.5382),
    strengths=(2.6739, 1.8639),
)
REINHARD_TARGET = ReinhardFit(
    means=(55.2812, 30.5588, -13.1325), spreads=(18.9712, 10.0503, 10.1261)
)
