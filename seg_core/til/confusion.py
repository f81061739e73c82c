"""How often a model takes other nuclei for lymphocytes: what an area score stands or falls with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seg_core.classes import MONUSAC, OTHER, ClassScheme


@dataclass(frozen=True, slots=True)
class Confusion:
    """What a model called the *other* nuclei of labelled images.

    Attributes
    ----------
    data : str
        Which images, by the name of the entry in the model's card.
    other : int
        *Other* nuclei (fibroblasts, endothelium, muscle) that were labelled there.
    other_as_lymphocyte : int
        Those of them that the model called lymphocytes.
    called_lymphocyte : int
        All labelled nuclei that the model called lymphocytes.
    """

    data: str
    other: int
    other_as_lymphocyte: int
    called_lymphocyte: int

    @property
    def share_of_other(self) -> float:
        """Share of the *other* nuclei that the model called lymphocytes, 0 to 1."""
        return self.other_as_lymphocyte / self.other

    @property
    def share_of_lymphocytes(self) -> float:
        """Share of what the model called lymphocytes that was *other*, 0 to 1.

        It depends on how many *other* nuclei there were for each lymphocyte.
        """
        if not self.called_lymphocyte:
            return 0.0
        return self.other_as_lymphocyte / self.called_lymphocyte

    @property
    def other_per_lymphocyte(self) -> float:
        """*Other* nuclei for each nucleus called lymphocyte."""
        return self.other / self.called_lymphocyte if self.called_lymphocyte else float("inf")


def confusion_of(metrics: Mapping[str, Any], scheme: ClassScheme = MONUSAC) -> Confusion | None:
    """Read the confusion off a model card, from the entry with most *other* nuclei.

    Parameters
    ----------
    metrics : mapping
        Of a `ModelCard`: entries that ``evaluate --card`` has written hold ``instance`` with
        ``vote_confusion``, the labelled nuclei by the class of most of their pixels.
    scheme : ClassScheme
        Classes of the model, which say what it calls lymphocytes.

    Returns
    -------
    confusion : Confusion or None
        None where no entry has labelled *other* nuclei, or the model calls nothing lymphocytes.

    Examples
    --------
    >>> votes = {"rows": ["lymphocyte", "other"], "columns": ["lymphocyte", "other"],
    ...          "counts": [[90, 10], [10, 190]]}
    >>> found = confusion_of({"held out": {"instance": {"vote_confusion": votes}}})
    >>> found.share_of_other, found.share_of_lymphocytes
    (0.05, 0.1)
    """
    entries = [
        _of_votes(name, entry["instance"]["vote_confusion"], scheme.names_of_role("lymphocyte"))
        for name, entry in metrics.items()
        if isinstance(entry, Mapping) and entry.get("instance", {}).get("vote_confusion")
    ]
    measured = [each for each in entries if each is not None and each.other]
    return max(measured, key=lambda each: each.other, default=None)


def _of_votes(
    name: str, votes: Mapping[str, Any], lymphocytes: tuple[str, ...]
) -> Confusion | None:
    columns = [votes["columns"].index(each) for each in lymphocytes if each in votes["columns"]]
    if OTHER not in votes["rows"] or not columns:
        return None
    called = [sum(row[column] for column in columns) for row in votes["counts"]]
    other = votes["rows"].index(OTHER)
    return Confusion(
        data=name,
        other=sum(votes["counts"][other]),
        other_as_lymphocyte=called[other],
        called_lymphocyte=sum(called),
    )
