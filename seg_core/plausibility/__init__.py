"""Whether a number is to be trusted: the size of a pixel, and how much a slide is like the training data."""

from seg_core.plausibility.digest import Digest, digest_of
from seg_core.plausibility.pixel_size import PixelSizeEstimate, ScaleModel, estimate_pixel_size

__all__ = ["Digest", "PixelSizeEstimate", "ScaleModel", "digest_of", "estimate_pixel_size"]
