"""A trained model names nuclei that a data set outlines without a class.

Kumar and TNBC outline every nucleus and name none. Taught by outlines alone, the class head sees
background between their nuclei and nothing else: it learns that such stains and organs hold no
class of ours, and calls their epithelium *other*. So a model of an earlier run names what it is
sure of, at half weight, and the rest stays unknown (pseudo-labels, Lee 2013; with a teacher on
plain images and the pupil on changed ones, Xie et al. 2020).

Sure means, with the share of each class as the mean of its probability over a nucleus:

- *epithelial* where it takes most of what background leaves, in all but the quarter of an image's
  nuclei that look most like background: what the earlier model wrongly calls *other* is to be won
  back here;
- another class only where it beats background too, and in no larger nucleus than a lymphocyte has:
  neither a fibroblast nor a dark tumour cell must become a lymphocyte.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model.card import ModelCard, find_model
from seg_core.model.network import TwoHeadUnet, load_network

EPITHELIAL = "epithelial"

NAMED_WEIGHT = 0.5
"""Of a nucleus that a model has named, beside 1 for one that a person has."""

_SURE = 0.7
_MOST_LIKE_BACKGROUND = 0.75
_STRIDE_PX = 32

# A disc of 10 µm; small lymphocytes have 7 to 9.
_LARGEST_IMMUNE_UM2 = 80.0


def name_nuclei(images: Sequence[LabelledImage], model: str) -> list[LabelledImage]:
    """Give a class to the nuclei of unknown class that a model is sure of.

    Parameters
    ----------
    images : sequence of LabelledImage
    model : str
        File of its weights, with its card beside.

    Returns
    -------
    images : list of LabelledImage
        With the classes and weights of those nuclei changed.

    Raises
    ------
    DataError
        If an image has pixels of another size than the model's, or twice that.
    """
    card, weights = find_model(model)
    network = load_network(card, weights)
    return [_named(image, card, network) for image in images]


def _named(image: LabelledImage, card: ModelCard, network: TwoHeadUnet) -> LabelledImage:
    seen = image.at(card.mpp)
    areas_px = np.bincount(seen.instances.ravel(), minlength=len(image.classes) + 1)[1:]
    shares = _shares(seen.instances, _probabilities(seen.image, card, network), areas_px)
    epithelial = next(each.id for each in card.scheme.classes if each.name == EPITHELIAL)
    sure = sure_classes(shares, areas_px * card.mpp**2, epithelial)
    taken = (image.classes == UNKNOWN) & (sure != UNKNOWN)
    return replace(
        image,
        classes=np.where(taken, sure, image.classes),
        weights=np.where(taken, np.float32(NAMED_WEIGHT), image.weights),
    )


def sure_classes(
    shares: npt.NDArray[np.float64], areas_um2: npt.NDArray[np.floating], epithelial: int
) -> npt.NDArray[np.uint8]:
    """Return the class of each nucleus where the shares leave little doubt.

    Parameters
    ----------
    shares : (N, C + 1) float64
        Of the nuclei of one image, background first.
    areas_um2 : (N,) float
    epithelial : int
        Id of that class.

    Returns
    -------
    classes : (N,) uint8
        `UNKNOWN` where there is doubt.

    Examples
    --------
    >>> shares = [[0.6, 0.35, 0.05], [0.6, 0.1, 0.3], [0.1, 0.1, 0.8], [0.9, 0.1, 0.0]]
    >>> sure_classes(np.array(shares), np.full(4, 50.0), epithelial=1)
    array([  1, 255,   2, 255], dtype=uint8)
    """
    if not len(shares):
        return np.zeros(0, dtype=np.uint8)
    background = shares[:, 0]
    of_rest = shares[:, 1:] / np.maximum(shares[:, 1:].sum(axis=1, keepdims=True), 1e-9)
    winner = of_rest.argmax(axis=1) + 1
    clear = of_rest.max(axis=1) >= _SURE
    is_tissue = background <= np.quantile(background, _MOST_LIKE_BACKGROUND)
    wins = (shares.argmax(axis=1) > 0) & (areas_um2 <= _LARGEST_IMMUNE_UM2)
    sure = clear & np.where(winner == epithelial, is_tissue, wins)
    return np.where(sure, winner, UNKNOWN).astype(np.uint8)


def _shares(
    instances: npt.NDArray[np.int32],
    probabilities: npt.NDArray[np.float32],
    areas_px: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Return the mean of each plane (C, H, W) over each nucleus, (N, C)."""
    owners, length = instances.ravel(), len(areas_px) + 1
    sums = [np.bincount(owners, plane.ravel(), length)[1:] for plane in probabilities]
    return np.stack(sums, axis=1) / np.maximum(areas_px, 1)[:, None]


def _probabilities(
    image: npt.NDArray[np.uint8], card: ModelCard, network: TwoHeadUnet
) -> npt.NDArray[np.float32]:
    """Return the probability of background and of each class, (C + 1, H, W)."""
    height, width = image.shape[:2]
    mean, std = np.array(card.mean, np.float32), np.array(card.std, np.float32)
    scaled = (image.astype(np.float32) / 255 - mean) / std
    pixels = torch.from_numpy(scaled).permute(2, 0, 1).unsqueeze(0)
    padding = (0, -width % _STRIDE_PX, 0, -height % _STRIDE_PX)
    with torch.inference_mode():
        logits = network(functional.pad(pixels, padding, mode="replicate"))
    semantic = logits[0, :-3, :height, :width].softmax(dim=0)
    return semantic.numpy()
