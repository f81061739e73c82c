"""How far few labels get: macro F1 over six classes of Lizard that the model may not even name.

    python -m tests.bench.teaching --data ../shared/data/lizard --store STORE \
        --held-out weights/training/lite0-sixth.toml [--images N] [--preset best] [--plot F]

Each image (0.5 µm/px, enlarged twice for the model) is analysed once into the store. A nucleus that
was found has the class of the labelled nucleus in which its centroid lies; others are left out, so
finding nuclei is no part of these figures. Labels are drawn from three images that hold enough of
each class, the classifier is applied to ten others, and F1 is taken over all their nuclei together.
Ten draws give mean and 95 % interval (t). Beside it the model's own answer on the same nuclei, over
the classes it has a name for. The development data are not part of the repository.
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import stats
from sklearn.metrics import f1_score

from seg_core.analysis import analyse
from seg_core.model import find_model, suits_int8
from seg_core.settings import PRESETS, AnalysisSettings
from seg_core.store import Run
from seg_core.teaching.features import FEATURE_GROUPS, FeatureGroup, features_of_run
from seg_core.teaching.labels import Labels
from seg_core.teaching.teach import teach
from tests.bench.held_out import held_out_stems

NAMES = ("neutrophil", "epithelial", "lymphocyte", "plasma", "eosinophil", "connective")
"""Of Lizard's class ids, 1 to 6."""

COUNTS = (10, 25, 50, 100, 200, 500)
DRAWS = 10
TAUGHT, TESTED = 3, 10
MPP = 0.5

# Three images must hold so many of each class; of 20 images more have too few eosinophils.
_LEAST = 10


@dataclass(frozen=True)
class Image:
    """An analysed image: for each nucleus found, its true class id, 0 where none lies there."""

    run: Run
    truth: npt.NDArray[np.int64]


def main() -> None:
    """Analyse what is not in the store yet, teach, and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument(
        "--held-out", metavar="TOML", type=Path, help="only what this training never saw"
    )
    parser.add_argument("--images", type=int, default=133, help="the smallest so many")
    parser.add_argument("--model", help="instead of the default model")
    parser.add_argument("--preset", choices=PRESETS, default="original", help="of the analyses")
    parser.add_argument("--features", nargs="+", choices=FEATURE_GROUPS, default=FEATURE_GROUPS)
    parser.add_argument("--plot", type=Path, help="write the curve as SVG or PNG")
    parser.add_argument("--json", type=Path, help="write the figures too")
    options = parser.parse_args()
    files = sorted((options.data / "images").iterdir(), key=lambda path: path.stat().st_size)
    if options.held_out:
        kept = held_out_stems(options.held_out, options.data.name)
        files = [path for path in files if path.stem in kept]
    images = [_analysed(path, options) for path in files[: options.images]]
    print(f"{len(images)} images, {sum(len(each.truth) for each in images):,} nuclei found")
    print("| labels a class | macro F1 (95 %) | by class | over the classes the model has |")
    print("|---|---|---|---|")
    rows = []
    for row in _curve(images, tuple(options.features)):
        by_class = ", ".join(f"{name} {f1:.2f}" for name, f1 in row["by_class"].items())
        low, high = row["interval95"]
        print(
            f"| {row['labels']} | {row['macro_f1']:.3f} ({low:.3f}–{high:.3f}) | {by_class} "
            f"| {row['own_taught']:.3f} taught, {row['own_model']:.3f} the model |",
            flush=True,
        )
        rows.append(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    if options.plot:
        _plot(rows, options.plot)


def _analysed(path: Path, options: argparse.Namespace) -> Image:
    int8 = suits_int8(find_model(options.model)[0])
    settings = PRESETS[options.preset].applied(AnalysisSettings(tissue_only=False), int8=int8)
    run = analyse(path, options.store, model=options.model, mpp=MPP, settings=settings)
    inst, classes = (
        cv2.imread(str(options.data / kind / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        for kind in ("inst", "class")
    )
    table = run.as_found().nuclei()
    y, x = (table[axis].to_numpy().astype(int) for axis in ("y", "x"))
    y, x = np.clip(y, 0, inst.shape[0] - 1), np.clip(x, 0, inst.shape[1] - 1)
    return Image(run, np.where(inst[y, x] > 0, classes[y, x], 0).astype(np.int64))


def _curve(images: Sequence[Image], groups: tuple[FeatureGroup, ...]) -> Iterator[dict[str, Any]]:
    known = [features_of_run(image.run, groups).matrix for image in images]
    splits = [_split(images, seed) for seed in range(DRAWS)]
    for count in COUNTS:
        scores, by_class, own = [], [], []
        for seed, (taught, tested) in enumerate(splits):
            labels = [_drawn(images[k], count, seed, len(taught)) for k in taught]
            classifier = teach(labels, groups=groups, with_anchors=False).classifier
            truth = np.concatenate([images[k].truth for k in tested])
            answers = np.concatenate(
                [
                    np.array([NAMES.index(name) + 1 for name in classifier.names])[
                        classifier.probabilities(known[k]).argmax(axis=1)
                    ]
                    for k in tested
                ]
            )
            kept = truth > 0
            each = f1_score(truth[kept], answers[kept], labels=range(1, 7), average=None)
            scores.append(each.mean())
            by_class.append(each)
            own.append(_own_classes([images[k] for k in tested], truth, answers))
        yield _row(count, np.array(scores), np.array(by_class), np.array(own))


def _split(images: Sequence[Image], seed: int) -> tuple[list[int], list[int]]:
    """Draw three images to teach on that hold enough of each class, and ten others."""
    generator = np.random.default_rng(seed)
    counts = np.array([np.bincount(image.truth, minlength=7)[1:] for image in images])
    while True:
        order = generator.permutation(len(images))
        if (counts[order[:TAUGHT]].sum(axis=0) >= _LEAST).all():
            return order[:TAUGHT].tolist(), order[TAUGHT : TAUGHT + TESTED].tolist()


def _drawn(image: Image, count: int, seed: int, images: int) -> Labels:
    """Draw a class's labels from one image: a share of them, or what there is."""
    digest = hashlib.sha256(f"{image.run.run_id} {seed}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    ids = image.run.as_found().nuclei()["nucleus_id"].to_numpy()
    chosen, names = [], []
    for number, name in enumerate(NAMES, start=1):
        rows = np.flatnonzero(image.truth == number)
        # a rare class may lie in one image alone, so each gives up to the whole number
        drawn = generator.permutation(rows)[: -(-count // images) if len(rows) > count else count]
        chosen.append(ids[drawn])
        names += [name] * len(drawn)
    return Labels(image.run, np.concatenate(chosen), tuple(names))


def _own_classes(
    images: Sequence[Image], truth: npt.NDArray[np.int64], answers: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """Return macro F1 over the classes that the model has: of the taught answer, of the model's."""
    named = np.concatenate([image.run.as_found().nuclei()["class_name"] for image in images])
    shared = [k for k, name in enumerate(NAMES, 1) if name in images[0].run.model_scheme.names]
    own = np.array([NAMES.index(name) + 1 if name in NAMES else 0 for name in named])
    kept = truth > 0
    taught, model = (
        float(f1_score(truth[kept], each[kept], labels=shared, average="macro", zero_division=0.0))
        for each in (answers, own)
    )
    return taught, model


def _row(
    count: int,
    scores: npt.NDArray[np.float64],
    by_class: npt.NDArray[np.float64],
    own: npt.NDArray[np.float64],
) -> dict[str, Any]:
    half = stats.t.ppf(0.975, len(scores) - 1) * scores.std(ddof=1) / np.sqrt(len(scores))
    return {
        "labels": count,
        "macro_f1": float(scores.mean()),
        "interval95": [float(scores.mean() - half), float(scores.mean() + half)],
        "by_class": dict(zip(NAMES, by_class.mean(axis=0).tolist(), strict=True)),
        "own_taught": float(own[:, 0].mean()),
        "own_model": float(own[:, 1].mean()),
    }


def _plot(rows: Sequence[dict[str, Any]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    labels = [row["labels"] for row in rows]
    low, high = np.array([row["interval95"] for row in rows]).T
    figure, axes = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    axes.fill_between(labels, low, high, alpha=0.25, color="#0072b2", linewidth=0)
    axes.plot(labels, [row["macro_f1"] for row in rows], "o-", color="#0072b2", label="six classes")
    axes.plot(
        labels,
        [row["own_taught"] for row in rows],
        "s--",
        color="#d55e00",
        label="the model's three",
    )
    axes.axhline(float(rows[0]["own_model"]), color="#d55e00", linewidth=1, linestyle=":")
    axes.set_xscale("log")
    axes.set_xticks(labels, [str(each) for each in labels])
    axes.minorticks_off()
    axes.set_xlabel("labels a class, from three images")
    axes.set_ylabel("macro F1 on ten others")
    axes.set_ylim(0, 1)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path)


if __name__ == "__main__":
    main()
