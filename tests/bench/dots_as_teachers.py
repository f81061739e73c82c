"""How good the targets are that dots and a model's outlines make together.

Outlines of labelled images are thrown away but for a dot at each nucleus's centroid; the model
outlines, the dots name, as in a training on dots. Compared with what was thrown away::

    python -m tests.bench.dots_as_teachers ../shared/data/lizard lizard MODEL [NAME...]
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from seg_core.evaluation.metrics import compare
from seg_core.labelled.data_sets import UNKNOWN, data_set_of
from seg_core.labelled.labelled_image import Dots
from seg_core.labelled.nuclei import Nuclei
from seg_core.labelled.reading import read_labelled
from seg_core.training.dots import outline_dots

MPP = 0.25


def main() -> None:
    """Make targets of the dots and print how they agree with the labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("data_set")
    parser.add_argument("model")
    parser.add_argument("names", nargs="*", default=["*"])
    options = parser.parse_args()
    images = read_labelled(options.data, data_set_of(options.data_set)).only(options.names)
    total = outlined = named = right = 0
    iou = []
    for labelled in images:
        truth = labelled.at(MPP)
        told = truth.classes != UNKNOWN
        centroids = (truth.boxes[told, :2] + truth.boxes[told, 2:]) / 2
        dotted = replace(truth, dots=Dots(centroids, truth.classes[told]))
        [made] = outline_dots([dotted], options.model)
        matched = compare(
            Nuclei(truth.instances, truth.classes), Nuclei(made.instances, made.classes)
        ).matched()
        theirs = matched.reference.classes[matched.rows]
        ours = matched.predicted.classes[matched.columns]
        known = theirs != UNKNOWN
        total += np.count_nonzero(told)
        outlined += np.count_nonzero(known)
        named += np.count_nonzero(known & (ours != UNKNOWN))
        right += np.count_nonzero(known & (ours == theirs))
        iou.append(matched.iou[known])
    print(f"{total} nuclei; outlined at IoU above 0.5: {outlined / total:.3f}", end="; ")
    print(f"mean IoU of these {np.concatenate(iou).mean():.3f}", end="; ")
    print(f"with a class {named / total:.3f}, the right one {right / total:.3f}")


if __name__ == "__main__":
    main()
