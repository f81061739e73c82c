"""Images and labels at another resolution: 20x for a network that works at 40x, and back."""

from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

FACTOR = 2
"""By which 0.5 µm/px become 0.25."""

T = TypeVar("T", bound=np.generic)


def enlarge_image(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return an image with twice the pixels a side, by the filter that shows slides to a network.

    Parameters
    ----------
    image : (H, W, 3) uint8

    Returns
    -------
    image : (2 H, 2 W, 3) uint8
    """
    height, width = image.shape[:2]
    size = (FACTOR * width, FACTOR * height)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))


def enlarge_labels(labels: npt.NDArray[T]) -> npt.NDArray[T]:
    """Return a label map with twice the pixels a side, its stairs smoothed.

    Each pixel becomes four. One of the four takes the label of the two neighbours at its corner
    where these agree with each other and the two across do not join them (Scale2x, Mazzoleni
    2001). Filters that weigh neighbours would wear away nuclei of one or two pixels' width; here a
    line stays twice as wide, and no label is lost or made.

    Parameters
    ----------
    labels : (H, W)

    Returns
    -------
    labels : (2 H, 2 W)

    Examples
    --------
    >>> enlarge_labels(np.array([[1, 0], [1, 1]]))
    array([[1, 1, 0, 0],
           [1, 1, 1, 0],
           [1, 1, 1, 1],
           [1, 1, 1, 1]])
    """
    padded = np.pad(labels, 1, mode="edge")
    up, down = padded[:-2, 1:-1], padded[2:, 1:-1]
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    height, width = labels.shape
    enlarged: npt.NDArray[Any] = np.empty((FACTOR * height, FACTOR * width), labels.dtype)
    unlike = (up != down) & (left != right)
    for row, vertical in enumerate((up, down)):
        for column, horizontal in enumerate((left, right)):
            taken = unlike & (vertical == horizontal)
            enlarged[row::FACTOR, column::FACTOR] = np.where(taken, vertical, labels)
    return enlarged


def seen_at(
    image: npt.NDArray[np.uint8], size: tuple[int, int], quality: int | None = None
) -> npt.NDArray[np.uint8]:
    """Return an image as a network sees it that was scanned with fewer pixels.

    It is shrunk by averaging, compressed as scanners do, and enlarged by the filter that shows
    slides to a network.

    Parameters
    ----------
    image : (H, W, 3) uint8
    size : (int, int)
        Width and height of the coarser scan, pixels.
    quality : int, optional
        Of a JPEG compression of the coarser scan, 1 to 100.

    Returns
    -------
    image : (H, W, 3) uint8
    """
    shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if quality is not None:
        shrunk = compressed(shrunk, quality)
    whole = (image.shape[1], image.shape[0])
    return np.asarray(Image.fromarray(shrunk).resize(whole, Image.Resampling.BICUBIC))


def compressed(image: npt.NDArray[np.uint8], quality: int) -> npt.NDArray[np.uint8]:
    """Return an image, (H, W, 3) RGB, after a JPEG compression of a quality from 1 to 100."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    _, encoded = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)
    return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
