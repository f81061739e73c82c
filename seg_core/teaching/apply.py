"""Answer the nuclei of a run by a taught classifier."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.errors import TeachingError
from seg_core.store import Run
from seg_core.store.answer import Answer, write_answer
from seg_core.store.said import place_to_say
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.features import (
    FEATURE_GROUPS,
    FeatureGroup,
    depend_on_names,
    features_of_run,
    is_of_neighbours,
    neighbour_names,
    neighbours_of,
    network_names,
)
from seg_core.teaching.weighing import weighed


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
    classes = run.model_scheme.names
    if classifier.scheme.names[: len(classes)] != classes:
        raise TeachingError(
            f"the classifier does not begin with the model's classes ({', '.join(classes)}); teach it "
            "anew."
        )
    return classifier.probabilities_by(_sums(run, classifier))


def doubt_about(classifier: Classifier, naming: str) -> str | None:
    """Return what to be told before a classifier names nuclei that were found with other names.

    Its features count the classes around a nucleus and the votes for its own, as the model gave them.

    Parameters
    ----------
    classifier : Classifier
    naming : str
        Of the question that found the nuclei; see `seg_core.question.naming_of`.

    Returns
    -------
    sentence : str or None
        None where there is nothing to doubt, or nothing is known.
    """
    if not classifier.naming or naming in classifier.naming:
        return None
    if not depend_on_names(classifier.features):
        return None
    return (
        "the classifier was taught where the same model named nuclei otherwise, with another context "
        "head or other weights of votes, and may answer some nuclei differently here; analyse and "
        "teach with one version of the model for answers that compare."
    )


def _sums(run: Run, classifier: Classifier) -> npt.NDArray[np.float32]:
    """Weigh features group by group: what the network knows is never held as float32."""
    groups, slopes = _groups_of(classifier), classifier.slopes
    around = tuple(group for group in groups if group in ("measures", "surroundings"))
    told = features_of_run(run, around)
    near = neighbours_of(run) if {"network", "neighbours"} & {*groups} else None
    count = 0 if near is None else near.known.shape[1]
    network = network_names(count) if "network" in groups else ()
    neighbours = neighbour_names(count) if "neighbours" in groups else ()
    if (*network, *told.names, *neighbours) != classifier.features:
        raise TeachingError(
            "the classifier knows nuclei by other features than this run keeps; teach it anew."
        )
    first, last = len(network), len(network) + len(told.names)
    sums = weighed(told.matrix, slopes[:, first:last])
    if near is not None and network:
        sums += weighed(near.known, slopes[:, :first])
    if near is not None and neighbours:
        sums += near.weighed_means(slopes[:, last:])
    return sums


def _groups_of(classifier: Classifier) -> tuple[FeatureGroup, ...]:
    """Return the groups that the classifier's features are of."""
    of: dict[FeatureGroup, Callable[[str], bool]] = {
        "network": lambda name: name.startswith("network_"),
        "measures": lambda name: name == "area_um2",
        "surroundings": lambda name: name.startswith("density_"),
        "neighbours": is_of_neighbours,
    }
    return tuple(group for group in FEATURE_GROUPS if any(map(of[group], classifier.features)))
