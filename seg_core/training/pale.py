"""Large pale nuclei: the ones a network misses most, so that crops can be centred on them.

Open chromatin leaves of a nucleus little but its rim. Of the nuclei that the sixth stage of
*nuclei-lite0* missed on images it was never trained on, nearly all were large and pale.
"""

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.labelled.labelled_image import LabelledImage

PALEST = 0.25
"""Part of an image's larger nuclei that counts as pale."""


def large_and_pale(image: LabelledImage) -> npt.NDArray[np.intp]:
    """Return which nuclei are larger than the image's median and the palest of those.

    Parameters
    ----------
    image : LabelledImage

    Returns
    -------
    numbers : (K,) int
        Indices into the image's ``classes``, ascending; pale is a high mean grey value, measured
        within one image because stains differ between images. Where fewer than two nuclei lie in
        the image there is nothing to compare, and none is returned.
    """
    grey = cv2.cvtColor(image.image, cv2.COLOR_RGB2GRAY).ravel()
    owners, length = image.instances.ravel(), len(image.classes) + 1
    areas = np.bincount(owners, minlength=length)[1:]
    if np.count_nonzero(areas) < 2:
        return np.zeros(0, dtype=np.intp)
    greys = np.bincount(owners, grey, length)[1:] / np.maximum(areas, 1)
    larger = areas > np.median(areas[areas > 0])
    if not larger.any():
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(larger & (greys >= np.quantile(greys[larger], 1 - PALEST)))
