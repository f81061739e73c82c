"""What the types of a model's training data differ in: learnt, kept, and weighed where it answers better."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import painted_slides
import pytest

from seg_core.errors import DataError, ModelError
from seg_core.evaluation.type_directions import TypedNuclei, learn_directions, typed_nuclei
from seg_core.labelled.data_sets import data_set_of
from seg_core.labelled.labelled_image import labelled_image
from seg_core.model import find_model
from seg_core.store import Run
from seg_core.teaching.choosing import Material, best_fit
from seg_core.teaching.directions import (
    Directions,
    directions_of,
    read_directions,
    write_directions,
)
from seg_core.teaching.features import FEATURE_GROUPS, features_of_run
from seg_core.teaching.standards import Standards

FEATURES = tuple(f"feature_{number}" for number in range(60))
NAMES = {1: "round", 2: "oval", 3: "bent"}


def nuclei(rng: np.random.Generator, count: int, data_set: str = "drawn") -> TypedNuclei:
    """Nuclei of three types, of which three features of sixty tell, each softly."""
    types = rng.integers(1, 4, count)
    matrix = rng.normal(size=(count, len(FEATURES)))
    matrix[:, :3] += 1.2 * np.eye(3)[types - 1]
    types[::10] = 0  # found where nobody has labelled anything
    return TypedNuclei(data_set, FEATURES, matrix.astype(np.float32), types, NAMES)


def learnt(*images: TypedNuclei) -> Directions:
    return learn_directions(images, "a" * 64, "a command")


def test_directions_are_learnt_from_what_types_differ_in() -> None:
    rng = np.random.default_rng(0)
    images = [nuclei(rng, 800) for _ in range(4)]
    found = learnt(*images)
    (drawn,) = found.sets
    assert (drawn.title, [*drawn.nuclei]) == ("drawn", ["round", "oval", "bent"])
    assert sum(drawn.nuclei.values()) == sum((each.types > 0).sum() for each in images)
    strongest = np.abs(drawn.matrix).argmax(axis=1)
    assert strongest.tolist() == [0, 1, 2]
    assert drawn.shares.sum() == pytest.approx(1)


def test_each_data_set_has_its_own_and_one_of_a_single_type_has_none() -> None:
    rng = np.random.default_rng(1)
    alike = nuclei(rng, 100, "alike")
    alike = replace(alike, types=np.where(alike.types > 0, 1, 0))
    found = learnt(nuclei(rng, 400), nuclei(rng, 400, "painted"), alike)
    assert [each.title for each in found.sets] == ["drawn", "painted"]
    with pytest.raises(DataError, match="no data set of the training tells two types"):
        learnt(alike)


def material(rng: np.random.Generator, each: int) -> Material:
    """A few labels of two slides, of three types."""
    truth = np.repeat(np.arange(3), 2 * each)
    values = rng.normal(size=(len(truth), len(FEATURES)))
    values[:, :3] += 1.2 * np.eye(3)[truth]
    everywhere = nuclei(rng, 600).matrix.astype(np.float64)
    standards = Standards(
        np.zeros(len(FEATURES)), np.ones(len(FEATURES)), np.zeros((0, len(FEATURES)))
    )
    places = np.arange(len(truth)) % 2
    return Material(FEATURES, standards, values, truth, places, "slide", everywhere)


def test_few_labels_answer_better_by_directions_and_cross_validation_sees_it() -> None:
    """Over ten draws of eight labels: what three directions say of six hundred other nuclei."""
    rng = np.random.default_rng(2)
    directions = learnt(*(nuclei(rng, 800) for _ in range(4))).sets
    tested = nuclei(rng, 3000)
    kept = tested.types > 0
    right = []
    for _ in range(10):
        labels = material(rng, 4)
        answers = [
            best_fit(labels, tuple(NAMES.values()), each).fitted.probabilities(tested.matrix[kept])
            for each in ((), directions)
        ]
        right.append([(each.argmax(axis=1) + 1 == tested.types[kept]).mean() for each in answers])
    without, with_directions = np.mean(right, axis=0)
    assert with_directions > without + 0.05


def test_types_that_no_direction_tells_apart_are_told_by_all_features() -> None:
    """A class that the training data never had: directions say nothing of it."""
    rng = np.random.default_rng(3)
    directions = learnt(*(nuclei(rng, 800) for _ in range(4))).sets
    labels = material(rng, 30)
    values = labels.values.copy()
    values[:, 3:6] += 4 * np.eye(3)[labels.truth]
    values[:, :3] = rng.normal(size=(len(values), 3))
    choice = best_fit(replace(labels, values=values), tuple(NAMES.values()), directions)
    assert choice.weighed is None
    assert choice.validation is not None
    assert choice.validation.macro_f1 > 0.9
    assert (choice.fitted.probabilities(values).argmax(axis=1) == labels.truth).mean() > 0.95


def test_of_fewer_types_than_classes_no_directions_are_tried() -> None:
    rng = np.random.default_rng(6)
    directions = learnt(*(nuclei(rng, 800) for _ in range(4))).sets
    assert best_fit(material(rng, 4), tuple(NAMES.values()), directions).weighed == directions[0]
    names = (*NAMES.values(), "none of them")
    assert best_fit(material(rng, 4), names, directions).weighed is None


def test_a_class_of_the_data_set_begins_as_frequent_as_it_is_there() -> None:
    """Ten labels of two slides say little of how frequent each is."""
    rng = np.random.default_rng(7)
    many = nuclei(rng, 3000)
    rare = replace(many, types=np.where(many.types == 2, 0, many.types))
    found = learnt(*(nuclei(rng, 300), rare)).sets
    shares = best_fit(material(rng, 5), tuple(NAMES.values()), found).shares
    assert shares is not None
    assert shares[1] < 0.2
    assert min(shares[0], shares[2]) > 0.3


def test_neighbours_are_weighed_where_they_tell_classes_apart() -> None:
    rng = np.random.default_rng(8)
    labels = material(rng, 20)
    far = replace(labels, values=rng.normal(size=labels.values.shape))
    features = (*FEATURES[:57], *(f"mean_network_{number}_100" for number in range(3)))
    apart = far.values + 2.5 * np.eye(len(FEATURES))[57 + labels.truth]
    told = best_fit(replace(far, features=features, values=apart), tuple(NAMES.values()), ())
    assert told.neighbours
    own = best_fit(replace(labels, features=features), tuple(NAMES.values()), ())
    assert not own.neighbours
    assert not own.fitted.coefficients[:, 57:].any()


def test_kept_directions_are_those_of_the_weights(tmp_path: Path) -> None:
    found = learnt(nuclei(np.random.default_rng(4), 300))
    weights = tmp_path / "mine.safetensors"
    assert read_directions(weights, "a" * 64) is None
    path = write_directions(found, weights)
    assert path == tmp_path / "directions" / "mine.json"
    assert read_directions(weights, "a" * 64) == found
    assert read_directions(weights, "b" * 64) is None


@pytest.mark.parametrize(
    ("said", "instead", "reason"),
    [
        ('"title"', '"name"', "title"),
        ('"feature_59"', '"feature_59", "feature_60"', "not one coefficient"),
        ("{", "", "Extra data"),
    ],
)
def test_damaged_directions_are_refused_in_a_sentence(
    tmp_path: Path, said: str, instead: str, reason: str
) -> None:
    weights = tmp_path / "mine.safetensors"
    path = write_directions(learnt(nuclei(np.random.default_rng(5), 300)), weights)
    text = path.read_text("utf-8")
    assert said in text
    path.write_text(text.replace(said, instead, 1), "utf-8")
    with pytest.raises(
        ModelError, match=r"mine\.json is no file of a model's directions"
    ) as refused:
        read_directions(weights, "a" * 64)
    assert len(str(refused.value).splitlines()) == 1
    assert reason in str(refused.value)


def test_directions_of_a_model_that_is_not_at_hand_are_none(run: Run) -> None:
    features = features_of_run(run, FEATURE_GROUPS).names
    question = run.facts.question
    assert directions_of(question.model, question.model_sha256, features) is None


@pytest.mark.weights
def test_the_shipped_model_has_directions_for_types_that_it_does_not_name() -> None:
    card, weights = find_model()
    found = read_directions(weights, card.sha256)
    assert found is not None
    types = {name for each in found.sets for name in each.nuclei}
    assert {"plasma cell", "eosinophil", "spindle-shaped"} <= types
    assert directions_of(card.name, card.sha256, found.features) == found
    assert directions_of(card.name, card.sha256, found.features[1:]) is None
    assert directions_of(card.name, "a" * 64, found.features) is None


@pytest.mark.weights
def test_nuclei_of_labelled_images_get_the_types_of_their_data_set() -> None:
    """The real model on a painting whose labels are those of Lizard."""
    painting = painted_slides.paint(300, 300)
    lizard = data_set_of("lizard")
    whole = np.ones(painting.rgb.shape[:2], np.int32)
    image = labelled_image(
        "painted",
        painting.rgb,
        whole,
        np.full(whole.shape, 4, np.uint8),
        None,
        lizard,
        find_model()[0].scheme,
    )
    bare = replace(image, own_ids=None)
    (found,) = typed_nuclei([image, bare], None)
    assert found.names[4] == "plasma cell"
    assert len(found.types) == len(found.matrix) > 0
    assert set(found.types) == {4}
    assert found.features == read_directions(find_model()[1], find_model()[0].sha256).features
