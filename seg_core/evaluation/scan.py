"""Labelled images shown as another scanner would have given them."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.labelled.resolution import compressed, seen_at


@dataclass(frozen=True, slots=True)
class Scan:
    """What becomes of an image before the network sees it; its labels stay.

    Attributes
    ----------
    reduced : int
        Pixels of the image along one of the coarser scan; 2 shows images at 40x as 20x ones.
    jpeg : int or None
        Quality of the scan's compression, 1 to 100; None for none.
    """

    reduced: int = 1
    jpeg: int | None = None

    def show(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Return an image, (H, W, 3), of the same size."""
        if self.reduced > 1:
            height, width = image.shape[:2]
            size = (max(1, round(width / self.reduced)), max(1, round(height / self.reduced)))
            return seen_at(image, size, self.jpeg)
        return image if self.jpeg is None else compressed(image, self.jpeg)

    def to_json(self) -> dict[str, Any]:
        """Return the scan as it stands in a result."""
        return asdict(self)


SAME_SCAN = Scan()

AT_20X = Scan(reduced=2)
"""Of images at 40x: half of the world's slides are scanned so."""
