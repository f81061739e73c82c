"""The mean stain of labelled images, the target that colours are normalised to.

    python -m tests.bench.stain_target ../shared/data/monusac/train

Prints the numbers that stand in `seg_core/slide/normalisation.py`. The images of a patient are
pooled, as the tissue of a slide is, and each patient counts once.
"""

import argparse
from collections import defaultdict
from dataclasses import fields
from pathlib import Path
from typing import get_args

import numpy as np

from seg_core.labelled.reading import read_labelled
from seg_core.slide import ArraySlide, StainMethod, find_tissue
from seg_core.slide.normalisation import fit_colours, tissue_colours

MPP = 0.25


def main() -> None:
    """Learn each patient's stain and print the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    options = parser.parse_args()
    by_patient = defaultdict(list)
    for reference in read_labelled(options.data):
        slide = ArraySlide(reference.image, mpp=MPP)
        by_patient[reference.patient].append(tissue_colours(slide, find_tissue(slide)))
    pooled = [np.concatenate(colours) for colours in by_patient.values()]
    print(f"{len(pooled)} patients, {sum(map(len, pooled)):,} pixels")
    for method in get_args(StainMethod):
        fits = [fit_colours(colours, method) for colours in pooled]
        for field in fields(fits[0]):
            mean = np.mean([getattr(fit, field.name) for fit in fits], axis=0)
            if method == "macenko" and field.name != "strengths":
                mean /= np.linalg.norm(mean)  # a direction
            print(f"{method} {field.name}={tuple(mean.round(4).tolist())}")


if __name__ == "__main__":
    main()
