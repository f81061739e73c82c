"""From labels to a classifier to a run that it answers."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from seg_core.classes import MONUSAC, NucleusClass
from seg_core.errors import TeachingError
from seg_core.roi import Roi
from seg_core.scoring import describe_run
from seg_core.scoring.assessment import assess
from seg_core.store import Run, Selection, forget_answer
from seg_core.teaching.anchors import find_anchors
from seg_core.teaching.apply import classify, doubt_about, probabilities_of
from seg_core.teaching.centring import CENTRING, shift_of
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.features import FEATURE_GROUPS, FeatureGroup, features_of_run
from seg_core.teaching.known import Known
from seg_core.teaching.labels import Labels
from seg_core.teaching.standards import standards_of
from seg_core.teaching.teach import ANCHORED, teach


def labelled(run: Run, names: Sequence[str], count: int) -> Labels:
    """The first nuclei of some classes of the painting, called by their own names."""
    table = run.as_found().nuclei()
    rows = [table[table["class_name"] == name]["nucleus_id"].iloc[:count] for name in names]
    ids = np.concatenate([each.to_numpy() for each in rows])
    return Labels(run, ids, tuple(n for n, each in zip(names, rows, strict=True) for _ in each))


def spread(run: Run) -> Known:
    """What is known of the nuclei, ten times as far apart: the painting is smaller than a neighbourhood."""
    known = Known.of(run, FEATURE_GROUPS)
    return replace(known, mpp=10 * known.mpp)


def renamed(labels: Labels, names: dict[str, str]) -> Labels:
    return replace(labels, names=tuple(names.get(name, name) for name in labels.names))


def test_a_few_labels_teach_what_was_painted(run: Run) -> None:
    """The painted classes differ in colour alone, which the features of the painting hold."""
    names = run.scheme.names_with_other
    taught = teach([labelled(run, names, 5)], known=[spread(run)])
    assert taught.validation is not None
    assert taught.validation.macro_f1 > 0.9
    before = run.nuclei()["class_name"].to_numpy()
    after = classify(run, taught.classifier, name="mine").nuclei()["class_name"].to_numpy()
    assert (before == after).mean() > 0.95


def test_what_is_weighed_and_leant_on_is_told_and_stands_in_the_file(run: Run) -> None:
    names = run.scheme.names_with_other
    taught = teach([labelled(run, names, 8)])
    figures = taught.classifier.figures
    # the painted model lies in no folder, and nobody has learnt directions for it
    assert figures["weighs"] == "features"
    assert taught.explanation.startswith("It weighs all that is known of a nucleus. It leans")
    assert sum(figures["shares"].values()) == pytest.approx(1, abs=1e-3)
    told = dict(re.findall(r"(\w+) ([\d.]+) %", taught.explanation))
    for name, share in figures["shares"].items():
        assert float(told[name]) == pytest.approx(100 * share, abs=0.06)
    # nuclei that stand in for a class are those that the model is sure of: they say nothing of errors
    anchored = teach([labelled(run, ["epithelial", "lymphocyte"], 8)])
    assert "shares" not in anchored.classifier.figures
    once = teach([labelled(run, names, 1)], with_anchors=False)
    assert "shares" not in once.classifier.figures
    assert "All classes count as equally frequent." in once.explanation


def test_an_own_class_has_its_colour_and_role_everywhere(run: Run) -> None:
    labels = renamed(labelled(run, run.scheme.names_with_other, 6), {"macrophage": "plasma cell"})
    own = NucleusClass(1, "plasma cell", "#123456", given_role="lymphocyte")
    taught = teach([labels], own_classes=[own], with_anchors=False)
    names, macrophages = run.scheme.names, run.facts.counts["macrophage"]
    classify(run, taught.classifier, name="mine")
    assert run.classifier == "mine"
    assert run.scheme.names == (*names, "plasma cell")
    assert run.scheme.colours["plasma cell"] == "#123456"
    assert run.scheme.names_of_role("lymphocyte") == ("lymphocyte", "plasma cell")
    counts = run.nucleus_queries().counts(Selection(run.scheme.names_with_other))
    assert counts["plasma cell"] == macrophages
    assert counts["macrophage"] == 0
    assert "taught classifier mine" in run.said_since()[0]
    assert run.as_found().nuclei()["class_name"].isin((*names, "other")).all()
    assert run.as_found().classifier is None
    forget_answer(run.path)
    assert run.scheme.names == names


def test_what_the_model_is_sure_of_stands_in_for_classes_without_labels(run: Run) -> None:
    labels = renamed(labelled(run, ["macrophage"], 10), {"macrophage": "melanocyte"})
    classifier = teach([labels]).classifier
    assert classifier.labels["melanocyte"] == {run.slide_path.name: 10}
    assert set(classifier.labels["epithelial"]) == {ANCHORED}
    # the rest of the macrophages look like melanocytes, so they stand in for nothing
    assert "macrophage" not in classifier.names or classifier.labels["macrophage"][ANCHORED] < 3
    classify(run, classifier, name="mine")
    called = run.nuclei().set_index("nucleus_id")["class_name"]
    found = run.as_found().nuclei().set_index("nucleus_id")["class_name"]
    assert (called[found == "macrophage"] == "melanocyte").mean() > 0.9
    assert (called[found == "epithelial"] == "epithelial").mean() > 0.7


def test_what_somebody_corrected_stands_in_for_no_class(run: Run) -> None:
    """What is no nucleus could teach what a lymphocyte looks like."""
    labels, known = [labelled(run, ["macrophage"], 10)], [Known.of(run, FEATURE_GROUPS)]
    (drawn,) = find_anchors(labels, known)
    gone = [number for number, name in drawn.items() if name == "lymphocyte"]
    assert gone
    run.journal().correct(gone, ["lymphocyte"] * len(gone), None, by="a")
    (again,) = find_anchors(labels, known)
    assert not {*gone} & {*again}


def test_what_is_no_nucleus_says_nothing_of_how_frequent_classes_are(run: Run) -> None:
    labels = labelled(run, run.scheme.names_with_other, 8)
    before = teach([labels]).classifier.figures["shares"]["lymphocyte"]
    table = run.as_found().nuclei()
    ids = table[table["class_name"] == "lymphocyte"]["nucleus_id"]
    gone = [number for number in ids.tolist() if number not in labels.nucleus_ids]
    run.journal().correct(gone, ["lymphocyte"] * len(gone), None, by="a")
    assert teach([labels]).classifier.figures["shares"]["lymphocyte"] < before / 2


def test_around_the_nuclei_of_a_drawn_region_only_the_region_is_known(run: Run) -> None:
    x, y, width, height = run.region.to_json()
    triangle = shapely.Polygon([(x, y), (x + width, y), (x, y + height)])
    question = replace(run.facts.question, roi=Roi("a", triangle))
    drawn = replace(run, facts=replace(run.facts, question=question))
    whole, within = (features_of_run(each, ("surroundings",)) for each in (run, drawn))
    density = [name.startswith("density") for name in whole.names]
    assert (within.matrix[:, density] >= whole.matrix[:, density]).all()
    assert (within.matrix[:, density] > whole.matrix[:, density]).any()


def test_left_out_places_are_whole_squares_and_one_place_is_warned_of(run: Run) -> None:
    names = run.scheme.names
    taught = teach([labelled(run, names, 6)], known=[spread(run)])
    assert taught.validation is not None
    assert taught.validation.unit == "square"
    assert any("has 6 labels; give at least 10" in each for each in taught.warnings)
    six = labelled(run, names, 6)
    kept = [k for k, name in enumerate(six.names) if name != names[0] or k == six.names.index(name)]
    few = teach([Labels(run, six.nucleus_ids[kept], tuple(six.names[k] for k in kept))])
    # one label is of one square, which says no more than that there is one
    assert [each for each in few.warnings if names[0] in each] == [
        f"{names[0]} has 1 label; give at least 10."
    ]
    table = run.nuclei()
    near = table[(table["x"] < 119) & (table["y"] < 119)]
    assert len(set(near["class_name"])) > 1
    one_place = Labels(run, near["nucleus_id"].to_numpy(), tuple(near["class_name"]))
    alone = teach([one_place])
    assert alone.validation is None
    assert any("all labels are of one place" in each for each in alone.warnings)
    crowded = teach([labelled(run, names, 6)])
    assert crowded.validation is None
    assert any("lie within 100 µm of one another" in each for each in crowded.warnings)


@pytest.mark.parametrize("group", FEATURE_GROUPS)
def test_labels_of_one_place_teach_by_any_one_group_of_features(
    run: Run, group: FeatureGroup
) -> None:
    """Told of neighbours alone, it was left with nothing to weigh and ended in a traceback."""
    table = run.nuclei()
    near = table[(table["x"] < 119) & (table["y"] < 119)]
    one_place = Labels(run, near["nucleus_id"].to_numpy(), tuple(near["class_name"]))
    taught = teach([one_place], groups=(group,))
    assert taught.validation is None
    assert taught.classifier.coefficients.any()
    assert np.isfinite(probabilities_of(run, taught.classifier)).all()


def test_runs_of_two_models_are_refused(run: Run) -> None:
    question = replace(run.facts.question, model_sha256="1" * 64)
    other = replace(run, facts=replace(run.facts, question=question))
    labels = labelled(run, run.scheme.names, 3)
    with pytest.raises(TeachingError, match="the runs were made by different models"):
        teach([labels, replace(labels, run=other)])
    classifier = teach([labels]).classifier
    with pytest.raises(TeachingError, match="was taught on what the model painted sees, the run"):
        classify(other, classifier, name="mine")


def named_otherwise(run: Run) -> Run:
    """The same run, as if the same weights with another context head had named its nuclei."""
    question = replace(run.facts.question, context_head="1" * 64)
    return replace(run, facts=replace(run.facts, question=question))


def test_nuclei_that_the_same_weights_named_otherwise_are_told_of(run: Run) -> None:
    other, labels = named_otherwise(run), labelled(run, run.scheme.names, 3)
    here, there = (each.facts.question.naming for each in (run, other))
    assert here != there
    classifier = teach([labels]).classifier
    assert classifier.naming == (here,)
    assert doubt_about(classifier, here) is None
    assert "named nuclei otherwise" in str(doubt_about(classifier, there))
    # what the network knows and what is measured does not follow names
    plain = teach([labels], groups=("network", "neighbours")).classifier
    assert doubt_about(plain, there) is None
    # nobody knows of a file of before it was kept
    assert doubt_about(replace(classifier, naming=()), there) is None


def test_labels_of_nuclei_that_were_named_in_two_ways_are_warned_of(run: Run) -> None:
    labels = labelled(run, run.scheme.names, 3)
    both = [labels, replace(labels, run=named_otherwise(run))]
    assert not any("in different ways" in each for each in teach([labels]).warnings)
    taught = teach(both)
    assert any("in different ways" in each for each in taught.warnings)
    for each in both:
        assert doubt_about(taught.classifier, each.run.facts.question.naming) is None
    assert not any("in different ways" in w for w in teach(both, groups=("network",)).warnings)


def test_one_class_is_not_enough(run: Run) -> None:
    with pytest.raises(TeachingError, match="labels name 1 class; label nuclei of at least two"):
        teach([labelled(run, ["epithelial"], 3)], with_anchors=False)
    with pytest.raises(TeachingError, match="nothing is labelled yet; label nuclei of at least"):
        teach([Labels(run, np.array([], int), ())], with_anchors=False)


def test_what_a_classifier_does_not_know_is_not_counted_as_none(run: Run) -> None:
    """Its scheme still has the model's classes: slides had 0 neutrophils to a lymphocyte."""
    labels = labelled(run, ["epithelial", "lymphocyte", "other"], 6)
    assert "neutrophil" in assess(run).counts
    classify(run, teach([labels], with_anchors=False).classifier, name="mine")
    scored = assess(run)
    assert scored.counts["lymphocyte"] > 0
    assert not {"neutrophil", "macrophage"} & {*scored.counts, *scored.to_json()["composition"]}
    assert [each.under for each in describe_run(run).ratios] == ["epithelial"]
    run.journal().correct([5], ["other"], "neutrophil", by="a")
    assert assess(run).counts["neutrophil"] == 1
    assert [each.over for each in describe_run(run).ratios] == ["neutrophil", "lymphocyte"]


def test_corrections_stay_over_the_answer_of_a_classifier(run: Run) -> None:
    run.journal().correct([5], ["epithelial"], "neutrophil", by="a")
    classify(run, teach([labelled(run, run.scheme.names, 5)]).classifier, name="mine")
    table = run.nuclei().set_index("nucleus_id")
    assert table.loc[5, "class_name"] == "neutrophil"
    assert table.loc[5, "class_score"] == 1


def test_probabilities_are_those_of_a_softmax(run: Run) -> None:
    classifier: Classifier = teach([labelled(run, run.scheme.names, 5)]).classifier
    values = np.random.default_rng(0).normal(size=(20, len(classifier.features)))
    usual = classifier.mean + shift_of(values.mean(axis=0), 20, classifier.mean, CENTRING)
    logits = (values - usual) / classifier.scale @ classifier.coefficients.T
    expected = softmax(logits + classifier.intercepts, axis=1)
    found = classifier.probabilities(values.astype(np.float32))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def moved(known: Known, offset: float) -> Known:
    """The same nuclei seen by another scanner: all features are larger by as much."""
    return replace(known, matrix=known.matrix + np.float32(offset))


def test_what_all_nuclei_of_a_run_share_counts_by_the_part_that_is_not_centred(run: Run) -> None:
    classifier = teach([labelled(run, run.scheme.names, 5)]).classifier
    known = Known.of(run, FEATURE_GROUPS)
    alone = replace(classifier, centring=0.0)
    believed = len(known.matrix) / (len(known.matrix) + 100)
    left = 1 - CENTRING * believed
    np.testing.assert_allclose(
        classifier.probabilities(moved(known, 0.2).matrix),
        alone.probabilities(moved(known, 0.2 * left).matrix),
        atol=1e-3,
    )


@given(
    means=st.lists(st.floats(-5, 5), min_size=1, max_size=4),
    centring=st.floats(0, 1),
    counts=st.data(),
)
def test_labels_are_standardised_as_the_nuclei_that_are_answered(
    means: list[float], centring: float, counts: st.DataObject
) -> None:
    """What `teach` learns from and what the classifier does with a whole run are one and the same."""
    rng = np.random.default_rng(0)
    matrices = [
        rng.normal(mean, 1, (counts.draw(st.integers(1, 300)), 2)).astype(np.float32)
        for mean in means
    ]
    standards = standards_of(matrices, centring)
    coefficients = rng.normal(size=(2, 2))
    classifier = Classifier(
        scheme=MONUSAC,
        names=("epithelial", "other"),
        model="tiny",
        model_sha256="a" * 64,
        features=("a", "b"),
        mean=standards.mean,
        scale=standards.scale,
        coefficients=coefficients,
        intercepts=np.zeros(2),
        centring=centring,
    )
    together = []
    for number, each in enumerate(matrices):
        values = standards.standardised(number, each)
        together.append(values)
        odds = np.exp(values @ coefficients.T)
        expected = odds / odds.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(classifier.probabilities(each), expected, atol=1e-3)
    joined = np.concatenate(together)
    usual = joined.std(axis=0)
    assert ((np.abs(usual**2 + joined.mean(axis=0) ** 2 - 1) < 1e-3) | (usual < 1e-3)).all()


def test_a_run_is_answered_as_by_all_features_though_means_of_neighbours_are_never_held(
    run: Run,
) -> None:
    whole = features_of_run(run)
    rng = np.random.default_rng(0)
    taught = teach([labelled(run, run.scheme.names, 5)]).classifier
    assert taught.features == whole.names
    classifier = replace(taught, coefficients=rng.normal(size=taught.coefficients.shape))
    np.testing.assert_allclose(
        probabilities_of(run, classifier), classifier.probabilities(whole.matrix), atol=2e-3
    )


@pytest.mark.parametrize("groups", [("network", "measures", "surroundings"), ("neighbours",)])
def test_a_classifier_is_told_what_it_was_taught_by_and_no_more(
    run: Run, groups: tuple[FeatureGroup, ...]
) -> None:
    """Files of earlier versions know nothing of neighbours, and answer as they did."""
    classifier = teach([labelled(run, run.scheme.names, 5)], groups=groups).classifier
    told = features_of_run(run, groups)
    assert classifier.features == told.names
    found = probabilities_of(run, classifier)
    np.testing.assert_allclose(found, classifier.probabilities(told.matrix), atol=1e-3)
    assert any("mean_network" in name for name in told.names) == ("neighbours" in groups)
