"""What a classifier changes in a run before it is applied: counts, and where."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seg_core.store import Run, Selection
from seg_core.teaching.apply import probabilities_of
from seg_core.teaching.classifier import Classifier

PLACE_UM = 200.0
"""Side of the squares by which the places that change most are told."""


@dataclass(frozen=True)
class Changes:
    """The nuclei of a run as they are called now, and as a classifier would call them.

    Attributes
    ----------
    run : Run
    before, after : dict of str to int
        Number of nuclei by name, what was corrected by hand as it was corrected.
    changed : DataFrame
        ``nucleus_id``, ``x``, ``y`` (level-0 pixels), ``before``, ``after``.
    """

    run: Run
    before: dict[str, int]
    after: dict[str, int]
    changed: pd.DataFrame

    def places(self, most: int) -> pd.DataFrame:
        """Return the squares of `PLACE_UM` in which most nuclei change.

        Returns
        -------
        DataFrame
            ``x``, ``y``: middle of the square, level-0 pixels; ``nuclei``: how many change;
            ``change``: the most frequent change in words.
        """
        side = PLACE_UM / self.run.slide_mpp
        columns = ["x", "y", "nuclei", "change"]
        if self.changed.empty:
            return pd.DataFrame(columns=columns)
        squares = (self.changed[["x", "y"]] // side).astype(int)
        words = self.changed["before"] + " → " + self.changed["after"]
        found = (
            pd.DataFrame({"x": squares["x"], "y": squares["y"], "change": words})
            .groupby(["x", "y"])["change"]
            .agg(nuclei="size", change=lambda each: each.mode().iloc[0])
            .reset_index()
            .sort_values("nuclei", ascending=False, kind="stable")
            .head(most)
        )
        middles = {axis: (found[axis] + 0.5) * side for axis in ("x", "y")}
        return found.assign(**middles)[columns].reset_index(drop=True)


def changes_by(run: Run, classifier: Classifier) -> Changes:
    """Ask a classifier what it would change in a run, as the run is called now.

    Raises
    ------
    TeachingError, StoreError
        As `seg_core.teaching.apply.classify` does.
    """
    answers = np.array(classifier.names, object)[probabilities_of(run, classifier).argmax(axis=1)]
    found = run.found_columns(["nucleus_id", "x", "y"])
    everything = Selection(run.scheme.names_with_other)
    now = run.nucleus_queries().columns(everything, ["nucleus_id", "class_name"])
    named = found["nucleus_id"].map(now.set_index("nucleus_id")["class_name"])
    table = found.assign(before=named, after=answers)
    table = table[table["before"].notna()]
    said = {number: each.name for number, each in run.journal().said().items()}
    corrected = table["nucleus_id"].map(said)
    table = table.assign(after=table["after"].where(corrected.isna(), corrected))
    return Changes(
        run,
        dict(Counter(table["before"])),
        dict(Counter(table["after"])),
        table[table["before"] != table["after"]].reset_index(drop=True),
    )
