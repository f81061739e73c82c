"""Answer the nuclei of a run by a taught classifier."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.errors import TeachingError
from seg_core.store import Run
from seg_core.store.answer import Answer, write_answer
from seg_core.store.said import place_to_say
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.features import FEATURE_GROUPS, FeatureGroup, features_of_run


def classify(run: Run, classifier: Classifier, *, name: str) -> Run:
    """Let a classifier name the nuclei of a run; what was corrected stays corrected.

    Parameters
    ----------
    run : Run
        Finished.
    classifier : Classifier
    name : str
        What the classifier is called where the run is shown.

    Returns
    -------
    run : Run
        With the classifier's answer.

    Raises
    ------
    TeachingError
        If the classifier was taught on another model's features.
    StoreError
        If the run keeps no features, or cannot be written.
    """
    probabilities = probabilities_of(run, classifier)
    best = probabilities.argmax(axis=1)
    table = pd.DataFrame(
        {
            "nucleus_id": run.found_columns(["nucleus_id"])["nucleus_id"].to_numpy(),
            "class_name": np.array(classifier.names, dtype=object)[best],
            "class_score": probabilities[np.arange(len(best)), best],
        }
    )
    answer = Answer(
        name,
        classifier.scheme,
        classifier.names,
        table,
        classifier.figures,
        classifier.sha256,
        run.nuclei_checksum,
    )
    write_answer(place_to_say(run), answer)
    return run


def probabilities_of(run: Run, classifier: Classifier) -> npt.NDArray[np.float32]:
    """Return how probable each of the classifier's classes is for each nucleus that was found.

    Returns
    -------
    (N, K) float32
        In the order in which they were found.

    Raises
    ------
    TeachingError, StoreError
        As `classify` does.
    """
    question = run.facts.question
    classifier.refuse_other_model(question.model, question.model_sha256)
    own = run.model_scheme.names
    if classifier.scheme.names[: len(own)] != own:
        raise TeachingError(
            f"the classifier does not begin with the model's classes ({', '.join(own)}); teach it "
            "anew."
        )
    found = features_of_run(run, _groups_of(classifier))
    if found.names != classifier.features:
        raise TeachingError(
            "the classifier knows nuclei by other features than this run keeps; teach it anew."
        )
    return classifier.probabilities(found.matrix)


def _groups_of(classifier: Classifier) -> tuple[FeatureGroup, ...]:
    """Return the groups that the classifier's features are of."""
    first = {"network": "network_", "surroundings": "density_"}
    return tuple(
        group
        for group in FEATURE_GROUPS
        if (
            any(name.startswith(first[group]) for name in classifier.features)
            if group in first
            else "area_um2" in classifier.features
        )
    )
