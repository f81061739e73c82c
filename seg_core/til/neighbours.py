"""What is read off pairs of nuclei: distances to epithelium, cross-type G and L."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.til.cells import Cells
from seg_core.til.field import Field
from seg_core.til.masks import depths_px
from seg_core.til.result import NO_LYMPHOCYTE, CrossFunctions, Distances, known
from seg_core.til.score_settings import TilSettings
from seg_core.til.spatial import (
    cross_counts,
    cross_g,
    cross_k_um2,
    nearest_um,
    random_labellings,
)


def distances_to_epithelium(cells: Cells) -> pd.DataFrame:
    """Return x, y and distance_um of each lymphocyte; no row where there is no epithelium."""
    is_lymphocyte = (cells.table["role"] == "lymphocyte").to_numpy()
    is_epithelial = (cells.table["role"] == "epithelium").to_numpy()
    if not is_epithelial.any():
        is_lymphocyte = np.zeros_like(is_lymphocyte)
    own = cells.table.loc[is_lymphocyte, ["x", "y"]].reset_index(drop=True)
    if not len(own):
        return own.assign(distance_um=np.zeros(0))
    return own.assign(
        distance_um=nearest_um(cells.points_um[is_lymphocyte], cells.points_um[is_epithelial])
    )


def summarise_distances(
    distances_um: pd.DataFrame, settings: TilSettings, reason: str | None
) -> Distances:
    """Return median, quartiles and the shares within the distances of the settings."""
    values = distances_um["distance_um"].to_numpy()
    if reason is None and not len(values):
        reason = NO_LYMPHOCYTE
    if reason is not None:
        nothing = {f"{near:g}": None for near in settings.near_um}
        return Distances(len(values), nothing, reason=reason)
    low, median, high = (float(each) for each in np.percentile(values, [25, 50, 75]))
    within = {f"{near:g}": float((values <= near).mean()) for near in settings.near_um}
    return Distances(len(values), within, median, low, high)


def cross_functions(
    cells: Cells, field: Field, settings: TilSettings, reason: str | None
) -> CrossFunctions:
    """Return cross-type L and G on whole squares, all of them or as many as may be drawn."""
    if reason is not None:
        return CrossFunctions(0, 0, reason=reason)
    roles = cells.table["role"]
    both = roles.isin(["lymphocyte", "epithelium"]).to_numpy()
    side_um = settings.phenotype_square_um
    square_of = field.squares_of(cells.table["x"], cells.table["y"], side_um)
    drawn = _drawn_squares(square_of[both], settings)
    used = both & np.isin(square_of, drawn)
    first = (roles == "lymphocyte").to_numpy()[used]
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
