"""Where somebody has drawn on the slide, or inked the specimen's edge.

Both stains of H&E let more red through than green, in whatever mixture and strength; so what
absorbs red more than green is blue or green ink. Black ink absorbs all colours alike and nearly
everything, red ink everything but red. The thresholds were set beside the 160 labelled images of
five public sets, at 8 µm per pixel: none of their tissue passes, blood included, and the two with
inked edges do.

What this does not see: violet ink, which has the colour of haematoxylin; red ink so thin that it
has the colour of blood, or over dark nuclei; strokes narrower than about 30 µm. Dense black pigment of more than
0.002 mm² in one piece would be taken for ink.
"""

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.slide.stain import optical_density

# Tissue of the sets reaches 0.01 where there is no ink.
_MIN_RED_EXCESS = 0.06

_MIN_BLACK_DENSITY = 0.8  # 40 of 255; the blackest pigment has 0.74
_MAX_BLACK_TINT = 0.25

# Blood has a lower density of green at 8 µm per pixel, or absorbs more red.
_MIN_RED_INK_DENSITY = 0.8
_MAX_RED_SHARE = 0.25
_MIN_BLUE_SHARE = 0.75

_MIN_AREA_UM2 = 2000.0

# Ink thins out at its edge, where its pixels are partly glass.
_EDGE_UM = 24.0


def is_ink(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Tell of each pixel whether it has the colour of ink.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
        The slide at low resolution, some 4 to 16 µm per pixel.

    Returns
    -------
    (H, W) bool

    Examples
    --------
    >>> nucleus, blood, marker, felt_tip = (90, 60, 130), (180, 60, 70), (20, 120, 70), (20, 20, 25)
    >>> is_ink(np.array([[nucleus, blood, marker, felt_tip]], dtype=np.uint8)).tolist()
    [[False, False, True, True]]
    """
    density = optical_density(rgb)
    red, green, blue = np.moveaxis(density, -1, 0)
    coloured = red - green >= _MIN_RED_EXCESS
    black = (density.min(-1) >= _MIN_BLACK_DENSITY) & (np.ptp(density, -1) <= _MAX_BLACK_TINT)
    bright_red = (
        (green >= _MIN_RED_INK_DENSITY)
        & (red <= _MAX_RED_SHARE * green)
        & (blue >= _MIN_BLUE_SHARE * green)
    )
    return coloured | black | bright_red


def pen_marks(ink: npt.NDArray[np.bool_], mpp: float) -> npt.NDArray[np.bool_]:
    """Return the marks that pixels of ink make up, with their edges and without specks.

    Parameters
    ----------
    ink : (H, W) bool
    mpp : float
        µm per pixel.

    Returns
    -------
    pen : (H, W) bool
    """
    return _with_edges(_large_parts(ink, _MIN_AREA_UM2 / mpp**2), round(_EDGE_UM / mpp))


def _large_parts(mask: npt.NDArray[np.bool_], min_px: float) -> npt.NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    large = stats[:, cv2.CC_STAT_AREA] >= min_px
    return mask & large[labels]


def _with_edges(mask: npt.NDArray[np.bool_], radius_px: int) -> npt.NDArray[np.bool_]:
    side = 2 * radius_px + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), disc) > 0
