"""Which nuclei are offered to be labelled."""

import numpy as np
import pandas as pd
import pytest

from seg_core.store import Run
from seg_core.teaching.features import FEATURE_GROUPS
from seg_core.teaching.known import Known
from seg_core.teaching.labels import Labels
from seg_core.teaching.offering import offer
from seg_core.teaching.teach import teach


@pytest.fixture
def known(run: Run) -> Known:
    return Known.of(run, FEATURE_GROUPS)


def classes_of(known: Known, chosen: list[tuple[int, int]]) -> pd.Series:
    names = known.table.set_index("nucleus_id")["class_name"]
    return names.loc[[nucleus for _, nucleus in chosen]].value_counts()


def test_before_anything_is_taught_each_class_is_shown_alike(known: Known) -> None:
    chosen = offer([known], 20, without=[()])
    assert len(set(chosen)) == 20
    counts = classes_of(known, chosen)
    assert set(counts.index) == set(known.table["class_name"])
    assert counts.max() - counts.min() <= 1


def test_what_is_labelled_is_not_offered_again(known: Known) -> None:
    ids = known.table["nucleus_id"].tolist()
    chosen = offer([known], 40, without=[ids[5:]])
    assert {nucleus for _, nucleus in chosen} == set(ids[:5])
    assert offer([known], 40, without=[ids]) == []


def test_nuclei_of_all_runs_are_offered_with_their_run(known: Known) -> None:
    ids = known.table["nucleus_id"].tolist()
    chosen = offer([known, known], 8, without=[ids[2:], ids[:-3]])
    assert sorted(chosen) == sorted(
        [(0, each) for each in ids[:2]] + [(1, each) for each in ids[-3:]]
    )


def test_then_the_doubtful_are_offered_and_not_twice_the_same_kind(run: Run, known: Known) -> None:
    """Nuclei half-way between two classes are doubtful; five of them are all alike."""
    names = known.table["class_name"].to_numpy()
    ids = known.table["nucleus_id"].to_numpy()
    picked = [np.flatnonzero(names == name)[:6] for name in run.scheme.names]
    rows = np.concatenate(picked)
    classifier = teach(
        [Labels(run, ids[rows], tuple(names[rows]))], known=[known], with_anchors=False
    ).classifier
    first, second = (known.matrix[each].mean(axis=0) for each in picked[:2])
    between = (first + second) / 2
    matrix = known.matrix.copy()
    alike = ids[-5:]
    matrix[-5:] = between
    mixed = Known(known.features, matrix, known.table, known.mpp)
    chosen = {nucleus for _, nucleus in offer([mixed], 6, without=[()], classifier=classifier)}
    margins = np.sort(classifier.probabilities(matrix), axis=1)
    doubt = pd.Series(margins[:, -1] - margins[:, -2], ids)
    assert len(chosen) == 6
    assert (doubt.loc[list(chosen)] <= doubt.sort_values().iloc[59]).all()
    assert len(chosen & set(alike.tolist())) <= 1
