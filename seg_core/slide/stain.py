"""How much haematoxylin and eosin a pixel holds."""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

Stain = Literal["haematoxylin", "eosin"]

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


def densities_of_sums(
    red: npt.NDArray[np.float64], green: npt.NDArray[np.float64], blue: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Separate sums of optical densities over many pixels into sums of the two stains.

    Parameters
    ----------
    red, green, blue : (N,) float64
        Of `optical_density`.

    Returns
    -------
    haematoxylin, eosin : (N,) float64
        What adding up `stain_densities` would give.
    """
    # not a product of matrices, which rounds a row differently with the rows beside it
    haematoxylin, eosin = (red * r + green * g + blue * b for r, g, b in _UNMIX.T.astype(float))
    return haematoxylin, eosin


def only_stain(rgb: npt.NDArray[np.uint8], stain: Stain) -> npt.NDArray[np.uint8]:
    """Return a picture as it would look if it held one of the two stains alone.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
    stain : {"haematoxylin", "eosin"}

    Returns
    -------
    rgb : (H, W, 3) uint8

    Examples
    --------
    >>> nucleus, cytoplasm = [90, 80, 150], [230, 130, 210]
    >>> only_stain(np.array([[nucleus, cytoplasm]], dtype=np.uint8), "haematoxylin").tolist()
    [[[89, 81, 160], [234, 232, 245]]]
    """
    density = optical_density(rgb) @ _UNMIX[:, _STAINS.index(stain)]
    np.clip(density, 0, _MOST_DENSITY, out=density)
    return _COLOURS[stain][(density * _STEPS_PER_DENSITY).astype(np.uint16)]


def _colours_of(vector: tuple[float, float, float]) -> npt.NDArray[np.uint8]:
    """Return the colour of every amount of a stain, in small steps."""
    unit = np.array(vector) / np.linalg.norm(vector)
    amounts = np.arange(int(_MOST_DENSITY * _STEPS_PER_DENSITY) + 1) / _STEPS_PER_DENSITY
    return np.rint(_WHITE * 10 ** -np.outer(amounts, unit)).astype(np.uint8)


def _unmixing() -> npt.NDArray[np.float32]:
    """Return the (3, 2) matrix from optical densities to amounts of stain."""
    stains = np.array([_HAEMATOXYLIN, _EOSIN, np.cross(_HAEMATOXYLIN, _EOSIN)])
    stains /= np.linalg.norm(stains, axis=1, keepdims=True)
    return np.linalg.inv(stains)[:, :2].astype(np.float32)


_DENSITY_OF_LEVEL = np.log10(_WHITE / np.maximum(np.arange(256), 1)).astype(np.float32)
_UNMIX = _unmixing()
_STAINS: tuple[Stain, ...] = get_args(Stain)

# Black is 2.4 in each channel, 4.2 along a vector; steps of 1/256 are below a grey level.
_MOST_DENSITY, _STEPS_PER_DENSITY = 4.2, 256
_COLOURS = {"haematoxylin": _colours_of(_HAEMATOXYLIN), "eosin": _colours_of(_EOSIN)}
