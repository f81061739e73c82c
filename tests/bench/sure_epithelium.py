"""Which share of the nuclei called epithelial is sure, where they are epithelial and where not.

    python -m tests.bench.sure_epithelium [--config weights/training/lite0-sixth.toml] [--most N]
                                          [--model NAME|FILE]

On images that the model was never trained on: how many nuclei it calls epithelial, which share of them
lies in nests with a class score of 0.6 or more (`seg_core.til.TilSettings`), and how many a person calls so,
too. By this the least share was chosen with which TILs are scored (docs/scores.md).
"""

import argparse
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from tqdm import tqdm

from seg_core.classes import ClassScheme
from seg_core.evaluation.calibration import told
from seg_core.evaluation.prediction import predict_image
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import Engine, find_model, make_engine
from seg_core.nuclei.context_head import ContextHead, read_context_head
from seg_core.settings import AnalysisSettings
from seg_core.til import TilSettings
from seg_core.til.epithelium import epithelium_outlines, in_outlines
from tests.bench.held_out import held_out_images

EPITHELIAL = 1
FEWEST = 5


def main() -> None:
    """Measure and print, the least right first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=Path("weights/training/lite0-sixth.toml"))
    parser.add_argument("--most", type=int, help="images of each set")
    parser.add_argument("--model")
    options = parser.parse_args()
    card, weights = find_model(options.model)
    engine = make_engine(card, weights, AnalysisSettings())
    head = read_context_head(card, weights)
    rows = []
    for name, images in held_out_images(options.config, options.most).items():
        for image in tqdm(images, name, disable=None):
            if image.classed or image.dots is not None:
                row = look(image, engine, card.mpp, card.scheme, head)
                rows += [] if row is None else [(name, image.name, *row)]
    print("| set | image | called epithelial | sure | right |")
    print("|---|---|---|---|---|")
    for name, image, count, sure, right in sorted(rows, key=lambda row: row[-1]):
        print(f"| {name} | {image} | {count} | {sure:.0%} | {right:.0%} |")


def look(
    image: LabelledImage,
    engine: Engine,
    mpp: float,
    scheme: ClassScheme,
    head: ContextHead | None,
) -> tuple[int, float, float] | None:
    """Return how many are called epithelial, which share is sure and which right; None of few."""
    settings = TilSettings()
    found = predict_image(
        image.image, image.mpp, mpp, engine, AnalysisSettings(), scheme, head=head
    )
    assert found.nuclei.class_ids is not None
    assert found.class_shares is not None
    labels = found.nuclei.labels
    pixels = np.flatnonzero(labels)
    owners = labels.reshape(-1)[pixels] - 1
    y, x = np.divmod(pixels, labels.shape[1])
    count = len(found.nuclei.class_ids)
    areas = np.bincount(owners, minlength=count)
    centres = [np.bincount(owners, each, count) / np.maximum(areas, 1) + 0.5 for each in (x, y)]
    own = (found.nuclei.class_ids == EPITHELIAL) & (areas > 0)
    if np.count_nonzero(own) < FEWEST:
        return None
    points = {name: each[own] for name, each in zip("xy", centres, strict=True)}
    discs = shapely.buffer(shapely.points(points["x"], points["y"]), np.sqrt(areas[own] / np.pi))
    nests = epithelium_outlines(gpd.GeoDataFrame(points, geometry=discs), image.mpp, settings)
    scores = found.class_shares[own, EPITHELIAL]
    sure = (scores >= settings.sure_score) & in_outlines(nests, points["x"], points["y"])
    told_labels, truth = told(image, found.nuclei)
    called = found.nuclei.class_ids[told_labels - 1] == EPITHELIAL
    right = float((truth[called] == EPITHELIAL).mean()) if called.any() else 0.0
    return int(own.sum()), float(sure.mean()), right


if __name__ == "__main__":
    main()
