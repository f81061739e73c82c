"""Nuclei that stand in for classes of the model which nobody has labelled."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seg_core.teaching.centring import CENTRING
from seg_core.teaching.features import is_of_neighbours
from seg_core.teaching.fitting import fitted
from seg_core.teaching.known import Known
from seg_core.teaching.labels import Labels
from seg_core.teaching.standards import standards_of

ANCHORS = 30
"""Of a class, over all runs."""

MOST_ALIKE = 0.5
"""An anchor is none that is this much as probably of a labelled class as of its own."""

SEED = 0
"""Of the draw: the same labels teach the same."""

# Strongly regularised: what tells labels from anchors by chance must not count.
_STRENGTH = 0.003

_DRAWN = 8 * ANCHORS


def find_anchors(labels: Sequence[Labels], known: Sequence[Known]) -> list[dict[int, str]]:
    """Draw nuclei of classes without labels, as the model names them.

    The more certain half of each class is drawn from, which keeps its variety. A classifier of labels
    and drawn nuclei then says which of these look more like a labelled class: the model erred there
    as it did where it was corrected, and they are left out.

    Parameters
    ----------
    labels : sequence of Labels
    known : sequence of Known
        Of the runs of the labels.

    Returns
    -------
    anchors : list of dict
        For each run, class by id of nucleus.
    """
    labelled = {name for each in labels for name in each.names}
    drawn = [_draw(each, k, labelled, len(labels)) for each, k in zip(labels, known, strict=True)]
    stood_in = sorted({name for each in drawn for name in each.values()})
    if not stood_in:
        return drawn
    names = [*sorted(labelled), *stood_in]
    # what stands in for a class should look like it, wherever it stands
    own = sum(not is_of_neighbours(name) for name in known[0].features) or None
    standards = standards_of([each.matrix[:, :own] for each in known], CENTRING)
    ids = [each.nucleus_ids for each in labels], [np.array(list(d), np.int64) for d in drawn]
    values = np.concatenate(
        [
            standards.standardised(run, k.rows(each)[:, :own])
            for kind in ids
            for run, (k, each) in enumerate(zip(known, kind, strict=True))
        ]
    )
    said = [name for each in labels for name in each.names]
    lent = [name for each in drawn for name in each.values()]
    truth = np.array([names.index(name) for name in (*said, *lent)])
    odds = fitted(values, truth, len(names), _STRENGTH).probabilities(values[len(said) :])
    own_odds = odds[np.arange(len(lent)), truth[len(said) :]]
    alike = odds[:, : len(labelled)].max(axis=1) / own_odds
    return _kept(drawn, alike < MOST_ALIKE, len(labels))


def _draw(labels: Labels, known: Known, labelled: set[str], runs: int) -> dict[int, str]:
    generator = np.random.default_rng(SEED)
    # what somebody has corrected is not what the model took it for, and perhaps no nucleus at all
    taken = {*labels.nucleus_ids.tolist(), *labels.run.journal().said()}
    drawn: dict[int, str] = {}
    for name, rows in known.table.groupby("class_name", sort=True):
        if name in labelled:
            continue
        surest = rows[rows["class_score"] >= rows["class_score"].median()]
        ids = surest["nucleus_id"].to_numpy()
        ids = ids[[number not in taken for number in ids.tolist()]]
        most = min(len(ids), -(-_DRAWN // runs))
        chosen = generator.choice(ids, most, replace=False)
        drawn |= dict.fromkeys(chosen.tolist(), str(name))
    return drawn


def _kept(
    drawn: Sequence[dict[int, str]], keep: npt.NDArray[np.bool_], runs: int
) -> list[dict[int, str]]:
    kept: list[dict[int, str]] = []
    flags = iter(keep.tolist())
    for each in drawn:
        counts: dict[str, int] = {}
        own: dict[int, str] = {}
        for number, name in each.items():
            if next(flags) and counts.get(name, 0) < -(-ANCHORS // runs):
                counts[name] = counts.get(name, 0) + 1
                own[number] = name
        kept.append(own)
    return kept
