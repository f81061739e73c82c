"""Teach a classifier from labelled nuclei of one or more runs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme, NucleusClass
from seg_core.errors import TeachingError
from seg_core.teaching.anchors import find_anchors
from seg_core.teaching.centring import CENTRING
from seg_core.teaching.choosing import Choice, Material, best_fit
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.directions import directions_of
from seg_core.teaching.features import FEATURE_GROUPS, FeatureGroup, depend_on_names
from seg_core.teaching.known import Known
from seg_core.teaching.labels import Labels, not_nuclei
from seg_core.teaching.neighbourhood import AROUND_UM
from seg_core.teaching.standards import standards_of
from seg_core.teaching.validation import FEW_LABELS, Validation, square_um

ANCHORED = "(the model's own answers)"
"""Stands for a slide's name where labels are counted that nobody gave."""

DEFAULT_GROUPS: tuple[FeatureGroup, ...] = FEATURE_GROUPS

OWN_COLOURS = (
    "#00b7c3",
    "#b146c2",
    "#8cbd18",
    "#ff8cb4",
    "#7a5c3e",
    "#00574b",
    "#f0e442",
    "#5b5fc7",
)
"""For own classes after those of the model, told apart on pink and violet."""

# So many nuclei of the labelled slides say how frequent each class is there.
_EVERYWHERE = 20_000


@dataclass(frozen=True)
class Taught:
    """A classifier, how well it does where it was not taught, and what to be warned of.

    Attributes
    ----------
    classifier : Classifier
    validation : Validation or None
        None where all labels are of one place, or too near to one another.
    warnings : tuple of str
    explanation : str
        What it weighs and what it leans on, in a sentence or two.
    """

    classifier: Classifier
    validation: Validation | None
    warnings: tuple[str, ...]
    explanation: str


def teach(
    labels: Sequence[Labels],
    *,
    own_classes: Sequence[NucleusClass] = (),
    groups: tuple[FeatureGroup, ...] = DEFAULT_GROUPS,
    with_anchors: bool = True,
    known: Sequence[Known] | None = None,
) -> Taught:
    """Teach multinomial logistic regression.

    Cross-validation chooses its strength, and whether it weighs features, with or without what the
    network knows of the neighbours, or what the types of one of the model's data sets differ in
    (`seg_core.teaching.directions`). Answers lean towards what is frequent on the labelled slides
    (`seg_core.teaching.shares`).

    Who corrects one class only should not have to label all others. So of each class of the model
    that nobody has labelled, nuclei that the model is surest of stand in: *anchors*, but for those
    that look more like what was labelled.

    Parameters
    ----------
    labels : sequence of Labels
        All of runs of one model.
    own_classes : sequence of NucleusClass
        Colours and roles of classes that the model does not have; ids do not matter. Others that
        are labelled get a colour, and the role that their name is known for.
    groups : tuple of FeatureGroup
        What the classifier is told of a nucleus.
    with_anchors : bool
        Without them the classifier knows no classes but those labelled.
    known : sequence of Known, optional
        Of the runs of the labels by these groups, where they are at hand; else they are read.

    Raises
    ------
    TeachingError
        If labels and anchors are of fewer than two classes, or the runs are of several models.
    StoreError
        If a run keeps no features.
    """
    labelled = [number for number, each in enumerate(labels) if len(each.names)]
    labels = [labels[number] for number in labelled]
    questions = [each.run.facts.question for each in labels]
    if len({question.model_sha256 for question in questions}) > 1:
        raise TeachingError(
            "the runs were made by different models, which see nuclei differently; analyse all "
            "slides with one model."
        )
    counts = Counter(name for each in labels for name in each.names)
    known = (
        [Known.of(each.run, groups) for each in labels]
        if known is None
        else [known[number] for number in labelled]
    )
    anchored = find_anchors(labels, known) if with_anchors and counts else [{} for _ in labels]
    anchor_counts = Counter(name for each in anchored for name in each.values())
    if len(counts | anchor_counts) < 2:
        said = "labels name 1 class" if counts else "nothing is labelled yet"
        raise TeachingError(f"{said}; label nuclei of at least two classes.")
    scheme = _scheme(labels[0].run.model_scheme, own_classes, counts)
    names = tuple(name for name in scheme.names_with_other if name in counts | anchor_counts)
    material = _material(labels, known, anchored, names)
    directions = directions_of(questions[0].model, questions[0].model_sha256, material.features)
    choice = best_fit(material, names, directions.sets if directions else ())
    classifier = Classifier(
        scheme=scheme,
        names=names,
        model=questions[0].model,
        model_sha256=questions[0].model_sha256,
        features=material.features,
        mean=material.standards.mean,
        scale=material.standards.scale,
        coefficients=choice.fitted.coefficients,
        intercepts=choice.fitted.intercepts,
        centring=CENTRING,
        labels=_counted(labels, anchor_counts, names),
        figures=_figures(choice, names),
        naming=tuple(sorted({question.naming for question in questions})),
    )
    return Taught(
        classifier,
        choice.validation,
        (*_warnings(counts, names, material, choice.validation), *_doubts(classifier)),
        _explained(choice, names),
    )


def _material(
    labels: Sequence[Labels],
    known: Sequence[Known],
    anchored: Sequence[dict[int, str]],
    names: tuple[str, ...],
) -> Material:
    standards = standards_of([each.matrix for each in known], CENTRING)
    points_um = [k.points_um(each.nucleus_ids) for each, k in zip(labels, known, strict=True)]
    places, unit = _places([each.run.slide_id for each in labels], points_um)
    said = [name for each in labels for name in each.names]
    stood_in = [name for each in anchored for name in each.values()]
    ids = [each.nucleus_ids for each in labels], [np.array(list(a), np.int64) for a in anchored]
    values = [
        standards.standardised(run, k.rows(each))
        for kind in ids
        for run, (k, each) in enumerate(zip(known, kind, strict=True))
    ]
    truth = np.array([names.index(name) for name in (*said, *stood_in)])
    present = [
        np.flatnonzero(~np.isin(k.table["nucleus_id"].to_numpy(), not_nuclei(each.run)))
        for each, k in zip(labels, known, strict=True)
    ]
    step = max(1, -(-sum(map(len, present)) // _EVERYWHERE))
    everywhere = [
        standards.standardised(run, k.matrix[rows[::step]])
        for run, (k, rows) in enumerate(zip(known, present, strict=True))
    ]
    return Material(
        features=known[0].features,
        standards=standards,
        values=np.concatenate(values),
        truth=truth,
        places=places,
        unit=unit,
        everywhere=np.concatenate(everywhere),
        points_um=np.concatenate(points_um) if unit == "square" else None,
    )


def _places(
    slide_ids: Sequence[str], points_um: Sequence[npt.NDArray[np.float64]]
) -> tuple[npt.NDArray[np.int64], str]:
    """Return the number of the place of each label, and what a place is: a slide or a square of it.

    Parameters
    ----------
    slide_ids : sequence of str
        Of each run.
    points_um : sequence of (N, 2) float64
        Of each run the labels' centroids (x, y), µm from the corner of the slide.
    """
    slides = sorted({*slide_ids})
    if len(slides) > 1:
        numbers = [slides.index(slide) for slide in slide_ids]
        return np.repeat(numbers, [len(each) for each in points_um]), "slide"
    everywhere = np.concatenate(points_um)
    squares = (everywhere // square_um(everywhere)).astype(np.int64)
    return np.unique(squares, axis=0, return_inverse=True)[1].reshape(-1), "square"


def _scheme(model: ClassScheme, own: Sequence[NucleusClass], labelled: Counter[str]) -> ClassScheme:
    """Return the model's classes, then the user's own, in one scheme."""
    known = {*model.names_with_other, *(each.name for each in own)}
    colours = iter(OWN_COLOURS * (1 + len(labelled) // len(OWN_COLOURS)))
    unnamed = [NucleusClass(1, name, next(colours)) for name in sorted(set(labelled) - known)]
    joined = model.joined_with([*own, *unnamed])
    # roles stand in the file: what a name is known for may change
    return ClassScheme(
        tuple(replace(each, given_role=each.role, vote=None) for each in joined.classes)
    )


def _counted(
    labels: Sequence[Labels], anchors: Counter[str], names: tuple[str, ...]
) -> dict[str, dict[str, int]]:
    counted: dict[str, dict[str, int]] = {
        name: {ANCHORED: anchors[name]} if anchors[name] else {} for name in names
    }
    for each in labels:
        slide = each.run.slide_path.name
        for name, count in Counter(each.names).items():
            counted[name][slide] = counted[name].get(slide, 0) + count
    return counted


def _figures(choice: Choice, names: tuple[str, ...]) -> dict[str, Any]:
    """Return what stands in the classifier's file beside it."""
    return {
        "weighs": _weighed(choice),
        **(
            {}
            if choice.shares is None
            else {"shares": dict(zip(names, choice.shares.round(4).tolist(), strict=True))}
        ),
        **({} if choice.validation is None else choice.validation.to_json()),
    }


def _weighed(choice: Choice) -> str:
    if choice.weighed is not None:
        return f"directions of {choice.weighed.title}"
    return "features and neighbours" if choice.neighbours else "features"


def _explained(choice: Choice, names: tuple[str, ...]) -> str:
    if choice.weighed is not None:
        weighs = (
            f"It weighs what the types of {choice.weighed.title} differ in, which answered left-out "
            "labels better than all that is known of a nucleus."
        )
        where = f"on the labelled slides and in {choice.weighed.title}"
    else:
        of = "a nucleus and its neighbours" if choice.neighbours else "a nucleus"
        weighs = f"It weighs all that is known of {of}."
        where = "on the labelled slides"
    if choice.shares is None:
        return f"{weighs} All classes count as equally frequent."
    order = np.argsort(-choice.shares, kind="stable")
    shares = ", ".join(f"{names[k]} {100 * choice.shares[k]:.1f} %" for k in order.tolist())
    return f"{weighs} It leans towards what is frequent {where}, by estimate: {shares}."


def _doubts(classifier: Classifier) -> list[str]:
    if len(classifier.naming) < 2 or not depend_on_names(classifier.features):
        return []
    doubt = (
        "in the labelled analyses the same model named nuclei in different ways, with other context "
        "heads or other weights of votes, and the classifier is told of these names; analyse all of "
        "them with one version."
    )
    return [doubt]


def _warnings(
    counts: Counter[str],
    names: tuple[str, ...],
    material: Material,
    validation: Validation | None,
) -> tuple[str, ...]:
    truth = material.truth[: len(material.places)]
    found = [
        f"{name} has {counts[name]} label{'' if counts[name] == 1 else 's'}; give at least "
        f"{FEW_LABELS}."
        for name in names
        if 0 < counts[name] < FEW_LABELS
    ]
    if len(np.unique(material.places)) < 2:
        found.append(
            "all labels are of one place, so how well the classifier does elsewhere is unknown; "
            "label another place too."
        )
    elif validation is None:
        found.append(
            f"the labels lie within {AROUND_UM:g} µm of one another, where nuclei share what is known of "
            "their neighbours, so how well the classifier does elsewhere is unknown; label another place "
            "too."
        )
    else:
        found += [
            f"all labels of {name} are of one {material.unit}; label it elsewhere too."
            for number, name in enumerate(names)
            if counts[name] > 1 and len(np.unique(material.places[truth == number])) < 2
        ]
    return tuple(found)
