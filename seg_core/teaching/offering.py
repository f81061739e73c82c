"""Which nuclei to show to somebody who labels: those whose labels teach most.

Before anything was taught: a few of each class, each of another kind. Then those that the classifier
is least sure of, and among them again one of each kind, since ten labels of one kind of nucleus teach
little more than one. Kinds are clusters of the features.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from seg_core.teaching.centring import CENTRING
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.known import Known
from seg_core.teaching.standards import standards_of

# Nuclei are chosen among so many times as many, and at most so many are compared with each other.
_TIMES, _MOST_COMPARED = 10, 4_000

_Floats = npt.NDArray[np.float64]
_Ids = npt.NDArray[np.int64]


def offer(
    known: Sequence[Known],
    count: int,
    *,
    without: Sequence[Collection[int]],
    classifier: Classifier | None = None,
    seed: int = 0,
) -> list[tuple[int, int]]:
    """Choose nuclei to be labelled.

    Parameters
    ----------
    known : sequence of Known
        Of each run.
    count : int
        How many at most.
    without : sequence of collection of int
        For each run, ids that are labelled, or were shown and passed over.
    classifier : Classifier, optional
        What was taught so far, on the same features.
    seed : int
        Of what is drawn.

    Returns
    -------
    chosen : list of (int, int)
        Place of the run and id of the nucleus, those that teach most first.
    """
    generator = np.random.default_rng(seed)
    runs, rows = _candidates(known, without)
    names = _gathered(runs, rows, [each.table["class_name"].to_numpy(object) for each in known])
    if classifier is None:
        groups = _classes(names, count, generator)
    else:
        groups = [(_doubtful(known, runs, rows, classifier, generator), count)]
    matrices = [each.matrix for each in known]
    standards = standards_of(matrices, CENTRING)
    chosen: list[int] = []
    for pool, share in groups:
        pool = pool[: min(_TIMES * share, _MOST_COMPARED)]
        values = standards.standardised(runs[pool], _gathered(runs[pool], rows[pool], matrices))
        chosen += pool[_unlike(values, share, seed)].tolist()
    ids = _gathered(runs, rows, [each.table["nucleus_id"].to_numpy() for each in known])
    return [(int(runs[k]), int(ids[k])) for k in chosen]


def _candidates(known: Sequence[Known], without: Sequence[Collection[int]]) -> tuple[_Ids, _Ids]:
    """Return run and row of all nuclei that may be offered."""
    rows = [
        np.flatnonzero(~np.isin(each.table["nucleus_id"].to_numpy(), list(gone)))
        for each, gone in zip(known, without, strict=True)
    ]
    runs = [np.full(len(each), number, np.int64) for number, each in enumerate(rows)]
    return np.concatenate(runs), np.concatenate(rows)


def _classes(
    names: npt.NDArray[Any], count: int, generator: np.random.Generator
) -> list[tuple[_Ids, int]]:
    """Return the rows of each class in no order, and how many of them are to be shown.

    Each class has the same share; what a rare one cannot fill goes to the others.
    """
    order = generator.permutation(len(names))
    groups = sorted((order[names[order] == name] for name in set(names)), key=len)
    found: list[tuple[_Ids, int]] = []
    for number, own in enumerate(groups):
        share = min(len(own), -(-count // (len(groups) - number)))
        found.append((own, share))
        count -= share
    return found


def _doubtful(
    known: Sequence[Known],
    runs: _Ids,
    rows: _Ids,
    classifier: Classifier,
    generator: np.random.Generator,
) -> _Ids:
    """Return the rows, those first whose two most probable classes are most nearly as probable."""
    margins = []
    for each in known:
        ordered = np.sort(classifier.probabilities(each.matrix), axis=1)
        margins.append(ordered[:, -1] - ordered[:, -2])
    own = _gathered(runs, rows, margins)
    # equal ones, as where a classifier is sure of everything, in no order
    shuffled = generator.permutation(len(rows))
    return shuffled[np.argsort(own[shuffled], kind="stable")]


def _unlike(values: _Floats, count: int, seed: int) -> list[int]:
    """Return rows of which each stands for others like it: the nearest to the middle of a cluster.

    The furthest from each other would be dirt and folds more often than nuclei.
    """
    if len(values) <= count:
        return list(range(len(values)))
    # threads that wait for one another cost a small problem a hundred times its time
    with threadpool_limits(1):
        means = KMeans(count, n_init=1, random_state=seed).fit(values)
        distances = means.transform(values)
    nearest = [
        int(own[distances[own, cluster].argmin()])
        for cluster in range(count)
        for own in [np.flatnonzero(means.labels_ == cluster)]
        if len(own)
    ]
    return sorted(nearest)


def _gathered(runs: _Ids, rows: _Ids, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return the rows of each run's array, in the order of ``runs`` and ``rows``."""
    found = np.empty((len(rows), *parts[0].shape[1:]), np.result_type(*parts))
    for number, part in enumerate(parts):
        own = runs == number
        found[own] = part[rows[own]]
    return found
