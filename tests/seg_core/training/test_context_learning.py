"""A context head is learnt from labelled images, and answers in an analysis as where it is measured."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import softmax

from seg_core.analysis import analyse
from seg_core.errors import DataError
from seg_core.evaluation.evaluate import evaluate
from seg_core.evaluation.prediction import predict_image
from seg_core.evaluation.told_nuclei import ToldNuclei, told_nuclei
from seg_core.labelled.reading import read_labelled
from seg_core.model import find_model, make_engine
from seg_core.nuclei.context_head import ContextHead, head_inputs, read_context_head
from seg_core.settings import AnalysisSettings
from seg_core.training.context_learning import RADII_UM, learn_context_head

CLASSES = 2


def nuclei(rng: np.random.Generator, count: int, data_set: str) -> ToldNuclei:
    """Nuclei whose votes are right in six of ten, and half of those that stand in a crowd are class 2."""
    truth = rng.choice(CLASSES + 1, count, p=[0.6, 0.3, 0.1])
    voted = np.where(rng.random(count) < 0.6, truth, rng.integers(0, CLASSES + 1, count))
    shares = np.full((count, CLASSES + 1), 0.05)
    shares[np.arange(count), voted] = 0.9
    features = rng.normal(size=(count, 4))
    around = rng.normal(size=(count, len(RADII_UM), 4))
    around[:, -1, 0] += 4.0 * (truth == 2)
    return ToldNuclei(data_set, head_inputs(shares, features, around), truth)


def learnt(*parts: ToldNuclei) -> ContextHead:
    return learn_context_head(parts, CLASSES, "a" * 64, "a command", steps=150)


def probabilities(head: ContextHead, told: ToldNuclei) -> np.ndarray:
    """What a head says where it is trusted."""
    values = (told.inputs - np.array(head.mean)) / np.array(head.scale)
    values = np.clip(values, -head.limit, head.limit)
    units = np.maximum(values @ np.array(head.hidden).T + head.hidden_intercepts, 0)
    return softmax(units @ np.array(head.coefficients).T + head.intercepts, axis=1)


def answers(head: ContextHead, told: ToldNuclei) -> np.ndarray:
    return probabilities(head, told).argmax(axis=1)


def test_what_is_around_mends_votes_on_nuclei_that_were_not_learnt_from() -> None:
    rng = np.random.default_rng(0)
    head = learnt(*(nuclei(rng, 1500, "drawn") for _ in range(3)))
    others = nuclei(rng, 4000, "drawn")
    voted = np.concatenate([np.zeros((4000, 1)), others.inputs[:, :CLASSES]], axis=1).argmax(axis=1)
    right_by_vote = np.mean(voted == others.truth)
    right = np.mean(answers(head, others) == others.truth)
    assert right > right_by_vote + 0.05
    found = answers(head, others)[others.truth == 2] == 2
    assert found.mean() > 0.9 > np.mean(voted[others.truth == 2] == 2)


def test_a_small_data_set_counts_as_much_as_a_large_one() -> None:
    """In the small set the crowd means class 1, in the large one class 2: neither is overruled."""
    rng = np.random.default_rng(1)
    large, small = nuclei(rng, 6000, "large"), nuclei(rng, 300, "small")
    swapped = ToldNuclei("small", small.inputs, np.array([0, 2, 1])[small.truth])
    shares = [
        np.mean(answers(learnt(*parts), small)[small.truth == 2] == 1)
        for parts in ((large, swapped), (large, ToldNuclei("large", small.inputs, swapped.truth)))
    ]
    assert shares[0] > shares[1] + 0.2


def test_contexts_that_nobody_taught_are_not_trusted() -> None:
    rng = np.random.default_rng(4)
    head = learnt(nuclei(rng, 3000, "drawn"))
    known = nuclei(rng, 1000, "drawn").inputs[:, None, -4:]
    assert (head.trust(known) == 1).mean() > 0.9
    assert (head.trust(known + 6) == 0).all()


def test_a_head_is_as_sure_as_it_is_right_on_images_that_nobody_learnt_from() -> None:
    """There half of the classes are others than the head would expect: no class of its changes."""
    rng = np.random.default_rng(7)
    told, others = nuclei(rng, 2000, "drawn"), nuclei(rng, 2000, "drawn")
    mixed = np.where(rng.random(2000) < 0.5, others.truth, rng.permutation(others.truth))
    held_out = [ToldNuclei("drawn", others.inputs, mixed)]
    sure = learnt(told)
    honest = learn_context_head(
        [told], CLASSES, "a" * 64, "a command", held_out=held_out, steps=150
    )
    np.testing.assert_array_equal(answers(sure, others), answers(honest, others))
    right = np.mean(answers(honest, others) == mixed)
    assert probabilities(sure, others).max(axis=1).mean() > right + 0.15
    assert probabilities(honest, others).max(axis=1).mean() == pytest.approx(right, abs=0.06)


def test_the_same_nuclei_teach_the_same_head() -> None:
    told = nuclei(np.random.default_rng(5), 500, "drawn")
    torch.manual_seed(6)  # whatever else has been drawn
    drawn = torch.rand(1)
    first = learnt(told)
    torch.manual_seed(6)
    second = learnt(told)
    assert first.sha256 == second.sha256
    assert torch.rand(1) == drawn  # nor is what others draw disturbed


def test_what_was_learnt_from_is_counted_by_data_set() -> None:
    rng = np.random.default_rng(2)
    head = learnt(nuclei(rng, 400, "b"), nuclei(rng, 300, "a"), nuclei(rng, 200, "b"))
    assert head.nuclei == {"a": 300, "b": 600}


def test_a_head_of_a_single_class_tells_it_from_other() -> None:
    """It ended in a traceback."""
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 2000)
    shares = np.full((2000, 2), 0.5)
    features = rng.normal(size=(2000, 4))
    around = rng.normal(size=(2000, len(RADII_UM), 4))
    around[:, -1, 0] += 4.0 * truth
    told = ToldNuclei("drawn", head_inputs(shares, features, around), truth)
    head = learn_context_head([told], 1, "a" * 64, "a command", steps=150)
    found = head.probabilities(shares, features, around)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert np.mean(found.argmax(axis=1) == truth) > 0.9


def test_without_nuclei_of_every_class_it_is_refused() -> None:
    told = nuclei(np.random.default_rng(3), 200, "drawn")
    lacking = ToldNuclei("drawn", told.inputs[told.truth != 1], told.truth[told.truth != 1])
    with pytest.raises(DataError, match="of 2 classes of the model's 3, other among them"):
        learnt(lacking)
    with pytest.raises(DataError, match="of 0 classes"):
        learnt()


def test_labelled_images_give_what_a_head_weighs(shared_data: Path) -> None:
    images = list(read_labelled(shared_data / "monusac" / "val"))[:2]
    found = told_nuclei(images, None, RADII_UM)
    assert len(found) == 4  # each as it is and as scanned at 20x
    for each in found:
        assert each.data_set == "monusac"
        assert len(each.inputs) == len(each.truth) > 0
        assert np.isfinite(each.inputs).all()


def test_the_shipped_model_names_nuclei_in_an_analysis_as_where_it_is_measured(
    shared_data: Path, tmp_path: Path
) -> None:
    image = next(iter(read_labelled(shared_data / "monusac" / "val")))
    path = tmp_path / "image.png"
    Image.fromarray(image.image).save(path)
    settings = AnalysisSettings(tissue_only=False)
    card, weights = find_model()
    head = read_context_head(card, weights)
    assert head is not None
    run = analyse(path, tmp_path / "store", mpp=image.mpp, settings=settings)
    assert run.facts.question.context_head == head.sha256
    table = run.nuclei().sort_values(["y", "x"])
    measured = predict_image(
        image.image,
        image.mpp,
        card.mpp,
        make_engine(card, weights, settings),
        settings,
        card.scheme,
        head=head,
    )
    assert measured.class_shares is not None
    assert measured.nuclei.class_ids is not None
    names = [card.scheme.name_of(int(each)) for each in measured.nuclei.class_ids]
    assert sorted(names) == sorted(table["class_name"])
    np.testing.assert_allclose(
        np.sort(measured.class_shares.max(axis=1)), np.sort(table["class_score"]), atol=1e-5
    )


def test_figures_say_which_head_named_the_nuclei(shared_data: Path) -> None:
    """Of one model before and after a head they looked alike."""
    images = read_labelled(shared_data / "monusac" / "val")
    result = evaluate(
        shared_data / "monusac" / "val", None, AnalysisSettings(), only=images.names[:1]
    )
    card, weights = find_model()
    head = read_context_head(card, weights)
    assert head is not None
    assert result["model"] == {"name": card.name, "sha256": card.sha256, "context": head.sha256}
