"""Dots as teachers: a trained model outlines the nuclei, the dots name them.

A dot says that there is a nucleus of a class at a place, and nothing of its outline; where there is
no dot nothing is said. So the nuclei that a model finds are taken for outlines, with the lower
weight that the data set gives them, and

- a nucleus with dots of one class in it, or nearest to it, has their class;
- one with dots of several classes, or with none, teaches no class;
- around a dot without a nucleus nothing is taught: there is one whose outline nobody knows.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from seg_core.evaluation.prediction import predict_image
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import LabelledImage, consecutive
from seg_core.labelled.nuclei import nuclei_at
from seg_core.model import find_model, make_engine
from seg_core.settings import AnalysisSettings

REACH_UM = 3.0
"""From a dot to the nucleus it means."""

UNTOLD_UM = 6.0
"""Radius around a dot without a nucleus in which nothing is taught."""


def outline_dots(images: Sequence[LabelledImage], model: str) -> list[LabelledImage]:
    """Give outlines to the nuclei of images with dots.

    Parameters
    ----------
    images : sequence of LabelledImage
        At the model's resolution.
    model : str
        File of its weights, with its card beside.

    Returns
    -------
    images : list of LabelledImage
        With the model's nuclei, and the dots' classes.
    """
    card, weights = find_model(model)
    settings = AnalysisSettings()
    engine = make_engine(card, weights, settings)
    return [
        named_by_dots(
            image,
            predict_image(
                image.image, image.mpp, card.mpp, engine, settings, card.scheme
            ).nuclei.labels,
        )
        for image in images
    ]


def named_by_dots(image: LabelledImage, outlines: npt.NDArray[np.integer]) -> LabelledImage:
    """Return an image with the outlines as its nuclei, each with the class of its dots.

    Parameters
    ----------
    image : LabelledImage
        With dots.
    outlines : (H, W) integer
        0 background, other numbers one a nucleus.
    """
    assert image.dots is not None
    instances = consecutive(outlines)
    count = int(instances.max(initial=0))
    meant = nuclei_at(instances, image.dots.points, REACH_UM / image.mpp)
    votes = np.zeros((count + 1, UNKNOWN + 1), dtype=np.int32)
    np.add.at(votes, (meant, image.dots.classes), 1)
    of_one_class = (votes[1:] > 0).sum(axis=1) == 1
    classes = np.where(of_one_class, votes[1:].argmax(axis=1), UNKNOWN).astype(np.uint8)
    untold = _near(image.dots.points[meant == 0], instances.shape, UNTOLD_UM / image.mpp)
    untold &= instances == 0
    return replace(
        image,
        instances=instances,
        classes=classes,
        weights=np.ones(count, dtype=np.float32),
        ignore=untold if image.ignore is None else untold | image.ignore,
        classed=True,
    )


def _near(
    points: npt.NDArray[np.float64], shape: tuple[int, ...], radius_px: float
) -> npt.NDArray[np.bool_]:
    """Tell which pixels lie within a radius of some point."""
    if not len(points):
        return np.zeros(shape, dtype=bool)
    away = np.ones(shape, dtype=bool)
    at = np.floor(points).astype(np.intp)
    away[np.clip(at[:, 1], 0, shape[0] - 1), np.clip(at[:, 0], 0, shape[1] - 1)] = False
    near: npt.NDArray[np.bool_] = ndimage.distance_transform_edt(away) <= radius_px
    return near
