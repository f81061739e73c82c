"""The one list of the scores: each with its label, formula, unit and source."""

from collections.abc import Iterator
from dataclasses import dataclass

from seg_core.digits import in_digits
from seg_core.til.field import MM2_PER_UM2
from seg_core.til.interval import Estimate
from seg_core.til.result import NO_LYMPHOCYTE, Colocalisation, Distances, Hotspots, Phenotype
from seg_core.til.score import Formula, Score
from seg_core.til.score_settings import TilSettings


@dataclass(frozen=True)
class Inputs:
    """Areas and counts of a field."""

    areas_mm2: dict[str, float]
    counts: dict[str, int]
    lymphocytes_in_stroma_um2: float


@dataclass(frozen=True)
class ScoreList:
    """Makes the scores of an assessment, each in a method of its own.

    Attributes
    ----------
    inputs : Inputs
    settings : TilSettings
    reason : str or None
        Why nothing is scored.
    """

    inputs: Inputs
    settings: TilSettings
    reason: str | None

    def area(self, estimate: Estimate) -> Score:
        """Give the primary score: the share of the stroma that lymphocytes cover."""
        areas = self.inputs.areas_mm2
        method = Formula(
            "stil_area_pct",
            "100 · Σ area(lymphocytes in S) / area(S)",
            "% of stroma",
            "easTILs%: Bai et al. 2021, Fanucci et al. 2023",
            {
                "lymphocytes_in_stroma_mm2": self.inputs.lymphocytes_in_stroma_um2 * MM2_PER_UM2,
                "stroma_mm2": areas["stroma"],
            },
        )
        return Score("stil_area_pct", "sTIL area", estimate, method)

    def tiger(self) -> Score:
        """Give the score after TIGER's baseline: each lymphocyte covers a box."""
        settings, areas = self.settings, self.inputs.areas_mm2
        in_s = self.inputs.counts["lymphocyte_in_stroma"]
        value = None
        if self.reason is None:
            covered_mm2 = in_s * settings.tiger_nucleus_um2 * MM2_PER_UM2
            value = min(100.0, 100 * covered_mm2 / areas["stroma"])
        method = Formula(
            "tiger_til",
            f"min(100, 100 · n_L(S) · {settings.tiger_nucleus_um2:g} µm² / area(S))",
            "% of stroma",
            "after the baseline of the TIGER challenge (2022)",
            {"lymphocytes_in_stroma": in_s, "stroma_mm2": areas["stroma"]},
        )
        return Score("tiger_til", "TIGER-style", self._plain(value), method)

    def densities(self, estimates: dict[str, Estimate]) -> Iterator[Score]:
        """Give the lymphocytes per mm² of each compartment."""
        counts, areas = self.inputs.counts, self.inputs.areas_mm2
        method = Formula(
            "density_per_mm2",
            "n_L / area, in tissue, E and S",
            "per mm²",
            "International TILs Working Group: Hendry et al. 2017",
            {
                "lymphocytes": counts["lymphocyte"],
                "tissue_mm2": areas["tissue"],
                "lymphocytes_in_epithelium": counts["lymphocyte_in_epithelium"],
                "epithelium_mm2": areas["epithelium"],
                "lymphocytes_in_stroma": counts["lymphocyte_in_stroma"],
                "stroma_mm2": areas["stroma"],
            },
        )
        for name, estimate in estimates.items():
            yield Score(f"density_per_mm2_{name}", f"Lymphocytes in {name}", estimate, method)

    def etils(self) -> Score:
        """Give the share of lymphocytes among lymphocytes and epithelial nuclei."""
        n_l, n_e = self.inputs.counts["lymphocyte"], self.inputs.counts["epithelial"]
        value = 100 * n_l / (n_l + n_e) if self.reason is None else None
        method = Formula(
            "etils_pct",
            "100 · n_L / (n_L + n_E)",
            "% of nuclei",
            "eTILs%: Bai et al. 2021",
            {"lymphocytes": n_l, "epithelial": n_e},
        )
        return Score("etils_pct", "eTILs", self._plain(value), method)

    def intraepithelial_ratio(self) -> Score:
        """Give the lymphocytes in epithelium for each epithelial nucleus."""
        in_e, n_e = (
            self.inputs.counts[name] for name in ("lymphocyte_in_epithelium", "epithelial")
        )
        value = in_e / n_e if self.reason is None else None
        method = Formula(
            "intraepithelial_ratio",
            "n_L(E) / n_E",
            "lymphocytes per epithelial nucleus",
            "after Yuan 2015",
            {"lymphocytes_in_epithelium": in_e, "epithelial": n_e},
        )
        return Score("intraepithelial_ratio", "Intraepithelial ratio", self._plain(value), method)

    def phenotype(self, found: Phenotype) -> Score:
        """Give the immune phenotype, a category."""
        settings = self.settings
        method = Formula(
            "phenotype",
            f"square inflamed if n_L(E) / area(E) ≥ {settings.inflamed_per_mm2:g}/mm², else "
            f"excluded if n_L(S) / area(S) ≥ {settings.excluded_per_mm2:g}/mm², else desert; slide "
            f"inflamed, else excluded, if more than {100 * settings.phenotype_share:.1f} % of the "
            "squares are, else desert",
            "category",
            "Park et al. 2022; research cut-offs of another detector",
            {"square_um": settings.phenotype_square_um},
        )
        squares = (
            f"valid squares {found.valid_squares}, inflamed {found.inflamed}, "
            f"excluded {found.excluded}, desert {found.desert}"
        )
        estimate = Estimate(None, reason=found.reason)
        return Score(
            "phenotype",
            "Immune phenotype",
            estimate,
            method,
            category=found.name,
            other_inputs=squares,
        )

    def morisita_horn(self, found: tuple[Colocalisation, ...]) -> Iterator[Score]:
        """Give how alike lymphocytes and epithelium are spread, for squares of each side."""
        settings = self.settings
        method = Formula(
            "morisita_horn",
            "2 Σ lᵢ eᵢ / ((Σ lᵢ² / L² + Σ eᵢ² / E²) L E); independent Poisson scatter: "
            "1 / (1 + (1/λ_L + 1/λ_E) / 2)",
            "0 to 1",
            "Horn 1966, Maley et al. 2015",
            {"square_um": settings.square_um},
        )
        for each in found:
            expected = in_digits(each.expected, 4)
            yield Score(
                f"morisita_horn_{each.square_um:g}_um",
                f"Morisita-Horn, {each.square_um:,g} µm",
                Estimate(each.value, reason=each.reason),
                method,
                other_inputs=f"squares {each.squares}, Poisson scatter would give {expected}",
            )

    def hotspots(self, found: Hotspots) -> Iterator[Score]:
        """Give the shares of squares that are hotspots."""
        settings = self.settings
        method = Formula(
            "hotspots",
            "Gi* of the densities, queen neighbours and itself, one-sided normal p, "
            f"Benjamini-Hochberg at {settings.false_discovery_rate:g}",
            "squares and shares",
            "Ord and Getis 1995, Benjamini and Hochberg 1995, Nawaz et al. 2015",
            {"square_um": settings.square_um},
        )
        for name, label, value, of in (
            (
                "lymphocyte_share",
                "Hotspots of lymphocytes, share of squares",
                found.lymphocyte_share,
                None,
            ),
            (
                "epithelial_share",
                "Hotspots of epithelium, share of squares",
                found.epithelial_share,
                None,
            ),
            (
                "both_of_lymphocyte",
                "Hotspots of both, share of those of lymphocytes",
                found.both_of_lymphocyte,
                "lymphocytes",
            ),
            (
                "both_of_epithelial",
                "Hotspots of both, share of those of epithelium",
                found.both_of_epithelial,
                "epithelium",
            ),
        ):
            reason = found.reason
            if reason is None and value is None:
                reason = f"there is no hotspot of {of}."
            yield Score(
                f"hotspots_{name}",
                label,
                Estimate(value, reason=reason),
                method,
                other_unit="0 to 1",
                other_inputs=f"squares {found.squares}",
            )

    def distances(self, found: Distances) -> Iterator[Score]:
        """Give the median distance of lymphocytes to epithelium, and how many are near."""
        n_l, n_e = self.inputs.counts["lymphocyte"], self.inputs.counts["epithelial"]
        method = Formula(
            "distances",
            "centroid of a lymphocyte to the nearest epithelial centroid",
            "µm",
            "nearest neighbour, KD-tree",
            {"lymphocytes": n_l, "epithelial": n_e},
        )
        median = Estimate(found.median_um, reason=found.reason)
        yield Score("distance_median_um", "Distance to epithelium, median", median, method)
        for near, share in found.share_within.items():
            yield Score(
                f"share_within_{near}_um",
                f"Lymphocytes within {near} µm",
                Estimate(share, reason=found.reason),
                method,
                other_unit="0 to 1",
            )

    def composition(self) -> Iterator[Score]:
        """Give the macrophages and neutrophils per lymphocyte."""
        counts = self.inputs.counts
        method = Formula(
            "composition",
            "n_L : n_macrophage : n_neutrophil",
            "nuclei",
            "counts in tissue",
            {
                name: counts[name]
                for name in ("lymphocyte", "macrophage", "neutrophil")
                if name in counts
            },
        )
        for name in ("macrophage", "neutrophil"):
            yield Score(
                f"{name}s_per_lymphocyte",
                f"{name.capitalize()}s per lymphocyte",
                self._per_lymphocyte(name),
                method,
                other_unit="ratio",
            )

    def _per_lymphocyte(self, name: str) -> Estimate:
        counts = self.inputs.counts
        if self.reason is not None:
            return Estimate(None, reason=self.reason)
        if name not in counts:
            return Estimate(
                None,
                reason="the model, or the classifier that named the nuclei, does not tell "
                f"{name}s from other nuclei.",
            )
        if not counts["lymphocyte"]:
            return Estimate(None, reason=NO_LYMPHOCYTE)
        return Estimate(counts[name] / counts["lymphocyte"])

    def _plain(self, value: float | None) -> Estimate:
        return Estimate(value, reason=self.reason)


def cross_formula(settings: TilSettings) -> Formula:
    """Return the formula of the cross-type L and G, which are curves and no scores."""
    return Formula(
        "cross",
        "L(r) = √(K(r) / π), K(r) = Σ pairs / (λ_E · Σ centres), G(r) = share of centres with "
        "an epithelial nucleus within r; centres: lymphocytes deeper in the tissue than r",
        "µm; share",
        "Ripley 1976, Baddeley, Rubak and Turner 2015; random labelling: Diggle 2013",
        {"labellings": settings.labellings, "seed": settings.seed},
    )
