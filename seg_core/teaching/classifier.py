"""A taught classifier: a value, and the JSON file it travels in.

The file holds numbers and words only, so reading one runs nothing. Whoever made it, it is checked
as a whole before it is used: sizes that fit, numbers that are finite, names that can be shown.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from seg_core.classes import ClassScheme, require_showable
from seg_core.errors import ModelError, TeachingError
from seg_core.files.atomic import new_file
from seg_core.teaching.centring import shift_of
from seg_core.teaching.weighing import weighed

KIND = "nucleus classifier"

# Of files without and with a centring; a version that knows none must not answer as if there were none.
_PLAIN, _CENTRED = 1, 2

_MOST_BYTES = 16 * 2**20
_MOST_CLASSES = 100

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Classifier:
    """Multinomial logistic regression on standardised features.

    Attributes
    ----------
    scheme : ClassScheme
        Names, colours and roles of the classes it tells apart; *other* may be one of ``names``.
    names : tuple of str
        The classes in the order of the coefficients.
    model, model_sha256 : str
        Whose features it was taught on; no other model's mean the same.
    naming : tuple of str
        How that model's nuclei were named, of which it was taught; see `seg_core.question.naming_of`.
        Empty where the file is of before this was kept.
    features : tuple of str
        Their names; see `seg_core.teaching.features`.
    mean, scale : (F,) float64
        What is subtracted and what is divided by.
    coefficients : (K, F) float64
    intercepts : (K,) float64
    centring : float
        How far features are moved, see `seg_core.teaching.centring`; 0: not at all.
    labels : dict
        Number of labels by class and by the slide's file name.
    figures : dict
        Cross-validated; see `seg_core.teaching.validation`.
    """

    scheme: ClassScheme
    names: tuple[str, ...]
    model: str
    model_sha256: str
    features: tuple[str, ...]
    mean: _Floats
    scale: _Floats
    coefficients: _Floats
    intercepts: _Floats
    centring: float = 0.0
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)
    naming: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, shape in (
            ("mean", (len(self.features),)),
            ("scale", (len(self.features),)),
            ("coefficients", (len(self.names), len(self.features))),
            ("intercepts", (len(self.names),)),
        ):
            values = getattr(self, name)
            if values.shape != shape or not np.isfinite(values).all():
                raise TeachingError(
                    f"the classifier's {name} are not {' × '.join(map(str, shape))} finite "
                    "numbers; teach it anew."
                )
        if not (self.scale > 0).all():
            raise TeachingError("the classifier divides by 0; teach it anew.")
        if not 0 <= self.centring <= 1:
            raise TeachingError(
                f"the classifier's centring is {self.centring:g}, not 0 to 1; teach it anew."
            )
        if not 2 <= len(self.names) <= _MOST_CLASSES or len(set(self.names)) < len(self.names):
            raise TeachingError(
                f"the classifier tells {len(set(self.names))} classes apart; teach it 2 to "
                f"{_MOST_CLASSES}."
            )
        if set(self.names) - set(self.scheme.names_with_other):
            raise TeachingError("the classifier names classes without a colour; teach it anew.")

    @property
    def slopes(self) -> npt.NDArray[np.float32]:
        """How each feature as it is, neither centred nor standardised, counts for each class, (K, F)."""
        return (self.coefficients / self.scale).astype(np.float32)

    def probabilities(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return how probable each class is for each nucleus.

        Parameters
        ----------
        values : (N, F) float32
            Of all nuclei of one run: their mean is what is usual there.

        Returns
        -------
        (N, K) float32
        """
        return self.probabilities_by(weighed(values, self.slopes))

    def probabilities_by(self, sums: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return how probable each class is, from the features of all nuclei of a run, weighed.

        Parameters
        ----------
        sums : (N, K) float32
            Features, weighed by the slopes and added up.

        Returns
        -------
        (N, K) float32
        """
        usual = self.slopes @ self.mean
        if self.centring and len(sums):
            # the weighed sum of the means is the mean of the weighed sums
            own = sums.mean(axis=0, dtype=np.float64)
            usual = usual + shift_of(own, len(sums), usual, self.centring)
        offsets = (self.intercepts - usual).astype(np.float32)
        return np.asarray(softmax(sums + offsets, axis=1))

    def refuse_other_model(self, model: str, sha256: str) -> None:
        """Refuse nuclei that another model has found.

        Raises
        ------
        TeachingError
        """
        if self.model_sha256 != sha256:
            raise TeachingError(
                f"the classifier was taught on what the model {self.model} sees, the run was made by "
                f"{model}; analyse the slide with {self.model}, or teach anew."
            )

    @property
    def sha256(self) -> str:
        """What no other classifier has."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what stands in the file."""
        return {
            "kind": KIND,
            **(
                {"format": _CENTRED, "centring": self.centring}
                if self.centring
                else {"format": _PLAIN}
            ),
            "model": {
                "name": self.model,
                "sha256": self.model_sha256,
                **({"naming": list(self.naming)} if self.naming else {}),
            },
            "classes": self.scheme.to_json(),
            "names": list(self.names),
            "features": list(self.features),
            **{
                name: getattr(self, name).tolist()
                for name in ("mean", "scale", "coefficients", "intercepts")
            },
            "labels": self.labels,
            "figures": self.figures,
        }

    @classmethod
    def from_json(cls, entries: dict[str, Any]) -> "Classifier":
        """Read what `to_json` gave; KeyError, TypeError, ValueError or SegCoreError otherwise."""
        scheme = ClassScheme.from_json(entries["classes"])
        for each in scheme.classes:
            require_showable(each.name, each.colour)
        labels = {
            str(name): {str(slide): int(count) for slide, count in slides.items()}
            for name, slides in entries["labels"].items()
        }
        figures = entries["figures"]
        if not isinstance(figures, dict):
            raise TypeError("figures are no object")
        return cls(
            scheme=scheme,
            names=_words(entries["names"]),
            model=str(entries["model"]["name"]),
            model_sha256=str(entries["model"]["sha256"]),
            features=_words(entries["features"]),
            mean=np.asarray(entries["mean"], np.float64),
            scale=np.asarray(entries["scale"], np.float64),
            coefficients=np.asarray(entries["coefficients"], np.float64),
            intercepts=np.asarray(entries["intercepts"], np.float64),
            centring=float(entries["centring"]) if entries["format"] == _CENTRED else 0.0,
            labels=labels,
            figures=figures,
            naming=_words(entries["model"].get("naming", [])),
        )


def read_classifier(path: Path) -> Classifier:
    """Read a classifier.

    Raises
    ------
    TeachingError
        If the file cannot be read or holds no whole classifier.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise TeachingError(
                f"{path.name} is larger than {_MOST_BYTES // 2**20} MB, which no classifier is; "
                "give the file that teach has written."
            )
        entries = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(entries, dict) or entries.get("kind") != KIND:
            raise TeachingError(
                f"{path.name} is no classifier of nuclei; give the file that teach has written."
            )
        if entries.get("format") not in (_PLAIN, _CENTRED):
            raise TeachingError(
                f"{path.name} was written by another version of this program; teach it anew."
            )
        return Classifier.from_json(entries)
    except OSError as error:
        raise TeachingError(
            f"{path.name} cannot be read ({error.strerror or error}); give the file that teach has "
            "written."
        ) from error
    except ModelError as error:
        raise TeachingError(f"{path.name} is no classifier: {error}") from error
    except (
        *(ValueError, KeyError, TypeError, AttributeError),
        *(OverflowError, RecursionError, MemoryError),
    ) as error:
        raise TeachingError(
            f"{path.name} is damaged ({type(error).__name__}); teach the classifier anew."
        ) from error


def write_classifier(classifier: Classifier, path: Path, *, force: bool = False) -> None:
    """Write a classifier, whole or not at all.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    """
    with new_file(path, force=force) as temporary:
        temporary.write_text(json.dumps(classifier.to_json(), indent=1, allow_nan=False), "utf-8")


def _words(entries: object) -> tuple[str, ...]:
    if not isinstance(entries, list) or not all(isinstance(each, str) for each in entries):
        raise TypeError("not a list of words")
    return tuple(entries)
