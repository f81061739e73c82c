"""Engines without a network, whose answer can be worked out by hand, and pictures for them."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from painted_slides import mean_colours

from seg_core.model.engine import NumberedLogits, NumberedTile
from seg_core.model.features import DescribedTile


def pixel_logits(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) → (8, H, W): red names the class, green the ternary value, blue how sure it is.

    No two logits of a head are nearer than 0.5, so rounding decides no argmax.
    """
    red, green, blue = np.moveaxis(rgb, 2, 0).astype(np.int32)
    ids = np.arange(8)[:, None, None]
    semantic = -0.5 * ((ids[:5] - red) % 5) * (1 + blue / 64)
    ternary = -0.5 * ((ids[:3] - green) % 3)
    return np.concatenate([semantic, ternary]).astype(np.float32)


def context_logits(rgb: np.ndarray) -> np.ndarray:
    """Answer from the 15 × 15 pixels around, of the same tile only, as a real network does."""
    blurred = cv2.blur(rgb.astype(np.float32), (15, 15), borderType=cv2.BORDER_CONSTANT)
    phases = np.arange(8, dtype=np.float32)[:, None, None]
    return np.sin(blurred[..., 0] / 9 + phases) + np.cos(blurred[..., 1] / 7 - 2 * phases)


@dataclass
class FakeEngine:
    """Answers tiles with a function, in mixed order if a seed is given, and remembers them."""

    answer: Callable[[np.ndarray], np.ndarray] = pixel_logits
    seed: int | None = None
    name: str = "fake"
    precision: str = "fp32"
    feature_count: int = 3
    numbers: list[int] = field(default_factory=list)

    def run(self, tiles: Iterable[NumberedTile]) -> Iterator[NumberedLogits]:
        mixed = random.Random(self.seed)
        held: list[NumberedTile] = []
        for tile in tiles:
            self.numbers.append(tile[0])
            held.append(tile)
            while held and (self.seed is None or len(held) > 5):
                yield self._answered(held.pop(mixed.randrange(len(held))))
        while held:
            yield self._answered(held.pop(mixed.randrange(len(held))))

    def describe(self, tiles: Iterable[NumberedTile]) -> Iterator[DescribedTile]:
        """Its features are the mean colour of each square."""
        seen: dict[int, np.ndarray] = {}

        def remembered() -> Iterator[NumberedTile]:
            for number, rgb in tiles:
                seen[number] = rgb
                yield number, rgb

        for number, logits in self.run(remembered()):
            yield DescribedTile(number, logits, mean_colours(seen.pop(number)))

    def _answered(self, tile: NumberedTile) -> NumberedLogits:
        number, rgb = tile
        return number, self.answer(rgb)


def painted(width: int, height: int, seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: patches of 7 px and single pixels in random colours."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 7 + 1, width // 7 + 1, 3), dtype=np.uint8)
    picture = coarse.repeat(7, axis=0).repeat(7, axis=1)[:height, :width].copy()
    speckle = rng.random((height, width)) < 0.1
    picture[speckle] = rng.integers(0, 256, (int(speckle.sum()), 3), dtype=np.uint8)
    return picture
