"""Every score in words: its formula, unit and source, with the numbers that go in."""

from dataclasses import dataclass

from seg_core.til.field import MM2_PER_UM2
from seg_core.til.result import Formula
from seg_core.til.settings import TilSettings


@dataclass(frozen=True)
class Inputs:
    """Areas and counts of a field."""

    areas_mm2: dict[str, float]
    counts: dict[str, int]
    lymphocytes_in_stroma_um2: float


def formulas_of(inputs: Inputs, settings: TilSettings) -> dict[str, Formula]:
    """Return the formula of every score, by its name in `TilResult`."""
    counts, areas = inputs.counts, inputs.areas_mm2
    n_l, n_e = counts["lymphocyte"], counts["epithelial"]
    in_e, in_s = counts["lymphocyte_in_epithelium"], counts["lymphocyte_in_stroma"]
    return {
        "stil_area_pct": Formula(
            "100 · Σ area(lymphocytes in S) / area(S)",
            "% of stroma",
            "easTILs%: Bai et al. 2021, Fanucci et al. 2023",
            {
                "lymphocytes_in_stroma_mm2": inputs.lymphocytes_in_stroma_um2 * MM2_PER_UM2,
                "stroma_mm2": areas["stroma"],
            },
        ),
        "tiger_til": Formula(
            f"min(100, 100 · n_L(S) · {settings.tiger_nucleus_um2:g} µm² / area(S))",
            "% of stroma",
            "after the baseline of the TIGER challenge (2022)",
            {"lymphocytes_in_stroma": in_s, "stroma_mm2": areas["stroma"]},
        ),
        "density_per_mm2": Formula(
            "n_L / area, in tissue, E and S",
            "1/mm²",
            "International TILs Working Group: Hendry et al. 2017",
            {
                "lymphocytes": n_l,
                "tissue_mm2": areas["tissue"],
                "lymphocytes_in_epithelium": in_e,
                "epithelium_mm2": areas["epithelium"],
                "lymphocytes_in_stroma": in_s,
                "stroma_mm2": areas["stroma"],
            },
        ),
        "etils_pct": Formula(
            "100 · n_L / (n_L + n_E)",
            "% of nuclei",
            "eTILs%: Bai et al. 2021",
            {"lymphocytes": n_l, "epithelial": n_e},
        ),
        "intraepithelial_ratio": Formula(
            "n_L(E) / n_E",
            "lymphocytes per epithelial nucleus",
            "after Yuan 2015",
            {"lymphocytes_in_epithelium": in_e, "epithelial": n_e},
        ),
        "phenotype": Formula(
            f"square inflamed if n_L(E) / area(E) ≥ {settings.inflamed_per_mm2:g}/mm², else "
            f"excluded if n_L(S) / area(S) ≥ {settings.excluded_per_mm2:g}/mm², else desert; slide "
            f"inflamed, else excluded, if more than {100 * settings.phenotype_share:.1f} % of the "
            "squares are, else desert",
            "category",
            "Park et al. 2022; research cut-offs of another detector",
            {"square_um": settings.phenotype_square_um},
        ),
        "morisita_horn": Formula(
            "2 Σ lᵢ eᵢ / ((Σ lᵢ² / L² + Σ eᵢ² / E²) L E); independent Poisson scatter: "
            "1 / (1 + (1/λ_L + 1/λ_E) / 2)",
            "0 to 1",
            "Horn 1966, Maley et al. 2015",
            {"square_um": settings.square_um},
        ),
        "hotspots": Formula(
            "Gi* of the densities, queen neighbours and itself, one-sided normal p, "
            f"Benjamini-Hochberg at {settings.false_discovery_rate:g}",
            "squares and shares",
            "Ord and Getis 1995, Benjamini and Hochberg 1995, Nawaz et al. 2015",
            {"square_um": settings.square_um},
        ),
        "distances": Formula(
            "centroid of a lymphocyte to the nearest epithelial centroid",
            "µm",
            "nearest neighbour, KD-tree",
            {"lymphocytes": n_l, "epithelial": n_e},
        ),
        "cross": Formula(
            "L(r) = √(K(r) / π), K(r) = Σ pairs / (λ_E · Σ centres), G(r) = share of centres with "
            "an epithelial nucleus within r; centres: lymphocytes deeper in the tissue than r",
            "µm; share",
            "Ripley 1976, Baddeley, Rubak and Turner 2015; random labelling: Diggle 2013",
            {"labellings": settings.labellings, "seed": settings.seed},
        ),
        "composition": Formula(
            "n_L : n_macrophage : n_neutrophil",
            "nuclei",
            "counts in tissue",
            {
                name: counts[name]
                for name in ("lymphocyte", "macrophage", "neutrophil")
                if name in counts
            },
        ),
    }
