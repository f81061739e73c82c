"""Contact sheets of what a model does wrong on the images that it was never trained on, to look at.

    python -m tests.bench.contact_sheets --out FOLDER [--config TOML] [--most N] [--model NAME|FILE]

A sheet a data set and a row a kind of error, the commonest first, with how often it happens: of each
the nuclei of which the model was surest. White is the reference's outline, black the model's; a dot
stands for a reference without outlines. The data may not be passed on, so the sheets stay where they are
written; what was seen on them is said in ``docs/models.md``.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from seg_core.classes import ClassScheme
from seg_core.evaluation.dots import nuclei_of_dots
from seg_core.evaluation.metrics import compare
from seg_core.evaluation.prediction import Prediction, predict_image
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import find_model, make_engine
from seg_core.nuclei.context_head import read_context_head
from seg_core.settings import AnalysisSettings
from tests.bench.held_out import bench_options, held_out_images

SIDE_UM = 26.0
SIDE_PX = 156
COLUMNS, ROWS = 12, 9
LETTER_PX = 22
NOTHING = "nothing"
"""Stands for the side on which there is no nucleus."""


@dataclass(frozen=True)
class Error:
    """One nucleus that was missed, made up or called something else."""

    kind: tuple[str, str]
    """What the reference says, and what the model."""

    sureness: float
    """Share of the vote for what the model says; for a missed nucleus its area."""

    picture: npt.NDArray[np.uint8]


def main() -> None:
    """Let the model answer, and draw the sheets."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--out", type=Path, required=True)
    options = bench_options(__doc__ or "", 6, parents=[parser])
    card, weights = find_model(options.model)
    settings = AnalysisSettings()
    engine = make_engine(card, weights, settings)
    head = read_context_head(card, weights)
    options.out.mkdir(parents=True, exist_ok=True)
    for name, images in held_out_images(options.config, options.most).items():
        errors: list[Error] = []
        nuclei = 0
        for image in images:
            labelled = image.at(card.mpp) if image.is_twice(card.mpp) else image
            answer = predict_image(
                labelled.image, labelled.mpp, card.mpp, engine, settings, card.scheme, head=head
            )
            found = _by_dots if labelled.dots is not None else _by_outlines
            errors += found(labelled, answer, card.scheme)
            nuclei += len(labelled.classes if labelled.dots is None else labelled.dots.points)
        sheet = options.out / f"{name.replace('/', '-')}.png"
        _sheet(errors, nuclei).save(sheet)
        print(f"{sheet}: {len(images)} images, {nuclei} nuclei, {len(errors)} errors")


def _by_outlines(
    labelled: LabelledImage, answer: Prediction, scheme: ClassScheme
) -> Iterator[Error]:
    comparison = compare(labelled.nuclei, answer.nuclei, labelled.not_scored)
    reference, predicted = comparison.reference, comparison.predicted
    matched = comparison.matched()
    theirs = None if reference.classes is None else reference.classes[matched.rows]
    pairs = zip(matched.rows, matched.columns, strict=True)
    for number, (row, column) in enumerate(pairs):
        if theirs is None or theirs[number] == _class_of(answer, predicted.ids[column]):
            continue
        called = _class_of(answer, predicted.ids[column])
        kind = scheme.name_of(int(theirs[number])), scheme.name_of(called)
        sureness = _share(answer, predicted.ids[column], called)
        yield _error(labelled, answer, kind, sureness, reference.centroids[row])
    missed = np.setdiff1d(np.arange(len(reference)), comparison.rows)
    for row in missed:
        class_id = None if reference.classes is None else int(reference.classes[row])
        told = "a nucleus" if class_id is None else scheme.name_of(class_id)
        yield _error(
            labelled,
            answer,
            (told, NOTHING),
            float(reference.areas[row]),
            reference.centroids[row],
        )
    if labelled.data_set.blank_weight < 1:
        return  # what is blank there may well be a nucleus
    for column in np.setdiff1d(np.arange(len(predicted)), comparison.columns):
        called = _class_of(answer, predicted.ids[column])
        sureness = _share(answer, predicted.ids[column], called)
        kind = NOTHING, scheme.name_of(called)
        yield _error(labelled, answer, kind, sureness, predicted.centroids[column])


def _by_dots(labelled: LabelledImage, answer: Prediction, scheme: ClassScheme) -> Iterator[Error]:
    dots = labelled.dots
    assert dots is not None
    ids = nuclei_of_dots(answer.nuclei.labels, dots.points, labelled.mpp)
    for point, told, own in zip(dots.points, dots.classes, ids, strict=True):
        called = _class_of(answer, own) if own else None
        if told in (UNKNOWN, called):
            continue
        kind = scheme.name_of(int(told)), NOTHING if called is None else scheme.name_of(called)
        sureness = 0.0 if called is None else _share(answer, own, called)
        yield _error(labelled, answer, kind, sureness, point)


def _class_of(answer: Prediction, nucleus_id: int) -> int:
    assert answer.nuclei.class_ids is not None
    return int(answer.nuclei.class_ids[nucleus_id - 1])


def _share(answer: Prediction, nucleus_id: int, class_id: int) -> float:
    assert answer.class_shares is not None
    return float(answer.class_shares[nucleus_id - 1, class_id])


def _error(
    labelled: LabelledImage,
    answer: Prediction,
    kind: tuple[str, str],
    sureness: float,
    centre: npt.NDArray[np.float64],
) -> Error:
    half = round(SIDE_UM / labelled.mpp / 2)
    x, y = (int(each) for each in centre)
    matrix = np.array([[1, 0, x - half], [0, 1, y - half]], np.float32)
    inverse = cv2.WARP_INVERSE_MAP

    def cut(array: npt.NDArray[np.generic], flags: int) -> npt.NDArray[np.generic]:
        return cv2.warpAffine(array, matrix, (2 * half, 2 * half), flags=flags | inverse)

    picture = cv2.resize(
        cut(labelled.image, cv2.INTER_LINEAR), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC
    )
    for labels, ink in ((labelled.instances, 255), (answer.nuclei.labels, 0)):
        part = cut(labels.astype(np.float32), cv2.INTER_NEAREST)
        for each in np.unique(part[part > 0]):
            mask = cv2.resize(
                (part == each).astype(np.uint8),
                (SIDE_PX, SIDE_PX),
                interpolation=cv2.INTER_NEAREST,
            )
            outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, outlines, -1, (ink,) * 3, 1, cv2.LINE_AA)
    if labelled.dots is not None:
        cv2.circle(picture, (SIDE_PX // 2, SIDE_PX // 2), 3, (255, 255, 255), -1, cv2.LINE_AA)
    return Error(kind, sureness, picture)


def _sheet(errors: Sequence[Error], nuclei: int) -> Image.Image:
    kinds: dict[tuple[str, str], list[Error]] = {}
    for error in errors:
        kinds.setdefault(error.kind, []).append(error)
    rows = sorted(kinds.items(), key=lambda pair: -len(pair[1]))[:ROWS]
    height = SIDE_PX + LETTER_PX + 6
    sheet = Image.new("RGB", (COLUMNS * SIDE_PX, max(1, len(rows)) * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTER_PX - 4)
    for number, ((told, called), several) in enumerate(rows):
        share = len(several) / nuclei
        words = f"{told} called {called}: {len(several)}, {share:.1%} of all nuclei"
        draw.text((4, number * height), words, fill="black", font=font)
        surest = sorted(several, key=lambda error: -error.sureness)[:COLUMNS]
        for column, error in enumerate(surest):
            place = column * SIDE_PX, number * height + LETTER_PX
            sheet.paste(Image.fromarray(error.picture), place)
    return sheet


if __name__ == "__main__":
    main()
