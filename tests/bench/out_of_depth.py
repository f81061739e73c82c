"""Whether the warning that a slide is unlike the training data comes where the model errs.

    python -m tests.bench.out_of_depth [--config weights/training/lite0-sixth.toml] [--most 4]
                                       [--model NAME|FILE]

The middle (192 µm) of images that the model was never trained on is shown as it is, of all images;
and of ``--most`` of each set blurred, stained otherwise, turned in hue, and told a wrong pixel size.
For each the table has how many of them hold the nuclei that a warning needs; of these the median
distance from the training images, the share that is called *unlike*, by the limit of the profile and by
one that is learnt without this set, and the share whose pixel size is doubted; and how well the model
does: F1 of epithelial nuclei and lymphocytes found with their class, of all nuclei where the data set has
no classes. It stands in `docs/models.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from seg_core.evaluation.calibration import told
from seg_core.evaluation.metrics import compare
from seg_core.evaluation.prediction import predict_image
from seg_core.evaluation.profiling import FAMILIAR_SHARE, FAMILIAR_UM
from seg_core.labelled.labelled_image import Dots, LabelledImage
from seg_core.labelled.nuclei import Nuclei
from seg_core.model import Engine, ModelCard, find_model, make_engine
from seg_core.nuclei.context_head import ContextHead, read_context_head
from seg_core.plausibility.doubts import FEWEST_NUCLEI, doubts_of
from seg_core.plausibility.looking import look_at
from seg_core.plausibility.profile import ModelProfile, needed_profile
from seg_core.settings import AnalysisSettings
from tests.bench.held_out import bench_options, held_out_images, spread
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


AS_THEY_ARE = "as they are"

VARIANTS: dict[str, tuple[Callable[[RGB, float], RGB] | None, float]] = {
    AS_THEY_ARE: (None, 1.0),
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
    """What came of one image; without a distance it holds too few nuclei to say anything."""

    distance: float | None
    unlike: bool
    size: bool
    hits: int
    reference: int
    predicted: int


Rows = dict[tuple[str, str], list[Row]]
"""Of each set as it was shown."""


def main() -> None:
    """Measure and print."""
    options = bench_options(str(__doc__), 4)
    card, weights = find_model(options.model)
    profile = needed_profile(card, weights)
    engine = make_engine(card, weights, SETTINGS)
    head = read_context_head(card, weights)
    rows: Rows = {}
    for name, images in held_out_images(options.config, None).items():
        for shown in VARIANTS:
            chosen = images if shown == AS_THEY_ARE else spread(images, options.most)
            rows[name, shown] = [
                look(each, shown, engine, card, head, profile)
                for each in tqdm(chosen, f"{name}, {shown}", disable=None)
            ]
    print(f"limit {profile.familiarity.limit:g}\n")
    print(
        "| set | shown | images | distance | says *unlike* | … by the other sets | doubts the µm/px | F1 |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, shown in rows:
        print(_line(rows, name, shown))


def look(
    image: LabelledImage,
    shown: str,
    engine: Engine,
    card: ModelCard,
    head: ContextHead | None,
    profile: ModelProfile,
) -> Row:
    """Show the middle of one image to the model, and compare."""
    change, wrong = VARIANTS[shown]
    image = middle(image)
    rgb = image.image if change is None else change(image.image, image.mpp)
    mpp = image.mpp * wrong
    nuclei = look_at(
        rgb, mpp, engine, card.scheme, SETTINGS, network_mpp=card.mpp, with_features=True
    )
    seen = nuclei.look() if len(nuclei) >= FEWEST_NUCLEI else None
    doubts = doubts_of(nuclei, profile, slide_mpp=mpp, tissue_um2=0.0)
    found = predict_image(rgb, mpp, card.mpp, engine, SETTINGS, card.scheme, head=head).nuclei
    return Row(
        None if seen is None else profile.familiarity.distance(seen),
        any("unlike" in each for each in doubts),
        any("seem too" in each for each in doubts),
        *_counts(image, found),
    )


def middle(image: LabelledImage) -> LabelledImage:
    """Return the middle of an image with its labels, as large as familiarity is learnt by."""
    side = round(FAMILIAR_UM / image.mpp)
    top, left = (max(0, (length - side) // 2) for length in image.image.shape[:2])
    part = np.s_[top : top + side, left : left + side]
    rgb, dots = image.image[part], image.dots
    if dots is not None:
        points = dots.points - (left, top)
        inside = ((points >= 0) & (points < rgb.shape[1::-1])).all(axis=1)
        dots = Dots(points[inside], dots.classes[inside])
    ignore = None if image.ignore is None else image.ignore[part]
    return replace(image, image=rgb, instances=image.instances[part], ignore=ignore, dots=dots)


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


def _line(every: Rows, name: str, shown: str) -> str:
    rows = every[name, shown]
    known = [each for each in rows if each.distance is not None]
    distances = [each.distance for each in known if each.distance is not None]
    hits, reference, predicted = (
        sum(getattr(each, what) for each in rows) for what in ("hits", "reference", "predicted")
    )
    limit = _limit_without(every, name)
    cells = [
        *(name, shown, f"{len(known)} of {len(rows)}"),
        f"{np.median(distances):.2f}" if distances else "–",
        f"{np.mean([each.unlike for each in known]):.0%}" if known else "–",
        f"{np.mean(np.array(distances) > limit):.0%}" if distances else "–",
        f"{np.mean([each.size for each in known]):.0%}" if known else "–",
        f"{2 * hits / max(1, reference + predicted):.2f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _limit_without(every: Rows, name: str) -> float:
    """Return the limit that the images of the other sets, as they are, would give."""
    others = [
        each.distance
        for (of, shown), rows in every.items()
        for each in rows
        if of != name and shown == AS_THEY_ARE and each.distance is not None
    ]
    return float(np.quantile(others, FAMILIAR_SHARE)) if others else np.inf


if __name__ == "__main__":
    main()
