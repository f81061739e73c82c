"""What a TIL assessment gives: every score with what it is made of."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from seg_core.til.cells import COMPARTMENTS
from seg_core.til.compartments import Compartments
from seg_core.til.confusion import Confusion
from seg_core.til.interval import Estimate
from seg_core.til.score import Formula, Score
from seg_core.til.score_settings import TilSettings
from seg_core.til.tumour import Tumour

PhenotypeName = Literal["inflamed", "excluded", "desert"]

DISCLAIMER = (
    "For research only. The compartments are estimated from nuclei; MoNuSAC's epithelium, which the "
    "model has learnt, is benign and malignant alike; the cut-offs of the phenotype belong to another "
    "detector."
)

NO_LYMPHOCYTE = "there is no lymphocyte in the tissue."
"""Why a score that divides by lymphocytes, or is measured from them, has no value."""


@dataclass(frozen=True, slots=True)
class Phenotype:
    """The immune phenotype and the squares it is derived from; where there is none, the reason."""

    name: PhenotypeName | None
    valid_squares: int
    inflamed: int
    excluded: int
    desert: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Colocalisation:
    """Morisita-Horn on squares of one side, beside its value for independent Poisson scatter.

    Where there is no value, the reason.
    """

    square_um: float
    squares: int
    value: float | None
    expected: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Hotspots:
    """Squares with significantly many lymphocytes or epithelial nuclei around (Gi*).

    Shares as in Nawaz et al. 2015; None where there is nothing to divide by.
    """

    squares: int
    lymphocyte: int | None = None
    epithelial: int | None = None
    both: int | None = None
    lymphocyte_share: float | None = None
    """Hotspots of lymphocytes, of all squares."""
    epithelial_share: float | None = None
    both_of_lymphocyte: float | None = None
    """Hotspots of both, of those of lymphocytes."""
    both_of_epithelial: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Distances:
    """From each lymphocyte's centroid to the nearest epithelial one, µm; where there are none, the reason."""

    lymphocytes: int
    share_within: Mapping[str, float | None]
    """By distance in µm, as text: those of the settings, whatever was found."""
    median_um: float | None = None
    low_quartile_um: float | None = None
    high_quartile_um: float | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CrossFunctions:
    """Cross-type L and G, lymphocyte to epithelial, with envelopes of random labelling.

    The envelopes are the least and greatest of all labellings at each radius; None where no
    nucleus lies deep enough in the tissue for the radius.
    """

    nuclei: int
    squares: int
    radius_um: tuple[float, ...] = ()
    l_um: tuple[float | None, ...] = ()
    l_low_um: tuple[float | None, ...] = ()
    l_high_um: tuple[float | None, ...] = ()
    g: tuple[float | None, ...] = ()
    g_low: tuple[float | None, ...] = ()
    g_high: tuple[float | None, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The area score at another dilation."""

    dilation_um: float
    stil_area_pct: float | None
    epithelium_mm2: float
    stroma_mm2: float


@dataclass(frozen=True)
class TilResult:
    """A TIL assessment.

    Attributes
    ----------
    evaluable : bool
    reason : str or None
        Why nothing is scored.
    scores : tuple of Score
        All of them, the primary one first.
    phenotype : Phenotype
    morisita_horn : tuple of Colocalisation
        The first is on the squares of the settings, the others are its sensitivity.
    hotspots : Hotspots
    distances : Distances
    cross : CrossFunctions
    counts : dict of int
        Nuclei in the field by role, those that the model tells apart; lymphocytes also by compartment, *other* in stroma.
    areas_mm2 : dict of float
    sensitivity : tuple of Sensitivity
    curves : Formula
        How L and G are computed, which are no scores.
    settings : TilSettings
    squares : DataFrame
        A row for each square with tissue: ``x_px``, ``y_px`` (corner), ``side_px`` (all level-0
        pixels), areas, counts, densities, Gi* and hotspots.
    phenotype_squares : DataFrame
        A row for each square with tissue, valid or not.
    distances_um : DataFrame
        Of each lymphocyte: ``x``, ``y`` (level-0 pixels), ``distance_um``.
    compartments : Compartments
    confusion : Confusion or None
        How often the model took *other* nuclei for lymphocytes, where that was measured.
    warnings : tuple of str
        What speaks against trusting the numbers of the run.
    version : mapping of str or None
        What a file of the scores says of the names and ROIs that they are of; None where whoever scored
        has not asked before reading them.
    """

    evaluable: bool
    reason: str | None
    scores: tuple[Score, ...]
    phenotype: Phenotype
    morisita_horn: tuple[Colocalisation, ...]
    hotspots: Hotspots
    distances: Distances
    cross: CrossFunctions
    counts: dict[str, int]
    areas_mm2: dict[str, float]
    sensitivity: tuple[Sensitivity, ...]
    curves: Formula
    settings: TilSettings
    squares: pd.DataFrame
    phenotype_squares: pd.DataFrame
    distances_um: pd.DataFrame
    compartments: Compartments
    confusion: Confusion | None = None
    warnings: tuple[str, ...] = ()
    version: Mapping[str, str] | None = None

    def score(self, id: str) -> Score:
        """Return a score by its id; KeyError where there is none of that name."""
        for each in self.scores:
            if each.id == id:
                return each
        raise KeyError(id)

    @property
    def tumour(self) -> Tumour | None:
        """What was drawn as tumour, if anything was: then E and S lie in it."""
        return self.compartments.field.tumour

    @property
    def stil_area_pct(self) -> Estimate:
        """The primary score, % of stroma."""
        return self.scores[0].estimate

    @property
    def tiger_til(self) -> float | None:
        """The TIGER-style score, %."""
        return self.score("tiger_til").estimate.value

    @property
    def density_per_mm2(self) -> dict[str, Estimate]:
        """Lymphocytes in ``tissue``, ``epithelium`` and ``stroma``."""
        return {name: self.score(f"density_per_mm2_{name}").estimate for name in COMPARTMENTS}

    @property
    def etils_pct(self) -> float | None:
        """Lymphocytes among lymphocytes and epithelial nuclei, %."""
        return self.score("etils_pct").estimate.value

    @property
    def intraepithelial_ratio(self) -> float | None:
        """Lymphocytes in epithelium for each epithelial nucleus."""
        return self.score("intraepithelial_ratio").estimate.value

    def per_lymphocyte(self, name: str) -> float | None:
        """Nuclei of a kind for each lymphocyte; None where that is no score."""
        if name == "lymphocyte":
            return 1.0 if self.evaluable and self.counts[name] else None
        return self.score(f"{name}s_per_lymphocyte").estimate.value

    @property
    def formulas(self) -> dict[str, Formula]:
        """How everything is computed, by its key in ``til.json``."""
        methods = [*(each.method for each in self.scores), self.curves]
        return {method.id: method for method in methods}

    def stil_without_false_pct(self, false_share: float) -> float | None:
        """Return what the primary score would be if a share of the lymphocytes in S were false.

        Parameters
        ----------
        false_share : float
            0 to 1, of their area.
        """
        value = self.stil_area_pct.value
        return None if value is None else value * (1 - false_share)

    def to_json(self) -> dict[str, Any]:
        """Return the scores as they stand in ``til.json``; what cannot be had is None."""
        densities = self.density_per_mm2
        return {
            "evaluable": self.evaluable,
            "reason": self.reason,
            "warnings": list(self.warnings),
            "tumour_rois": list(self.tumour.names) if self.tumour else [],
            "stil_area_pct": asdict(self.stil_area_pct),
            "tiger_til": self.tiger_til,
            "density_per_mm2": {name: each.value for name, each in densities.items()},
            "density_per_mm2_interval95": {name: asdict(each) for name, each in densities.items()},
            "etils_pct": self.etils_pct,
            "intraepithelial_ratio": self.intraepithelial_ratio,
            "phenotype": self.phenotype.name,
            "phenotype_detail": asdict(self.phenotype),
            "morisita_horn": self.morisita_horn[0].value,
            "morisita_horn_detail": [asdict(each) for each in self.morisita_horn],
            "hotspots": asdict(self.hotspots),
            "distances": asdict(self.distances),
            "cross": _plain(asdict(self.cross)),
            "composition": {
                name: {
                    "count": self.counts[name],
                    "per_lymphocyte": self.per_lymphocyte(name),
                }
                for name in ("lymphocyte", "macrophage", "neutrophil")
                if name in self.counts
            },
            "counts": self.counts,
            "areas_mm2": self.areas_mm2,
            "sensitivity": [asdict(each) for each in self.sensitivity],
            "scores": {each.id: each.value for each in self.scores},
            "reasons": {
                each.id: each.estimate.reason for each in self.scores if each.value is None
            },
            "formulas": {name: each.to_json() for name, each in self.formulas.items()},
            "confusion": self._confusion_to_json(),
            "settings": self.settings.to_json(),
            "disclaimer": DISCLAIMER,
        }

    def _confusion_to_json(self) -> dict[str, Any] | None:
        if self.confusion is None:
            return None
        return {
            **asdict(self.confusion),
            "share_of_other": self.confusion.share_of_other,
            "share_of_lymphocytes": self.confusion.share_of_lymphocytes,
            "stil_area_pct_without": self.stil_without_false_pct(
                self.confusion.share_of_lymphocytes
            ),
        }


@dataclass(frozen=True)
class AssessedPart:
    """The scores of a part, or the reason why it has none."""

    name: str
    result: TilResult | None
    reason: str | None = None


def known(values: Any) -> tuple[float | None, ...]:
    """Return numbers with None for NaN, which JSON has no word for.

    Examples
    --------
    >>> known([1, float("nan")])
    (1.0, None)
    """
    return tuple(None if math.isnan(value) else float(value) for value in values)


def _plain(entries: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in entries.items()
    }
