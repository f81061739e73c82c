"""How much haematoxylin and eosin a pixel holds."""

import numpy as np
import numpy.typing as npt

# Ruifrok and Johnston (2001): optical density of red, green and blue per unit of each stain.
_HAEMATOXYLIN = (0.650, 0.704, 0.286)
_EOSIN = (0.072, 0.990, 0.105)

_WHITE = 255.0


def optical_density(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the decadic optical density of each channel, 0 on white.

    Parameters
    ----------
    rgb : (..., 3) uint8

    Returns
    -------
    density : (..., 3) float32
        0 to 2.41; black counts as one grey level.

    Examples
    --------
    >>> optical_density(np.array([255, 26, 0], dtype=np.uint8)).round(2)
    array([0.  , 0.99, 2.41], dtype=float32)
    """
    return _DENSITY_OF_LEVEL[rgb]


def stain_densities(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Separate the colours of H&E into its two stains by colour deconvolution.

    Vectors of Ruifrok and Johnston (2001); what neither stain explains goes to a third vector,
    perpendicular to both, and is dropped. A pixel that is greener than white has less than none of
    a stain: small negative values are noise and stay, so that means over pixels are unbiased.

    Parameters
    ----------
    rgb : (H, W, 3) uint8

    Returns
    -------
    densities : (H, W, 2) float32
        Optical density of haematoxylin, of eosin.

    Examples
    --------
    >>> nucleus, cytoplasm = [90, 80, 150], [230, 130, 210]
    >>> stain_densities(np.array([[nucleus, cytoplasm]], dtype=np.uint8)).round(2)
    array([[[0.71, 0.01],
            [0.06, 0.25]]], dtype=float32)
    """
    return optical_density(rgb) @ _UNMIX


def _unmixing() -> npt.NDArray[np.float32]:
    """Return the (3, 2) matrix from optical densities to amounts of stain."""
    stains = np.array([_HAEMATOXYLIN, _EOSIN, np.cross(_HAEMATOXYLIN, _EOSIN)])
    stains /= np.linalg.norm(stains, axis=1, keepdims=True)
    return np.linalg.inv(stains)[:, :2].astype(np.float32)


_DENSITY_OF_LEVEL = np.log10(_WHITE / np.maximum(np.arange(256), 1)).astype(np.float32)
_UNMIX = _unmixing()
