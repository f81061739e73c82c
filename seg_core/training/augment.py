"""Changes that leave the labels true: geometry on image and labels, colours on the image alone."""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.geometry import Window
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.resolution import compressed, seen_at
from seg_core.training.config import AugmentConfig

# Haematoxylin, eosin, DAB optical densities (Ruifrok and Johnston 2001); rows are stains.
HED_FROM_STAINS = np.array(
    [[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]], dtype=np.float32
)
STAINS_FROM_HED = np.linalg.inv(HED_FROM_STAINS).astype(np.float32)

Crop = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32], npt.NDArray[np.bool_]]


def cut(
    source: LabelledImage,
    centre: tuple[float, float],
    size: int,
    mpp: float,
    config: AugmentConfig,
    rng: np.random.Generator,
) -> Crop:
    """Cut a crop out of an image, turned, flipped, scaled and distorted by chance.

    Parameters
    ----------
    source : LabelledImage
    centre : (x, y)
        Pixel of the image that comes near the crop's middle.
    size : int
        Side of the crop.
    mpp : float
        µm per pixel of the crop; a source with pixels twice as large is enlarged, by chance after
        a JPEG compression as a scanner's.
    config : AugmentConfig
    rng : numpy.random.Generator

    Returns
    -------
    image : (size, size, 3) uint8
        Reflected beyond the image's edges.
    instances : (size, size) int32
        Numbers of the source's nuclei; 0 beyond the edges.
    taught : (size, size) bool
        False in ignored areas and beyond the edges, where labels would be invented.
    """
    if source.factor_to(mpp) > 1:
        source, centre = _enlarged_around(source, centre, size, mpp, config, rng)
    matrix = _matrix(centre, size, config.scale, rng)
    height, width = source.instances.shape
    grid = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).astype(np.float32)
    if rng.random() < config.elastic:
        grid += _waves(size, rng)
    positions = (grid @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    x, y = positions[..., 0], positions[..., 1]
    image = cv2.remap(source.image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    inside = (x > -0.5) & (y > -0.5) & (x < width - 0.5) & (y < height - 0.5)
    columns = np.clip(np.rint(x).astype(np.intp), 0, width - 1)
    rows = np.clip(np.rint(y).astype(np.intp), 0, height - 1)
    instances = np.where(inside, source.instances[rows, columns], 0).astype(np.int32)
    if source.ignore is not None:
        inside &= ~source.ignore[rows, columns]
    return image, instances, inside


def _enlarged_around(
    source: LabelledImage,
    centre: tuple[float, float],
    size: int,
    mpp: float,
    config: AugmentConfig,
    rng: np.random.Generator,
) -> tuple[LabelledImage, tuple[float, float]]:
    """Return the part of a coarser image that a crop can reach, enlarged, and its centre there."""
    factor = source.factor_to(mpp)
    # half a diagonal and the shift, as far as the scale goes, and the waves
    reach = int((size * (0.71 + 0.5) * (1 + config.scale) + 24) / factor)
    x, y = (int(each) for each in centre)
    window = Window(x - reach, y - reach, 2 * reach, 2 * reach)
    height, width = source.instances.shape
    x0, y0 = max(window.x, 0), max(window.y, 0)
    part = np.s_[y0 : min(window.bottom, height), x0 : min(window.right, width)]
    image = source.image[part]
    if rng.random() < config.jpeg:
        image = compressed(image, _quality(rng))
    cut_out = replace(
        source,
        image=image,
        instances=source.instances[part],
        ignore=None if source.ignore is None else source.ignore[part],
    )
    return cut_out.at(mpp), ((centre[0] - x0) * factor, (centre[1] - y0) * factor)


def _matrix(
    centre: tuple[float, float], size: int, scale: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return the (2, 3) map from pixels of the crop to pixels of the image."""
    factor = np.exp(rng.uniform(-1, 1) * np.log1p(scale))
    angle = rng.uniform(0, 2 * np.pi) if rng.random() < 0.3 else rng.integers(4) * np.pi / 2
    cos, sin = np.cos(angle) * factor, np.sin(angle) * factor
    flip = 1.0 if rng.random() < 0.5 else -1.0
    linear = np.array([[cos, -sin * flip], [sin, cos * flip]])
    shift = rng.uniform(-0.35, 0.35, 2) * size
    offset = np.asarray(centre) - linear @ (np.full(2, (size - 1) / 2) + shift)
    return np.column_stack([linear, offset]).astype(np.float32)


def _waves(size: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return a smooth displacement of a few pixels."""
    coarse = rng.normal(0, 4, (size // 64 + 3, size // 64 + 3, 2)).astype(np.float32)
    return cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)


def recolour(
    image: npt.NDArray[np.uint8],
    config: AugmentConfig,
    rng: np.random.Generator,
    *,
    enlarged: bool = False,
) -> npt.NDArray[np.uint8]:
    """Change stain, light, sharpness and compression of an image by chance.

    Parameters
    ----------
    image : (S, S, 3) uint8
    config : AugmentConfig
    rng : numpy.random.Generator
    enlarged : bool
        Whether the image was enlarged already: it is not shrunk once more, and its compression
        was that of the coarser image.
    """
    if not enlarged and rng.random() < config.low_resolution:
        enlarged = True
        image = _through_half(image, config, rng)
    elif rng.random() < config.blur:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 2.0))
    image = _jitter(image, config, rng)
    if not enlarged and rng.random() < config.jpeg:
        image = compressed(image, _quality(rng))
    return image


def _through_half(
    image: npt.NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Show a crop as one scanned at about 20x."""
    small = round(image.shape[0] / rng.uniform(1.8, 2.2))
    quality = _quality(rng) if rng.random() < 2 * config.jpeg else None
    return seen_at(image, (small, small), quality)


def _quality(rng: np.random.Generator) -> int:
    return int(rng.integers(30, 96))


def _jitter(
    image: npt.NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    density = _DENSITY_OF[image]
    factor = rng.normal(1, config.stain, 3).astype(np.float32)
    shift = rng.normal(0, config.stain / 6, 3).astype(np.float32)
    # (OD @ S⁻¹ * factor + shift) @ S as one matrix and one offset
    matrix = (STAINS_FROM_HED * factor) @ HED_FROM_STAINS
    changed = density @ matrix + shift @ HED_FROM_STAINS
    light = np.exp(-changed)
    contrast, brightness = rng.normal(1, config.light), rng.normal(0, config.light)
    light = (light - 0.5) * contrast + 0.5 + brightness
    return np.clip(light * 255, 0, 255).astype(np.uint8)


_DENSITY_OF = -np.log(np.maximum(np.arange(256, dtype=np.float32), 1) / 255)
