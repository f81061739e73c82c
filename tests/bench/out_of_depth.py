"""Whether the warning that a slide is unlike the training data comes where the model errs.

    python -m tests.bench.out_of_depth [--config weights/training/lite0-fifth.toml] [--most 6]
                                       [--model NAME|FILE]

Images that the model was never trained on are shown as they are, blurred, stained otherwise, turned
in hue, and told a wrong pixel size. For each the table has the distance from the training images
(median, and the share of images that it warns of), the same for the doubt about the pixel size, and how
well the model does: F1 of epithelial nuclei and lymphocytes found with their class, of all nuclei
where the data set has no classes. It stands in `docs/models.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from seg_core.evaluation.calibration import told
from seg_core.evaluation.metrics import compare
from seg_core.evaluation.prediction import predict_image
from seg_core.evaluation.profiling import middle_of
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.nuclei import Nuclei
from seg_core.model import Engine, ModelCard, find_model, make_engine
from seg_core.plausibility.doubts import doubts_of
from seg_core.plausibility.looking import look_at
from seg_core.plausibility.profile import ModelProfile, needed_profile
from seg_core.settings import AnalysisSettings
from tests.bench.held_out import bench_options, held_out_images
from tests.bench.stain_shift import SHIFTS, shifted

RGB = npt.NDArray[np.uint8]
SCORED = (1, 2)  # epithelial nuclei and lymphocytes
SETTINGS = AnalysisSettings()


def blurred(rgb: RGB, mpp: float) -> RGB:
    """Return an image out of focus by 1 µm."""
    return cv2.GaussianBlur(rgb, (0, 0), 1.0 / mpp)


def turned(rgb: RGB, _mpp: float) -> RGB:
    """Return an image with its hue turned by 60 degrees: purple becomes blue-green."""
    hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0].astype(np.int16) - 30) % 180
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)


def grey(rgb: RGB, _mpp: float) -> RGB:
    """Return an image without colours."""
    return np.repeat(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


VARIANTS: dict[str, tuple[Callable[[RGB, float], RGB] | None, float]] = {
    "as they are": (None, 1.0),
    "stained pale": (lambda rgb, _: shifted(rgb, *SHIFTS["pale"]), 1.0),
    "red": (lambda rgb, _: shifted(rgb, *SHIFTS["red (eosin 2, haematoxylin 0.5)"]), 1.0),
    "out of focus (1 µm)": (blurred, 1.0),
    "hue turned by 60°": (turned, 1.0),
    "grey": (grey, 1.0),
    "told half the µm/px": (None, 0.5),
    "told twice the µm/px": (None, 2.0),
}
"""How an image is changed, and by how much its pixel size is told wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one image."""

    distance: float | None
    unlike: bool
    size: bool
    hits: int
    reference: int
    predicted: int


def main() -> None:
    """Measure and print."""
    options = bench_options(str(__doc__), 6)
    card, weights = find_model(options.model)
    profile = needed_profile(card, weights)
    engine = make_engine(card, weights, SETTINGS)
    print(f"limit {profile.familiarity.limit:g}\n")
    print("| set | shown | distance | says *unlike* | doubts the µm/px | F1 |")
    print("|---|---|---|---|---|---|")
    for name, images in held_out_images(options.config, options.most).items():
        for shown in VARIANTS:
            rows = [
                look(each, shown, engine, card, profile)
                for each in tqdm(images, f"{name}, {shown}", disable=None)
            ]
            print(_line(name, shown, rows), flush=True)


def look(
    image: LabelledImage, shown: str, engine: Engine, card: ModelCard, profile: ModelProfile
) -> Row:
    """Show one image to the model, and compare."""
    change, wrong = VARIANTS[shown]
    rgb = image.image if change is None else change(image.image, image.mpp)
    mpp = image.mpp * wrong
    middle = middle_of(rgb, mpp, card.mpp)
    nuclei = look_at(middle, card.mpp, engine, card.scheme, SETTINGS, with_features=True)
    seen = nuclei.look()
    doubts = doubts_of(nuclei, profile, slide_mpp=mpp, tissue_um2=0.0)
    found = predict_image(rgb, mpp, card.mpp, engine, SETTINGS, card.scheme).nuclei
    return Row(
        None if seen is None else profile.familiarity.distance(seen),
        any("unlike" in each for each in doubts),
        any("seem too" in each for each in doubts),
        *_counts(image, found),
    )


def _counts(image: LabelledImage, found: Nuclei) -> tuple[int, int, int]:
    """Return the nuclei found with their class, those there are, and those found."""
    if not image.classed and image.dots is None:
        matched = compare(image.nuclei, found, image.not_scored)
        return len(matched.matched().rows), len(matched.reference), len(matched.predicted)
    labels, truth = told(image, found)
    assert found.class_ids is not None
    called = found.class_ids[labels - 1]
    hits = int(np.isin(truth, SCORED)[called == truth].sum())
    if image.dots is not None:
        # what has no dot is not wrong for that
        return (
            hits,
            int(np.isin(image.dots.classes, SCORED).sum()),
            int(np.isin(called, SCORED).sum()),
        )
    both = compare(image.nuclei, found, image.not_scored)
    assert both.reference.classes is not None
    assert both.predicted.classes is not None
    return hits, *(
        int(np.isin(side.classes, SCORED).sum()) for side in (both.reference, both.predicted)
    )


def _line(name: str, shown: str, rows: list[Row]) -> str:
    distances = [each.distance for each in rows if each.distance is not None]
    hits, reference, predicted = (
        sum(getattr(each, what) for each in rows) for what in ("hits", "reference", "predicted")
    )
    cells = [
        *(name, shown, f"{np.median(distances):.2f}" if distances else "–"),
        *(f"{np.mean([getattr(each, what) for each in rows]):.0%}" for what in ("unlike", "size")),
        f"{2 * hits / max(1, reference + predicted):.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
