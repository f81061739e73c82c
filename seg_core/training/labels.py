"""What each data set's labels may teach, and what they must not.

Three kinds of labels meet here, and none says everything:

- *monusac* outlines its four classes and nothing else. What it leaves blank is background for the
  classes, but not for the ternary map: fibroblasts and endothelium are there, unlabelled.
- *consep* outlines every nucleus: spindle-shaped ones belong to no class of ours, which is the
  only place where the network can learn that such nuclei exist.
- *all-nuclei* (Kumar, TNBC) outlines every nucleus without a class.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seg_core.errors import SettingsError
from seg_core.evaluation.metrics import majority_class_ids

UNKNOWN = 255
"""A class target that teaches nothing."""


@dataclass(frozen=True)
class Teaching:
    """How a data set's class ids become targets and weights.

    Attributes
    ----------
    class_of : dict of int to int
        Our class (0 *other*, `UNKNOWN` none known) by the data set's id; id 0 is a nucleus whose
        pixels carry no class.
    weight_of : dict of int to float
        Weight of a nucleus in the semantic loss by the data set's id; 1 where not named.
    blank_weight : float
        Weight in the ternary loss of background away from labelled nuclei.
    """

    class_of: dict[int, int]
    weight_of: dict[int, float]
    blank_weight: float


TEACHINGS = {
    "monusac": Teaching({0: 0, 1: 1, 2: 2, 3: 3, 4: 4}, {}, 0.24),
    # 1 miscellaneous, 2 inflammatory, 3 epithelial, 4 spindle-shaped. Inflammatory is mostly, not
    # only, lymphocytes; with a lower weight than spindle-shaped most of them end up as *other*.
    "consep": Teaching({0: UNKNOWN, 1: UNKNOWN, 2: 2, 3: 1, 4: 0}, {2: 1.6}, 1.0),
    "all-nuclei": Teaching({0: UNKNOWN}, {}, 1.0),
}


def teaching_of(name: str) -> Teaching:
    """Return what the labels of a kind of data set may teach.

    Raises
    ------
    SettingsError
        If the kind is unknown.
    """
    if name not in TEACHINGS:
        raise SettingsError(
            f"the source {name!r} is of no known kind; choose one of {', '.join(TEACHINGS)}."
        )
    return TEACHINGS[name]


@dataclass(frozen=True)
class LabelledImage:
    """An image and its nuclei as the training sees them.

    Attributes
    ----------
    name : str
    image : (H, W, 3) uint8
    instances : (H, W) int32
        0 background, k the nucleus in row k - 1 of the following.
    classes : (N,) uint8
        Our class of each nucleus, 0 *other*, `UNKNOWN` none known.
    weights : (N,) float32
        In the semantic loss.
    boxes : (N, 4) int32
        x0, y0, x1, y1 of each nucleus.
    ignore : (H, W) bool or None
    blank_weight : float
    """

    name: str
    image: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    classes: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.int32]
    ignore: npt.NDArray[np.bool_] | None
    blank_weight: float


def labelled_image(
    name: str,
    image: npt.NDArray[np.uint8],
    instances: npt.NDArray[np.integer],
    class_map: npt.NDArray[np.integer] | None,
    ignore: npt.NDArray[np.bool_] | None,
    teaching: Teaching,
) -> LabelledImage:
    """Put together what the training needs of one image.

    Parameters
    ----------
    name : str
    image : (H, W, 3) uint8
    instances : (H, W) integer
        0 background, other numbers one a nucleus, in any order and with gaps.
    class_map : (H, W) integer, optional
        The data set's own ids; a nucleus has the class of most of its pixels.
    ignore : (H, W) bool, optional
        Where nothing is taught.
    teaching : Teaching
    """
    ids, labels = np.unique(instances, return_inverse=True)
    labels = labels.reshape(instances.shape).astype(np.int32)
    if ids[0] != 0:
        labels += 1
    count = int(labels.max())
    their_ids = (
        np.zeros(count, dtype=np.uint8)
        if class_map is None
        else majority_class_ids(labels, class_map)
    )
    return LabelledImage(
        name=name,
        image=image,
        instances=labels,
        classes=np.array([teaching.class_of[int(k)] for k in their_ids], dtype=np.uint8),
        weights=np.array([teaching.weight_of.get(int(k), 1.0) for k in their_ids], np.float32),
        boxes=_boxes(labels, count),
        ignore=ignore,
        blank_weight=teaching.blank_weight,
    )


def _boxes(labels: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int32]:
    rows, columns = np.nonzero(labels)
    of = labels[rows, columns] - 1
    boxes = np.empty((count, 4), dtype=np.int32)
    for column, (values, ufunc, start) in enumerate(
        (
            (columns, np.minimum, labels.shape[1]),
            (rows, np.minimum, labels.shape[0]),
            (columns + 1, np.maximum, 0),
            (rows + 1, np.maximum, 0),
        )
    ):
        extreme = np.full(count, start, dtype=np.int32)
        ufunc.at(extreme, of, values)
        boxes[:, column] = extreme
    return boxes
