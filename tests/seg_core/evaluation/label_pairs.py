"""Small label maps, drawn by hand or by chance, and all figures of two of them."""

import numpy as np
from hypothesis import strategies as st

from seg_core.evaluation.metrics.aji import aji, aji_plus
from seg_core.evaluation.metrics.detection import (
    class_detection_counts,
    detection_counts,
    hovernet_class_counts,
    hovernet_counts,
    hovernet_pairs,
)
from seg_core.evaluation.metrics.instance import (
    class_counts,
    nucleus_confusion,
    panoptic_counts,
)
from seg_core.labelled.nuclei import Nuclei

CLASSES = 3


def nuclei(shape, *boxes, classes=None):
    """Label 1, 2, … for each (y0, y1, x0, x1), later ones on top."""
    labels = np.zeros(shape, np.int32)
    for label, (y0, y1, x0, x1) in enumerate(boxes, start=1):
        labels[y0:y1, x0:x1] = label
    return Nuclei(labels, None if classes is None else np.array(classes, np.uint8))


def as_numbers(counts):
    return [np.asarray(value).tolist() for value in (counts.tp, counts.fp, counts.fn, counts.iou)]


@st.composite
def label_maps(draw, max_side=9):
    """A small map of touching blobs, with gaps in the labels, and a class for each label."""
    height, width = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.zeros((height, width), np.int32)
    for _ in range(draw(st.integers(0, 6))):
        y, x = rng.integers(height), rng.integers(width)
        labels[y : y + rng.integers(1, 5), x : x + rng.integers(1, 5)] = rng.integers(1, 12)
    return Nuclei(labels, rng.integers(0, CLASSES + 1, size=12).astype(np.uint8))


@st.composite
def pairs(draw):
    """A reference and a prediction that resembles it."""
    reference = draw(label_maps())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = np.roll(reference.labels, rng.integers(-1, 2), axis=1)
    labels[rng.random(labels.shape) < 0.15] = 0
    labels[: rng.integers(0, 2)] = 13
    class_ids = np.append(reference.class_ids, rng.integers(0, CLASSES + 1))
    class_ids[rng.integers(len(class_ids))] = rng.integers(0, CLASSES + 1)
    return reference, Nuclei(labels, class_ids.astype(np.uint8))


def all_figures(comparison):
    return [
        *as_numbers(panoptic_counts(comparison)),
        *as_numbers(class_counts(comparison, CLASSES)),
        *as_numbers(detection_counts(comparison, radius_px=2)),
        *as_numbers(class_detection_counts(comparison, 2, CLASSES)),
        *as_numbers(hovernet_counts(comparison, hovernet_pairs(comparison, 2))),
        *as_numbers(hovernet_class_counts(comparison, hovernet_pairs(comparison, 2), CLASSES)),
        nucleus_confusion(comparison, CLASSES).tolist(),
        aji(comparison),
        aji_plus(comparison),
    ]
