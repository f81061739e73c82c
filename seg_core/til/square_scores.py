"""What is read off squares: the maps, the phenotype's squares, Morisita-Horn and hotspots."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.errors import there_are
from seg_core.til.cells import COMPARTMENTS, Cells
from seg_core.til.compartments import Compartments
from seg_core.til.field import MM2_PER_UM2, Field
from seg_core.til.result import Colocalisation, Hotspots
from seg_core.til.score_settings import TilSettings
from seg_core.til.spatial import getis_ord_star, hotspots, morisita_horn, poisson_morisita_horn


def score_squares(cells: Cells, compartments: Compartments, settings: TilSettings) -> pd.DataFrame:
    """Return the squares of the maps and the intervals, a row for each that has tissue."""
    squares = _square_table(cells, compartments, settings.square_um)
    squares["stil_area_pct"] = 100 * _ratio(
        squares["lymphocyte_in_stroma_um2"], squares["stroma_um2"]
    )
    for name in COMPARTMENTS:
        squares[f"lymphocyte_per_mm2_{name}"] = _ratio(
            squares[count_column(name)], squares[f"{name}_um2"] * MM2_PER_UM2
        )
    return squares.assign(
        valid=squares["tissue_um2"] >= settings.min_square_tissue * settings.square_um**2,
        lymphocyte_gi_star=np.nan,
        epithelial_gi_star=np.nan,
        lymphocyte_hotspot=False,
        epithelial_hotspot=False,
    )


def phenotype_squares(
    cells: Cells, compartments: Compartments, settings: TilSettings
) -> pd.DataFrame:
    """Return the larger squares, each with its phenotype; a square that is not valid has none."""
    squares = _square_table(cells, compartments, settings.phenotype_square_um)
    area_um2 = settings.phenotype_square_um**2
    valid = (squares["tissue_um2"] >= settings.min_square_tissue * area_um2) & (
        squares["epithelium_um2"] >= settings.min_square_epithelium * area_um2
    )
    densities = {
        name: _ratio(squares[count_column(name)], squares[f"{name}_um2"] * MM2_PER_UM2)
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


def colocalisations(
    cells: Cells, field: Field, settings: TilSettings, reason: str | None
) -> tuple[Colocalisation, ...]:
    """Return Morisita-Horn on the squares of the maps, then on the finer ones."""
    return tuple(
        _colocalisation(cells, field, settings, side, reason)
        for side in (settings.square_um, *settings.finer_squares_um)
    )


def _colocalisation(
    cells: Cells, field: Field, settings: TilSettings, side_um: float, reason: str | None
) -> Colocalisation:
    areas = field.square_areas_um2(field.mask, side_um)
    valid = areas >= settings.min_square_tissue * side_um**2
    squares = int(valid.sum())
    if reason is None and not squares:
        reason = f"no square of {side_um:g} µm has enough tissue."
    if reason is not None:
        return Colocalisation(side_um, squares, None, None, reason)
    lymphocytes, epithelial = (
        np.bincount(field.squares_of(own["x"], own["y"], side_um), minlength=len(areas))[valid]
        for own in (cells.of_role("lymphocyte"), cells.of_role("epithelium"))
    )
    return Colocalisation(
        side_um,
        squares,
        morisita_horn(lymphocytes, epithelial),
        poisson_morisita_horn(float(lymphocytes.mean()), float(epithelial.mean())),
        _missing_in_squares(lymphocytes, epithelial),
    )


def _missing_in_squares(
    lymphocytes: npt.NDArray[np.int64], epithelial: npt.NDArray[np.int64]
) -> str | None:
    """Say which kind lies in none of the squares, of which nothing can be told then."""
    missing = [
        name
        for name, counts in (("lymphocyte", lymphocytes), ("epithelial nucleus", epithelial))
        if not counts.any()
    ]
    return (
        f"there is no {' and no '.join(missing)} in squares with enough tissue."
        if missing
        else None
    )


def find_hotspots(squares: pd.DataFrame, settings: TilSettings) -> tuple[pd.DataFrame, Hotspots]:
    """Return the squares with Gi* of the densities in tissue, and their summary."""
    valid = squares["valid"].to_numpy()
    count = int(valid.sum())
    if count < settings.min_hotspot_squares:
        return squares, Hotspots(
            count,
            reason=f"hotspots need at least {settings.min_hotspot_squares} squares with "
            f"enough tissue; {there_are(count)}.",
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


def count_column(compartment: str) -> str:
    """Name the column of squares that counts the lymphocytes of one of the `COMPARTMENTS`."""
    return "lymphocyte" if compartment == "tissue" else f"lymphocyte_in_{compartment}"


def _ratio(top: pd.Series, bottom: pd.Series) -> pd.Series:
    return top / bottom.where(bottom > 0)


def _square_table(cells: Cells, compartments: Compartments, side_um: float) -> pd.DataFrame:
    """Return place, areas and counts of each square that has tissue.

    Rows and columns count squares from the corner of the field's window, ``x_px``, ``y_px`` and
    ``side_px`` are level-0 pixels, areas µm².
    """
    field = compartments.field
    masks = (field.mask, compartments.epithelium, compartments.stroma)
    areas = {
        f"{name}_um2": field.square_areas_um2(mask, side_um)
        for name, mask in zip(COMPARTMENTS, masks, strict=True)
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
            "epithelial": per_square(cells.of_role("epithelium")),
            "lymphocyte": per_square(cells.of_role("lymphocyte")),
            "lymphocyte_in_epithelium": per_square(cells.lymphocytes_in("epithelium")),
            "lymphocyte_in_stroma": per_square(stromal),
            "lymphocyte_in_stroma_um2": per_square(stromal, stromal["area_um2"]),
        }
    )
    return squares[squares["tissue_um2"] > 0].reset_index(drop=True)
