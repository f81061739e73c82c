"""From nuclei and tissue to TIL scores.

TILs are the lymphocytes; neutrophils and macrophages never count, and the denominator is the area
of stroma, not nuclei (International TILs Working Group: Salgado et al. 2015, Hendry et al. 2017).
A nucleus belongs to the compartment that its centroid lies in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import starmap

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.classes import MONUSAC
from seg_core.roi import Roi
from seg_core.slide.tissue import TissueMask
from seg_core.til.bootstrap import Estimate, ratio_estimate
from seg_core.til.compartments import (
    Compartments,
    Field,
    depths_px,
    find_compartments,
    find_field,
)
from seg_core.til.result import (
    Colocalisation,
    CrossFunctions,
    Distances,
    Formula,
    Hotspots,
    Phenotype,
    PhenotypeName,
    Sensitivity,
    TilResult,
    known,
)
from seg_core.til.settings import TilSettings
from seg_core.til.spatial import (
    cross_counts,
    cross_g,
    cross_k_um2,
    getis_ord_star,
    hotspots,
    morisita_horn,
    nearest_um,
    poisson_morisita_horn,
    random_labellings,
)

_MM2_PER_UM2 = 1e-6
_COMPARTMENTS = ("tissue", "epithelium", "stroma")


def score_tils(
    nuclei: gpd.GeoDataFrame,
    tissue: TissueMask,
    *,
    rois: Sequence[Roi] = (),
    analysed: Roi | None = None,
    settings: TilSettings | None = None,
) -> TilResult:
    """Score the tumour-infiltrating lymphocytes of a slide or of ROIs on it.

    The result does not depend on the order of the nuclei.

    Parameters
    ----------
    nuclei : NucleusTable
        Those outside the field are left out.
    tissue : TissueMask
        Its raster also says how large a level-0 pixel is.
    rois : sequence of Roi
        Those to include restrict everything to their union, the nuclei that make epithelium too;
        those to exclude (necrosis, carcinoma in situ, artefacts) are taken out of every area.
    analysed : Roi, optional
        Where nuclei were looked for at all; by default everywhere.
    settings : TilSettings, optional

    Returns
    -------
    result : TilResult

    Raises
    ------
    RegionError
        If no ROI to include lies on what was analysed.
    """
    settings = settings or TilSettings()
    field = find_field(tissue, settings, rois=rois, analysed=analysed)
    nuclei = nuclei[field.holds(nuclei["x"], nuclei["y"])]
    nuclei = nuclei.sort_values(["x", "y", "area_um2", "class_name"], ignore_index=True)
    at_dilations = find_compartments(field, nuclei, settings)
    _, compartments = next(at_dilations)
    cells = _locate(nuclei, compartments, settings)
    areas, counts = _areas_mm2(compartments), _counts(cells)
    reason = _why_not(areas, counts, settings)
    squares = _squares(cells, compartments, settings)
    if reason is None:
        squares, found_hotspots = _find_hotspots(squares, settings)
        # starmap lets go of each map before the next is made.
        sensitivity = tuple(starmap(partial(_sensitivity, nuclei), at_dilations))
    else:
        found_hotspots, sensitivity = Hotspots(len(squares), reason=reason), ()
    big = _phenotype_squares(cells, compartments, settings)
    distances_um = _distances_um(cells)
    inputs = _Inputs(areas, counts, float(cells.lymphocytes_in("stroma")["area_um2"].sum()))
    return TilResult(
        evaluable=reason is None,
        reason=reason,
        stil_area_pct=_stil(squares, settings, reason),
        tiger_til=_tiger(inputs, settings) if reason is None else None,
        density_per_mm2={name: _density(squares, name, settings, reason) for name in _COMPARTMENTS},
        etils_pct=_etils(counts) if reason is None else None,
        intraepithelial_ratio=(
            counts["lymphocyte_in_epithelium"] / counts["epithelial"] if reason is None else None
        ),
        phenotype=_phenotype(big, settings, reason),
        morisita_horn=_colocalisations(cells, field, settings, reason),
        hotspots=found_hotspots,
        distances=_distances(distances_um, settings),
        cross=_cross(cells, field, settings, reason),
        counts=counts,
        areas_mm2=areas,
        sensitivity=sensitivity,
        formulas=_formulas(inputs, settings),
        settings=settings,
        squares=squares,
        phenotype_squares=big,
        distances_um=distances_um,
        compartments=compartments,
    )


@dataclass(frozen=True)
class _Cells:
    """The nuclei of a field, sorted, with what is known of their place.

    ``table`` has class_name, x, y, area_um2, in_epithelium, in_stroma; ``points_um`` are the
    centroids from the corner of the window, µm.
    """

    table: pd.DataFrame
    points_um: npt.NDArray[np.float64]

    def lymphocytes_in(self, compartment: str) -> pd.DataFrame:
        own = self.table[self.table["class_name"] == "lymphocyte"]
        return own if compartment == "tissue" else own[own[f"in_{compartment}"]]

    def of_class(self, name: str) -> pd.DataFrame:
        return self.table[self.table["class_name"] == name]


@dataclass(frozen=True)
class _Inputs:
    areas_mm2: dict[str, float]
    counts: dict[str, int]
    lymphocytes_in_stroma_um2: float


def _locate(nuclei: gpd.GeoDataFrame, compartments: Compartments, settings: TilSettings) -> _Cells:
    field = compartments.field
    table = pd.DataFrame(nuclei[["class_name", "x", "y", "area_um2"]])
    rows, columns = field.pixels_of(table["x"], table["y"]).T
    table["in_epithelium"] = compartments.epithelium[rows, columns]
    table["in_stroma"] = compartments.stroma[rows, columns]
    points = field.raster.from_level0(table[["x", "y"]].to_numpy())
    return _Cells(table, (points - (field.window.x, field.window.y)) * field.raster.mpp)


def _areas_mm2(compartments: Compartments) -> dict[str, float]:
    pixel = compartments.field.pixel_mm2
    masks = (compartments.field.mask, compartments.epithelium, compartments.stroma)
    return {
        name: float(np.count_nonzero(mask) * pixel)
        for name, mask in zip(_COMPARTMENTS, masks, strict=True)
    }


def _counts(cells: _Cells) -> dict[str, int]:
    by_class = cells.table["class_name"].value_counts()
    counts = {name: int(by_class.get(name, 0)) for name in MONUSAC.names}
    for name in ("epithelium", "stroma"):
        counts[f"lymphocyte_in_{name}"] = len(cells.lymphocytes_in(name))
    return counts


def _why_not(areas: dict[str, float], counts: dict[str, int], settings: TilSettings) -> str | None:
    if areas["tissue"] < settings.min_tissue_mm2:
        return (
            f"not evaluable: a score needs at least {settings.min_tissue_mm2:g} mm² of tissue; "
            f"there are {areas['tissue']:.2f}."
        )
    if counts["epithelial"] < settings.min_epithelial_nuclei:
        return (
            f"not evaluable: a score needs at least {settings.min_epithelial_nuclei} epithelial "
            f"nuclei; there are {counts['epithelial']}."
        )
    if not areas["stroma"] > 0:
        return "not evaluable: no stroma was found beside epithelium."
    return None


def _square_table(cells: _Cells, compartments: Compartments, side_um: float) -> pd.DataFrame:
    """Return place, areas and counts of each square that has tissue."""
    field = compartments.field
    masks = (field.mask, compartments.epithelium, compartments.stroma)
    areas = {
        f"{name}_um2": field.square_areas_um2(mask, side_um)
        for name, mask in zip(_COMPARTMENTS, masks, strict=True)
    }
    corners = field.square_corners(side_um)
    total = len(corners)
    across = field.window.width // field.square_px(side_um)

    def per_square(part: pd.DataFrame, weights: pd.Series | None = None) -> npt.NDArray[np.float64]:
        numbers = field.squares_of(part["x"], part["y"], side_um)
        return np.bincount(numbers, weights=weights, minlength=total).astype(np.float64)

    stromal = cells.lymphocytes_in("stroma")
    squares = pd.DataFrame(
        {
            "row": np.arange(total) // across,
            "column": np.arange(total) % across,
            "x_px": corners[:, 0],
            "y_px": corners[:, 1],
            "side_px": field.square_px(side_um) * field.raster.downsample,
            **areas,
            "epithelial": per_square(cells.of_class("epithelial")),
            "lymphocyte": per_square(cells.of_class("lymphocyte")),
            "lymphocyte_in_epithelium": per_square(cells.lymphocytes_in("epithelium")),
            "lymphocyte_in_stroma": per_square(stromal),
            "lymphocyte_in_stroma_um2": per_square(stromal, stromal["area_um2"]),
        }
    )
    return squares[squares["tissue_um2"] > 0].reset_index(drop=True)


def _squares(cells: _Cells, compartments: Compartments, settings: TilSettings) -> pd.DataFrame:
    squares = _square_table(cells, compartments, settings.square_um)
    squares["stil_area_pct"] = 100 * _ratio(
        squares["lymphocyte_in_stroma_um2"], squares["stroma_um2"]
    )
    for name in _COMPARTMENTS:
        squares[f"lymphocyte_per_mm2_{name}"] = _ratio(
            squares[_count_column(name)], squares[f"{name}_um2"] * _MM2_PER_UM2
        )
    return squares.assign(
        valid=squares["tissue_um2"] >= settings.min_square_tissue * settings.square_um**2,
        lymphocyte_gi_star=np.nan,
        epithelial_gi_star=np.nan,
        lymphocyte_hotspot=False,
        epithelial_hotspot=False,
    )


def _count_column(compartment: str) -> str:
    return "lymphocyte" if compartment == "tissue" else f"lymphocyte_in_{compartment}"


def _ratio(top: pd.Series, bottom: pd.Series) -> pd.Series:
    return top / bottom.where(bottom > 0)


def _stil(squares: pd.DataFrame, settings: TilSettings, reason: str | None) -> Estimate:
    return _estimate(
        squares["lymphocyte_in_stroma_um2"], squares["stroma_um2"], 100.0, settings, reason
    )


def _density(
    squares: pd.DataFrame, compartment: str, settings: TilSettings, reason: str | None
) -> Estimate:
    counts, areas = squares[_count_column(compartment)], squares[f"{compartment}_um2"]
    return _estimate(counts, areas, 1 / _MM2_PER_UM2, settings, reason)


def _estimate(
    top: pd.Series, bottom: pd.Series, scale: float, settings: TilSettings, reason: str | None
) -> Estimate:
    if reason is not None:
        return Estimate(None, reason=reason)
    return ratio_estimate(
        top,
        bottom,
        scale=scale,
        samples=settings.bootstrap_samples,
        min_blocks=settings.min_blocks,
        seed=settings.seed,
    )


def _tiger(inputs: _Inputs, settings: TilSettings) -> float:
    covered_mm2 = inputs.counts["lymphocyte_in_stroma"] * settings.tiger_nucleus_um2 * _MM2_PER_UM2
    return min(100.0, 100 * covered_mm2 / inputs.areas_mm2["stroma"])


def _etils(counts: dict[str, int]) -> float:
    return 100 * counts["lymphocyte"] / (counts["lymphocyte"] + counts["epithelial"])


def _phenotype_squares(
    cells: _Cells, compartments: Compartments, settings: TilSettings
) -> pd.DataFrame:
    squares = _square_table(cells, compartments, settings.phenotype_square_um)
    area_um2 = settings.phenotype_square_um**2
    valid = (squares["tissue_um2"] >= settings.min_square_tissue * area_um2) & (
        squares["epithelium_um2"] >= settings.min_square_epithelium * area_um2
    )
    densities = {
        name: _ratio(squares[_count_column(name)], squares[f"{name}_um2"] * _MM2_PER_UM2)
        for name in ("epithelium", "stroma")
    }
    kinds = np.select(
        [
            ~valid,
            densities["epithelium"] >= settings.inflamed_per_mm2,
            densities["stroma"] >= settings.excluded_per_mm2,
        ],
        ["", "inflamed", "excluded"],
        "desert",
    )
    return squares.assign(
        lymphocyte_per_mm2_epithelium=densities["epithelium"],
        lymphocyte_per_mm2_stroma=densities["stroma"],
        valid=valid,
        phenotype=kinds,
    )


def _phenotype(squares: pd.DataFrame, settings: TilSettings, reason: str | None) -> Phenotype:
    valid = int(squares["valid"].sum())
    kinds = squares["phenotype"].value_counts()
    inflamed, excluded, desert = (
        int(kinds.get(name, 0)) for name in ("inflamed", "excluded", "desert")
    )
    if reason is None and valid < settings.min_phenotype_squares:
        reason = (
            f"a phenotype needs at least {settings.min_phenotype_squares} valid squares of "
            f"{settings.phenotype_square_um:g} µm; there are {valid}."
        )
    if reason is not None:
        return Phenotype(None, valid, inflamed, excluded, desert, reason)
    name: PhenotypeName = "desert"
    if inflamed / valid > settings.phenotype_share:
        name = "inflamed"
    elif excluded / valid > settings.phenotype_share:
        name = "excluded"
    return Phenotype(name, valid, inflamed, excluded, desert)


def _colocalisations(
    cells: _Cells, field: Field, settings: TilSettings, reason: str | None
) -> tuple[Colocalisation, ...]:
    return tuple(
        _colocalisation(cells, field, settings, side, reason)
        for side in (settings.square_um, *settings.finer_squares_um)
    )


def _colocalisation(
    cells: _Cells, field: Field, settings: TilSettings, side_um: float, reason: str | None
) -> Colocalisation:
    areas = field.square_areas_um2(field.mask, side_um)
    valid = areas >= settings.min_square_tissue * side_um**2
    squares = int(valid.sum())
    if reason is not None or not squares:
        return Colocalisation(side_um, squares, None, None)
    lymphocytes, epithelial = (
        np.bincount(field.squares_of(own["x"], own["y"], side_um), minlength=len(areas))[valid]
        for own in (cells.of_class("lymphocyte"), cells.of_class("epithelial"))
    )
    return Colocalisation(
        side_um,
        squares,
        morisita_horn(lymphocytes, epithelial),
        poisson_morisita_horn(float(lymphocytes.mean()), float(epithelial.mean())),
    )


def _find_hotspots(squares: pd.DataFrame, settings: TilSettings) -> tuple[pd.DataFrame, Hotspots]:
    """Return the squares with Gi* of the densities in tissue, and their summary."""
    valid = squares["valid"].to_numpy()
    count = int(valid.sum())
    if count < settings.min_hotspot_squares:
        return squares, Hotspots(
            count,
            reason=f"hotspots need at least {settings.min_hotspot_squares} squares with tissue; "
            f"there are {count}.",
        )
    used = squares[valid]
    squares = squares.copy()
    for name in ("lymphocyte", "epithelial"):
        density = (used[name] / used["tissue_um2"]).to_numpy()
        z = getis_ord_star(density, used["row"], used["column"])
        squares.loc[valid, f"{name}_gi_star"] = z
        squares.loc[valid, f"{name}_hotspot"] = hotspots(z, settings.false_discovery_rate)
    lymphocyte, epithelial = squares["lymphocyte_hotspot"], squares["epithelial_hotspot"]
    hot_l, hot_e = int(lymphocyte.sum()), int(epithelial.sum())
    both = int((lymphocyte & epithelial).sum())
    return squares, Hotspots(
        squares=count,
        lymphocyte=hot_l,
        epithelial=hot_e,
        both=both,
        lymphocyte_share=hot_l / count,
        epithelial_share=hot_e / count,
        both_of_lymphocyte=both / hot_l if hot_l else None,
        both_of_epithelial=both / hot_e if hot_e else None,
    )


def _distances_um(cells: _Cells) -> pd.DataFrame:
    is_lymphocyte = (cells.table["class_name"] == "lymphocyte").to_numpy()
    is_epithelial = (cells.table["class_name"] == "epithelial").to_numpy()
    if not is_epithelial.any():
        is_lymphocyte = np.zeros_like(is_lymphocyte)
    own = cells.table.loc[is_lymphocyte, ["x", "y"]].reset_index(drop=True)
    if not len(own):
        return own.assign(distance_um=np.zeros(0))
    return own.assign(
        distance_um=nearest_um(cells.points_um[is_lymphocyte], cells.points_um[is_epithelial])
    )


def _distances(distances_um: pd.DataFrame, settings: TilSettings) -> Distances:
    values = distances_um["distance_um"].to_numpy()
    if not len(values):
        return Distances(0)
    low, median, high = (float(each) for each in np.percentile(values, [25, 50, 75]))
    within = {f"{near:g}": float((values <= near).mean()) for near in settings.near_um}
    return Distances(len(values), median, low, high, within)


def _cross(
    cells: _Cells, field: Field, settings: TilSettings, reason: str | None
) -> CrossFunctions:
    """Return cross-type L and G on whole squares, all of them or as many as may be drawn."""
    if reason is not None:
        return CrossFunctions(0, 0, reason=reason)
    names = cells.table["class_name"]
    both = names.isin(["lymphocyte", "epithelial"]).to_numpy()
    side_um = settings.phenotype_square_um
    square_of = field.squares_of(cells.table["x"], cells.table["y"], side_um)
    drawn = _drawn_squares(square_of[both], settings)
    used = both & np.isin(square_of, drawn)
    first = (names == "lymphocyte").to_numpy()[used]
    if not first.any() or first.all():
        return CrossFunctions(
            int(used.sum()),
            len(drawn),
            reason="G and L need lymphocytes and epithelial nuclei in the squares that were "
            f"drawn, of at most {settings.max_nuclei} nuclei together.",
        )
    window = field.mask & _square_mask(field, drawn, side_um)
    steps = round(settings.max_radius_um / settings.radius_step_um)
    radii = np.arange(1, steps + 1, dtype=np.float64) * settings.radius_step_um
    rows, columns = field.pixels_of(cells.table["x"], cells.table["y"])[used].T
    labels = random_labellings(first, settings.labellings, settings.seed)
    counts = cross_counts(
        cells.points_um[used],
        labels,
        ~labels,
        depths_px(window, rows, columns, radii[-1] / field.raster.mpp) * field.raster.mpp,
        radii,
    )
    area_um2 = float(np.count_nonzero(window)) * field.raster.mpp**2
    l_um = np.sqrt(cross_k_um2(counts, float((~first).sum()) / area_um2) / np.pi)
    g = cross_g(counts)
    return CrossFunctions(
        nuclei=int(used.sum()),
        squares=len(drawn),
        radius_um=tuple(radii.tolist()),
        l_um=known(l_um[:, 0]),
        l_low_um=known(l_um[:, 1:].min(axis=1)),
        l_high_um=known(l_um[:, 1:].max(axis=1)),
        g=known(g[:, 0]),
        g_low=known(g[:, 1:].min(axis=1)),
        g_high=known(g[:, 1:].max(axis=1)),
    )


def _drawn_squares(
    square_of: npt.NDArray[np.int64], settings: TilSettings
) -> npt.NDArray[np.int64]:
    squares, counts = np.unique(square_of, return_counts=True)
    order = np.random.default_rng(settings.seed).permutation(len(squares))
    return squares[order[np.cumsum(counts[order]) <= settings.max_nuclei]]


def _square_mask(
    field: Field, squares: npt.NDArray[np.int64], side_um: float
) -> npt.NDArray[np.bool_]:
    side = field.square_px(side_um)
    rows, columns = field.window.height // side, field.window.width // side
    chosen = np.isin(np.arange(rows * columns), squares).reshape(rows, columns)
    return chosen.repeat(side, axis=0).repeat(side, axis=1)


def _sensitivity(
    nuclei: gpd.GeoDataFrame, dilation_um: float, compartments: Compartments
) -> Sensitivity:
    areas = _areas_mm2(compartments)
    lymphocytes = nuclei[nuclei["class_name"] == "lymphocyte"]
    rows, columns = compartments.field.pixels_of(lymphocytes["x"], lymphocytes["y"]).T
    covered_um2 = float(lymphocytes["area_um2"][compartments.stroma[rows, columns]].sum())
    stroma_um2 = areas["stroma"] / _MM2_PER_UM2
    return Sensitivity(
        dilation_um,
        100 * covered_um2 / stroma_um2 if stroma_um2 else None,
        areas["epithelium"],
        areas["stroma"],
    )


def _formulas(inputs: _Inputs, settings: TilSettings) -> dict[str, Formula]:
    counts, areas = inputs.counts, inputs.areas_mm2
    n_l, n_e = counts["lymphocyte"], counts["epithelial"]
    in_e, in_s = counts["lymphocyte_in_epithelium"], counts["lymphocyte_in_stroma"]
    return {
        "stil_area_pct": Formula(
            "100 · Σ area(lymphocytes in S) / area(S)",
            "% of stroma",
            "easTILs%: Bai et al. 2021, Fanucci et al. 2023",
            {
                "lymphocytes_in_stroma_mm2": inputs.lymphocytes_in_stroma_um2 * _MM2_PER_UM2,
                "stroma_mm2": areas["stroma"],
            },
        ),
        "tiger_til": Formula(
            f"min(100, 100 · n_L(S) · {settings.tiger_nucleus_um2:g} µm² / area(S))",
            "% of stroma",
            "after the TIGER challenge's baseline",
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
            {name: counts[name] for name in ("lymphocyte", "macrophage", "neutrophil")},
        ),
    }
