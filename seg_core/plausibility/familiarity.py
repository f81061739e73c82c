"""How far the nuclei of a slide lie from those the network has learnt from.

What the network knows of nuclei beside their class (`seg_core.model.features`) and how deep they
are stained is averaged over all nuclei of a picture. The training images are a cloud of such means;
the distance from its middle, counted in its own standard deviations in every direction (Mahalanobis),
says how unlike them a slide is. With a hundred images for ninety numbers the covariance has to be
shrunk (Ledoit and Wolf 2004). Divided by the root of their number the distance is about 1 where a
picture is as unlike the others as they are among themselves.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]

STAIN_NAMES = ("haematoxylin", "eosin")


@dataclass(frozen=True, slots=True)
class Familiarity:
    """The cloud of the training images.

    Attributes
    ----------
    middle : tuple of float
        (D,) of `seg_core.plausibility.Digest.look`.
    deviations : tuple of float
        (D,) of single numbers.
    whitening : tuple of float
        The lower triangle, row by row, of the (D, D) matrix that makes the standardised cloud round.
    limit : float
        A distance that one validation image in forty exceeds.
    """

    middle: tuple[float, ...]
    deviations: tuple[float, ...]
    whitening: tuple[float, ...]
    limit: float

    def distance(self, look: npt.ArrayLike) -> float:
        """Return how unlike the training images a picture is; about 1 for the least alike of them.

        Examples
        --------
        >>> seen = Familiarity((0.0, 0.0), (1.0, 2.0), (1.0, 0.0, 1.0), limit=1.5)
        >>> f"{seen.distance([3.0, 8.0]):.4f}"
        '3.5355'
        """
        offset = self._offset(look)
        size = len(self.middle)
        matrix = np.zeros((size, size))
        matrix[np.tril_indices(size)] = self.whitening
        return float(np.linalg.norm(matrix.T @ offset) / np.sqrt(size))

    def stain_offsets(self, look: npt.ArrayLike) -> dict[str, float]:
        """Return by how many standard deviations each stain of the nuclei is deeper (pale: below 0)."""
        return dict(zip(STAIN_NAMES, self._offset(look)[-len(STAIN_NAMES) :].tolist(), strict=True))

    def _offset(self, look: npt.ArrayLike) -> _Floats:
        return (np.asarray(look, np.float64) - np.array(self.middle)) / np.array(self.deviations)
