"""Which nuclei to show to somebody who labels: those whose labels teach most.

Before anything was taught: a few of each class, as unlike each other as possible. Then those that
the classifier is least sure of, and among them again such that are unlike each other, since ten
labels of one kind of nucleus teach little more than one.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seg_core.teaching.classifier import Classifier
from seg_core.teaching.known import Known, standards_of

_DOUBTFUL = 10
"""So many times as many doubtful nuclei as are wanted are chosen among."""

_LOOKED_AT = 4_000
"""Nuclei that are compared with each other at most, drawn at random."""

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
    if not len(rows):
        return []
    if classifier is None:
        drawn = _some_of_each_class(known, runs, rows, count, generator)
    else:
        drawn = _doubtful(known, runs, rows, _DOUBTFUL * count, classifier, generator)
    runs, rows = runs[drawn], rows[drawn]
    mean, scale = standards_of(known)
    values = _gathered(runs, rows, [each.matrix for each in known])
    order = _unlike((values - mean) / scale, count)
    ids = _gathered(runs, rows, [each.table["nucleus_id"].to_numpy() for each in known])
    return [(int(runs[k]), int(ids[k])) for k in order]


def _candidates(known: Sequence[Known], without: Sequence[Collection[int]]) -> tuple[_Ids, _Ids]:
    """Return run and row of all nuclei that may be offered."""
    rows = [
        np.flatnonzero(~np.isin(each.table["nucleus_id"].to_numpy(), list(gone)))
        for each, gone in zip(known, without, strict=True)
    ]
    runs = [np.full(len(each), number, np.int64) for number, each in enumerate(rows)]
    return np.concatenate(runs), np.concatenate(rows)


def _some_of_each_class(
    known: Sequence[Known],
    runs: _Ids,
    rows: _Ids,
    count: int,
    generator: np.random.Generator,
) -> _Ids:
    """Draw as many of each class that the model names as there are, up to a share of them."""
    names = _gathered(runs, rows, [each.table["class_name"].to_numpy(object) for each in known])
    classes = sorted(set(names))
    share = -(-count // len(classes))
    order = generator.permutation(len(rows))
    return np.concatenate([order[names[order] == name][:share] for name in classes])


def _doubtful(
    known: Sequence[Known],
    runs: _Ids,
    rows: _Ids,
    count: int,
    classifier: Classifier,
    generator: np.random.Generator,
) -> _Ids:
    """Return the nuclei whose two most probable classes are most nearly as probable."""
    margins = []
    for each in known:
        ordered = np.sort(classifier.probabilities(each.matrix), axis=1)
        margins.append(ordered[:, -1] - ordered[:, -2])
    own = _gathered(runs, rows, margins)
    # equal ones, as where a classifier is sure of everything, in no order
    shuffled = generator.permutation(len(rows))
    return shuffled[np.argsort(own[shuffled], kind="stable")[:count]]


def _unlike(values: _Floats, count: int) -> list[int]:
    """Return rows so that each is as far from those before it as any: the first stays the first."""
    values = values[:_LOOKED_AT]
    chosen = [0]
    nearest = ((values - values[0]) ** 2).sum(axis=1)
    while len(chosen) < min(count, len(values)):
        nearest[chosen[-1]] = -1
        chosen.append(int(nearest.argmax()))
        distances = ((values - values[chosen[-1]]) ** 2).sum(axis=1)
        nearest = np.minimum(nearest, distances)
    return chosen


def _gathered(runs: _Ids, rows: _Ids, parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return the rows of each run's array, in the order of ``runs`` and ``rows``."""
    found = np.empty((len(rows), *parts[0].shape[1:]), np.result_type(*parts))
    for number, part in enumerate(parts):
        own = runs == number
        found[own] = part[rows[own]]
    return found
