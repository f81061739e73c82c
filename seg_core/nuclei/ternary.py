"""The ternary map of labelled nuclei: what the network's second head is taught."""

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.classes import BOUNDARY, INSIDE

RIM_PX = 3
"""Thickness of the boundary. It lies *inside* each nucleus, so that inside + boundary is the exact
mask and touching nuclei have six pixels of boundary between their insides."""


def ternary_of(instances: npt.NDArray[np.integer], rim_px: int = RIM_PX) -> npt.NDArray[np.uint8]:
    """Return the ternary map of labelled nuclei.

    A pixel of a nucleus is *boundary* if a pixel of another label or of background lies at most
    ``rim_px`` away, as the crow flies and from centre to centre; along a straight edge these are
    the outer ``rim_px`` rows. The border of the image is no boundary: nobody knows what is beyond.

    Parameters
    ----------
    instances : (H, W) integer
        0 background, other numbers one a nucleus.
    rim_px : int
        0 leaves no boundary.

    Returns
    -------
    ternary : (H, W) uint8
        0 background, 1 inside, 2 boundary.

    Examples
    --------
    >>> ternary_of(np.array([[0, 5, 5, 5, 0]]), rim_px=1)
    array([[0, 2, 1, 2, 0]], dtype=uint8)
    """
    # float32 holds every id up to 2**24 and, unlike int32, is a type OpenCV's filters take
    labels = np.ascontiguousarray(instances, dtype=np.float32)
    # cv2.MORPH_ELLIPSE is rounder than a disc: it would count (3, 1), 3.16 px away, as within 3
    offsets = np.arange(-rim_px, rim_px + 1)
    disc = (offsets[:, None] ** 2 + offsets**2 <= rim_px**2).astype(np.uint8)
    other_near = (cv2.dilate(labels, disc) > labels) | (cv2.erode(labels, disc) < labels)
    ternary = np.where(other_near, BOUNDARY, INSIDE).astype(np.uint8)
    ternary[labels == 0] = 0
    return ternary
