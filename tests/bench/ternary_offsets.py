"""What offsets of the ternary logits do to the nuclei of labelled images that no network was trained on.

    python -m tests.bench.ternary_offsets [--config weights/training/lite0-sixth.toml] [--most 8]

The network answers each tile once; the offsets are added to its logits before maps and nuclei are made.
They are counted from the network as it was taught: those that the configuration put into the head's bias
are taken away first. Prints a Markdown table: bPQ of each set, and detection F1 after the stroke. The
development data are not part of the repository.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import cast

import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme
from seg_core.evaluation.metrics import ImageScore, figures_of, score_image
from seg_core.evaluation.prediction import predict_image
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import Engine, ModelCard, find_model, make_engine
from seg_core.settings import AnalysisSettings
from seg_core.training.config import read_config
from tests.bench.held_out import bench_options, held_out_images

BACKGROUNDS, INSIDES = (0.0, 0.15, 0.25), (0.0, 0.3, 0.6)
SETTINGS = AnalysisSettings(precision="fp32")


class ShiftedEngine:
    """What gives maps as an engine does, and answers a tile it has seen from memory, with offsets added.

    Parameters
    ----------
    engine : Engine
    classes : int
        Of the semantic head; the ternary logits come after them.
    """

    def __init__(self, engine: Engine, classes: int) -> None:
        self._engine, self._classes = engine, classes
        self._answers: dict[bytes, npt.NDArray[np.float16]] = {}
        self.offsets = np.zeros(3, np.float32)
        self.name, self.precision = engine.name, engine.precision

    def run(
        self, tiles: Iterable[tuple[int, npt.NDArray[np.uint8]]]
    ) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Yield the logits of each tile."""
        for number, tile in tiles:
            key = hashlib.blake2b(np.ascontiguousarray(tile), digest_size=16).digest()
            if key not in self._answers:
                [(_, answer)] = self._engine.run([(0, tile)])
                self._answers[key] = np.asarray(answer, np.float16)
            logits = self._answers[key].astype(np.float32)
            logits[self._classes :] += self.offsets[:, None, None]
            yield number, logits


def main() -> None:
    """Measure and print."""
    options = bench_options(__doc__ or "", most=8)
    card, weights = find_model(options.model)
    taken_away = np.array(read_config(options.config).ternary_offsets or (0.0,) * 3)
    sets = {
        name: images
        for name, images in held_out_images(options.config, options.most).items()
        if images[0].data_set.labels == "outlines"
    }
    engine = ShiftedEngine(make_engine(card, weights, SETTINGS), len(card.scheme.classes) + 1)
    print("| background | inside |" + "".join(f" {name} |" for name in sets))
    print("|---|---|" + "---|" * len(sets))
    for background in BACKGROUNDS:
        for inside in INSIDES:
            engine.offsets[:] = np.array([background, inside, 0.0]) - taken_away
            row = [measured(images, engine, card) for images in sets.values()]
            print(f"| {background:g} | {inside:g} | {' | '.join(row)} |", flush=True)


def measured(images: list[LabelledImage], engine: ShiftedEngine, card: ModelCard) -> str:
    """Return bPQ and detection F1 of some images."""
    scores = [score_of(image, engine, card) for image in images]
    figures = figures_of(scores, card.scheme)["instance"]
    return f"{figures['bpq']:.3f} / {figures['detection_f1']:.3f}"


def score_of(image: LabelledImage, engine: ShiftedEngine, card: ModelCard) -> ImageScore:
    """Compare what is found with what is labelled, as ``evaluate`` does."""
    scheme: ClassScheme = card.scheme
    labelled = image.at(card.mpp) if image.is_twice(card.mpp) else image
    asked = cast("Engine", engine)  # for maps alone, which is all that is asked of it here
    found = predict_image(labelled.image, labelled.mpp, card.mpp, asked, SETTINGS, scheme)
    return score_image(
        labelled.nuclei,
        found.nuclei,
        scheme,
        mpp=labelled.mpp,
        patient=labelled.patient,
        count_other=labelled.data_set.name != "monusac",
        ignore=labelled.not_scored,
    )


if __name__ == "__main__":
    main()
