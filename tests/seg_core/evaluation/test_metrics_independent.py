"""Our figures against other people's code: cellseg-metrics, scikit-learn, published evaluations.

`challenge_code`, `kumar_code` and `hovernet_code` below follow the MoNuSAC challenge's notebook,
the definition of AJI in Kumar et al. (2017, algorithm 1) and HoVer-Net's evaluation step by step,
loops and errors included, so that the vectorised versions are compared with what was really run.
"""

import itertools

import cv2
import networkx as nx
import numpy as np
import pytest
from cellseg_metrics import iou_multiclass, panoptic_quality
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score

from seg_core.evaluation.metrics.aji import aji
from seg_core.evaluation.metrics.detection import (
    class_detection_counts,
    detection_counts,
    hovernet_class_counts,
    hovernet_counts,
    hovernet_pairs,
)
from seg_core.evaluation.metrics.instance import (
    challenge_pq,
    class_counts,
    compare,
    nucleus_confusion,
    panoptic_counts,
)
from seg_core.evaluation.metrics.pixel import dice_of, iou_of, pixel_confusion
from seg_core.labelled.nuclei import Nuclei

CLASSES = 4


def painted(seed, count=60, side=160):
    """Ellipses that touch and overlap, with gaps in their numbers."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.int32)
    for label in rng.choice(np.arange(1, 2 * count), count, replace=False):
        centre, axes = rng.integers(0, side, 2), rng.integers(3, 11, 2)
        cv2.ellipse(
            labels, centre.tolist(), axes.tolist(), float(rng.integers(180)), 0, 360, int(label), -1
        )
    return Nuclei(labels, rng.integers(0, CLASSES + 1, 2 * count).astype(np.uint8))


def disturbed(nuclei, seed):
    """What a fair network might answer: nuclei moved, shrunk, merged, missed, invented, misnamed."""
    rng = np.random.default_rng(seed)
    labels = np.roll(nuclei.labels, rng.integers(-2, 3, 2), axis=(0, 1))
    highest = len(nuclei.class_ids)
    for label in rng.choice(highest, highest // 5, replace=False) + 1:
        own = labels == label
        fate = rng.integers(4)
        if fate == 0:
            labels[own] = 0
        elif fate == 1:
            labels[own] = rng.integers(1, highest + 1)
        else:
            kept = cv2.erode(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            labels[own & ~kept] = 0
    cv2.circle(labels, (8, 8), 5, highest + 1, -1)
    class_ids = np.append(nuclei.class_ids, 1)
    wrong = rng.choice(highest, highest // 6, replace=False)
    class_ids[wrong] = rng.integers(0, CLASSES + 1, len(wrong))
    return Nuclei(labels, class_ids.astype(np.uint8))


def real(shared_data, name):
    """The upper left part of an image; other people's code takes its time."""
    folder, stem = name.split("/")
    folder = shared_data / "monusac" / folder
    labels = cv2.imread(str(folder / "inst" / f"{stem}.png"), cv2.IMREAD_UNCHANGED).astype(np.int32)
    class_map = cv2.imread(str(folder / "class" / f"{stem}.png"), cv2.IMREAD_UNCHANGED)
    class_ids = np.zeros(labels.max(), np.uint8)
    class_ids[labels[labels > 0] - 1] = class_map[labels > 0]
    return Nuclei(labels[:500, :500], class_ids)


@pytest.fixture(
    scope="module",
    params=[
        "painted 1",
        "painted 2",
        "train/TCGA-5P-A9K0-01Z-00-DX1_2",
        "train/TCGA-49-6743-01Z-00-DX2_001",
        "val/TCGA-DW-7838-01Z-00-DX1_1",
        "val/TCGA-2Z-A9JN-01Z-00-DX1_4",
    ],
)
def pair(request):
    name = request.param
    if name.startswith("painted"):
        reference = painted(int(name[-1]))
    else:
        reference = real(request.getfixturevalue("shared_data"), name)
    return reference, disturbed(reference, seed=7)


def of_class(nuclei, class_id):
    """The label map with one class only, as the challenge stored it."""
    return np.where(nuclei.class_map() == class_id, nuclei.labels, 0)


def challenge_code(truth, guess):
    matched = {}
    for i in np.unique(truth[truth > 0]):
        own = truth == i
        for j in np.unique(guess[own & (guess > 0)]):
            other = guess == j
            iou = (own & other).sum() / (own | other).sum()
            if iou > 0.5:
                matched[i] = j, iou
    left = list(np.unique(guess[guess > 0]))
    tp = fn = sum_iou = 0
    for i in np.unique(truth[truth > 0]):
        if i in matched:
            if i in left:  # the error: it should ask for matched[i][0]
                left.remove(i)
            tp += 1
            sum_iou += matched[i][1]
        else:
            fn += 1
    return sum_iou / (tp + 0.5 * len(left) + 0.5 * fn)


def kumar_code(truth, guess):
    common = united = 0
    used = set()
    for i in np.unique(truth[truth > 0]):
        own = truth == i
        best, best_j = 0.0, None
        for j in np.unique(guess[own & (guess > 0)]):
            iou = (own & (guess == j)).sum() / (own | (guess == j)).sum()
            if iou > best:
                best, best_j = iou, j
        if best_j is None:
            united += own.sum()
        else:
            common += (own & (guess == best_j)).sum()
            united += (own | (guess == best_j)).sum()
            used.add(best_j)
    for j in set(np.unique(guess[guess > 0])) - used:
        united += (guess == j).sum()
    return common / united


def centroids_and_types(nuclei):
    ids = np.unique(nuclei.labels[nuclei.labels > 0])
    points = [np.argwhere(nuclei.labels == i).mean(axis=0) for i in ids]
    return np.array(points), nuclei.class_ids[ids - 1]


def hovernet_code(reference, predicted, radius, type_id=None):
    """F_d, or F_c of a type, as `compute_stats.py` has them."""
    true, true_types = centroids_and_types(reference)
    pred, pred_types = centroids_and_types(predicted)
    cost = np.array([[np.hypot(*(a - b)) for b in pred] for a in true])
    pairs = [
        (i, j) for i, j in zip(*linear_sum_assignment(cost), strict=True) if not cost[i, j] > radius
    ]
    unpaired_true = set(range(len(true))) - {i for i, _ in pairs}
    unpaired_pred = set(range(len(pred))) - {j for _, j in pairs}
    if type_id is None:
        tp, fp, fn = len(pairs), len(unpaired_pred), len(unpaired_true)
        return 2 * tp / (2 * tp + fp + fn)
    tp = sum(true_types[i] == type_id == pred_types[j] for i, j in pairs)
    fp_dt = sum(true_types[i] != type_id == pred_types[j] for i, j in pairs)
    fn_dt = sum(true_types[i] == type_id != pred_types[j] for i, j in pairs)
    fp_d = sum(pred_types[j] == type_id for j in unpaired_pred)
    fn_d = sum(true_types[i] == type_id for i in unpaired_true)
    return 2 * tp / (2 * tp + 2 * fp_dt + 2 * fn_dt + fp_d + fn_d)


def test_aji_is_what_its_published_definition_gives(pair):
    reference, predicted = pair
    index = aji(compare(reference, predicted))
    assert index == pytest.approx(kumar_code(reference.labels, predicted.labels), abs=1e-12)


@pytest.mark.parametrize("radius", [2, 12])
def test_hovernets_detection_is_what_its_published_code_gives(pair, radius):
    comparison = compare(*pair)
    pairs = hovernet_pairs(comparison, radius)
    theirs = hovernet_code(*pair, radius)
    assert hovernet_counts(comparison, pairs).dq == pytest.approx(theirs, abs=1e-12)
    by_class = hovernet_class_counts(comparison, pairs, CLASSES)
    for class_id in range(1, CLASSES + 1):
        if by_class.tp[class_id - 1] + by_class.fn[class_id - 1] > 0:
            theirs = hovernet_code(*pair, radius, class_id)
            assert by_class.dq[class_id - 1] == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("radius", [2, 12])
def test_the_greatest_matching_is_networkx(pair, radius):
    """As a flow from nuclei of the one side to those of the other, in another package."""
    true, true_types = centroids_and_types(pair[0])
    pred, pred_types = centroids_and_types(pair[1])
    near = cdist(true, pred) <= radius + 1e-9

    def most(rows, columns):
        graph = nx.Graph()
        graph.add_nodes_from(("t", i) for i in rows)
        graph.add_edges_from((("t", i), ("p", j)) for i in rows for j in columns if near[i, j])
        return len(nx.bipartite.maximum_matching(graph, [("t", i) for i in rows])) // 2

    comparison = compare(*pair)
    assert detection_counts(comparison, radius).tp == most(range(len(true)), range(len(pred)))
    by_class = class_detection_counts(comparison, radius, CLASSES)
    for each in range(1, CLASSES + 1):
        rows, columns = np.flatnonzero(true_types == each), np.flatnonzero(pred_types == each)
        assert by_class.tp[each - 1] == most(rows, columns)


def test_binary_panoptic_quality_is_cellseg_metrics(pair):
    reference, predicted = pair
    counts = panoptic_counts(compare(reference, predicted))
    theirs = panoptic_quality(reference.labels, predicted.labels)
    for name in ("pq", "dq", "sq"):
        assert getattr(counts, name) == pytest.approx(theirs[name], abs=1e-6)
    assert 0.3 < counts.pq < 0.95  # the disturbance is neither nothing nor everything


def test_panoptic_quality_by_class_is_cellseg_metrics(pair):
    reference, predicted = pair
    pq = class_counts(compare(reference, predicted), CLASSES).pq
    for class_id in range(1, CLASSES + 1):
        theirs = panoptic_quality(of_class(reference, class_id), of_class(predicted, class_id))
        assert np.nan_to_num(pq[class_id - 1]) == pytest.approx(theirs["pq"], abs=1e-6)


def test_pixel_iou_is_cellseg_metrics_and_scikit_learn(pair):
    true, guess = (nuclei.class_map() for nuclei in pair)
    confusion = pixel_confusion(true, guess, CLASSES + 1)
    kinds = range(CLASSES + 1)
    np.testing.assert_array_equal(
        confusion, confusion_matrix(true.ravel(), guess.ravel(), labels=kinds)
    )
    present = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
    arguments = {"labels": np.flatnonzero(present), "average": None, "zero_division": 0}
    iou = jaccard_score(true.ravel(), guess.ravel(), **arguments)
    np.testing.assert_allclose(iou_of(confusion)[present], iou)
    np.testing.assert_allclose(
        dice_of(confusion)[present], f1_score(true.ravel(), guess.ravel(), **arguments)
    )
    np.testing.assert_allclose(
        iou_multiclass(true, guess, num_classes=CLASSES + 1)[present], iou, atol=1e-6
    )


def test_confusion_of_nuclei_is_scikit_learns_on_the_pairs(pair):
    comparison = compare(*pair)
    matched = comparison.matched()
    # *other* (0) stands last among the classes
    order = [*range(1, CLASSES + 1), 0]
    theirs = confusion_matrix(
        comparison.reference.classes[matched.rows],
        comparison.predicted.classes[matched.columns],
        labels=order,
    )
    np.testing.assert_array_equal(nucleus_confusion(comparison, CLASSES)[:-1, :-1], theirs)


def test_the_challenges_figure_is_what_its_published_code_gives(pair):
    reference, predicted = pair
    theirs = [
        challenge_code(of_class(reference, class_id), of_class(predicted, class_id))
        for class_id in range(1, CLASSES + 1)
        if (of_class(reference, class_id) > 0).any()
    ]
    assert challenge_pq(compare(reference, predicted), CLASSES) == pytest.approx(np.mean(theirs))


@given(st.integers(0, 2**32 - 1), st.integers(0, 6), st.integers(0, 6), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_detection_is_the_best_of_all_pairings(seed, few, many, radius):
    rng = np.random.default_rng(seed)
    reference, predicted = (
        Nuclei(np.bincount(rng.choice(100, n, replace=False), minlength=100).reshape(10, 10))
        for n in (few, many)
    )
    # single pixels with a number each
    for nuclei in (reference, predicted):
        nuclei.labels[nuclei.labels > 0] = np.arange(1, (nuclei.labels > 0).sum() + 1)
    comparison = compare(reference, predicted)
    small, large = sorted((comparison.reference.centroids, comparison.predicted.centroids), key=len)
    best = max(
        sum(np.hypot(*(a - b)) <= radius for a, b in zip(small, partners, strict=True))
        for partners in itertools.permutations(large, len(small))
    )
    assert detection_counts(comparison, radius).tp == best
