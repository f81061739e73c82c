"""What a classifier would change, told before it is applied."""

from dataclasses import replace

import pytest

from seg_core.store import Run, Selection
from seg_core.teaching.apply import classify
from seg_core.teaching.changes import PLACE_UM, changes_by
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.labels import Labels
from seg_core.teaching.teach import teach


@pytest.fixture
def classifier(run: Run) -> Classifier:
    """Calls macrophages melanocytes."""
    table = run.nuclei()
    ids = [
        number
        for name in run.scheme.names
        for number in table[table["class_name"] == name]["nucleus_id"].iloc[:6]
    ]
    names = table.set_index("nucleus_id")["class_name"].loc[ids]
    labels = Labels(run, names.index.to_numpy(), tuple(names.replace("macrophage", "melanocyte")))
    return teach([labels], with_anchors=False).classifier


def test_what_is_told_before_is_what_happens(run: Run, classifier: Classifier) -> None:
    run.journal().correct([3], ["other"], "neutrophil", by="ada")
    run.journal().correct([4], ["other"], None, by="ada")
    changes = changes_by(run, classifier)
    before = run.nuclei().set_index("nucleus_id")["class_name"]
    assert changes.before == run_counts(run)
    classify(run, classifier, name="mine")
    after = run.nuclei().set_index("nucleus_id")["class_name"]
    assert changes.after == run_counts(run)
    changed = before[before != after]
    assert changes.changed["nucleus_id"].tolist() == changed.index.tolist()
    assert changes.changed["before"].tolist() == changed.tolist()
    assert changes.changed["after"].tolist() == after[changed.index].tolist()
    assert not {3, 4} & set(changed.index)
    assert changes_by(run, classifier).changed.empty


def test_the_places_that_change_most_come_first(run: Run, classifier: Classifier) -> None:
    changes = changes_by(run, classifier)
    side = PLACE_UM / run.slide_mpp
    places = changes.places(3)
    assert places["nuclei"].is_monotonic_decreasing
    first = places.iloc[0]
    inside = (changes.changed[["x", "y"]] - first[["x", "y"]].astype(float)).abs() <= side / 2
    assert inside.all(axis=1).sum() == first["nuclei"]
    assert first["change"] == "macrophage → melanocyte"
    assert replace(changes, changed=changes.changed.iloc[:0]).places(3).empty


def run_counts(run: Run) -> dict[str, int]:
    counts = run.nucleus_queries().counts(Selection(run.scheme.names_with_other))
    return {name: count for name, count in counts.items() if count}
