"""The taught classifier that is to name the nuclei of a cohort."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from seg_core.teaching.classifier import Classifier, read_classifier


@dataclass(frozen=True)
class NamedClassifier:
    """A classifier, and what it is called where a run is shown; it travels to workers.

    Attributes
    ----------
    name : str
    classifier : Classifier
    """

    name: str
    classifier: Classifier

    @classmethod
    def read(cls, path: Path) -> "NamedClassifier":
        """Read a file that teach has written; `seg_core.errors.TeachingError` where it is none."""
        return cls(path.stem, read_classifier(path))

    @cached_property
    def sha256(self) -> str:
        """What no other classifier has."""
        return self.classifier.sha256
