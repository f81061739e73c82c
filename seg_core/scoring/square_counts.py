"""Nuclei and tissue in squares of the slide: what intervals are made of, and pixels of a map."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.scoring.parts import Part
from seg_core.slide import TissueMask
from seg_core.store import NucleusQueries, Selection

_MM2_PER_UM2 = 1e-6


@dataclass(frozen=True)
class Squares:
    """Squares over a slide, anchored to the corner of its bounds.

    Attributes
    ----------
    side_um : float
    corner_px : (float, float)
        Upper left corner of square (0, 0), level-0 pixels.
    side_px : float
        Side, level-0 pixels.
    tissue_um2 : (R, C) float64
        Area of tissue of the part in each.
    counts : dict of str to (R, C) int64
        Nuclei by name in each.
    """

    side_um: float
    corner_px: tuple[float, float]
    side_px: float
    tissue_um2: npt.NDArray[np.float64]
    counts: dict[str, npt.NDArray[np.int64]]

    def density_per_mm2(
        self, names: tuple[str, ...], *, least_tissue: float
    ) -> npt.NDArray[np.float64]:
        """Return the nuclei of some names per mm² of tissue in each square.

        Parameters
        ----------
        names : tuple of str
        least_tissue : float
            Share of a square that must be tissue; the others are NaN, for a nucleus on a sliver
            of tissue is no density.

        Returns
        -------
        density : (R, C) float64
        """
        counted = sum((self.counts[name] for name in names), np.zeros(self.tissue_um2.shape))
        enough = self.tissue_um2 >= max(least_tissue * self.side_um**2, 1e-9)
        return np.divide(
            counted,
            self.tissue_um2 * _MM2_PER_UM2,
            out=np.full(self.tissue_um2.shape, np.nan),
            where=enough,
        )


def count_squares(
    queries: NucleusQueries, selection: Selection, part: Part, tissue: TissueMask, side_um: float
) -> Squares:
    """Count the nuclei of a part, and measure its tissue, in squares.

    A pixel of the tissue mask belongs to the square that its centre is in.

    Parameters
    ----------
    queries : NucleusQueries
    selection : Selection
        Its part should be that of ``part``.
    part : Part
    tissue : TissueMask
    side_um : float

    Returns
    -------
    squares : Squares
    """
    raster = tissue.raster
    side_px = side_um / raster.mpp * raster.downsample
    corner = (float(raster.region.x), float(raster.region.y))
    rows, columns = (
        np.floor((np.arange(length) + 0.5) * raster.mpp / side_um).astype(np.int64)
        for length in tissue.mask.shape
    )
    shape = (int(rows[-1]) + 1, int(columns[-1]) + 1)
    areas = np.zeros(shape)
    np.add.at(areas, (rows[:, None], columns[None, :]), tissue.coverage(part.polygon))
    found = queries.squares(selection, corner, side_px)
    counts = {name: _grid(found[found["class_name"] == name], shape) for name in selection.names}
    return Squares(side_um, corner, side_px, areas * raster.mpp**2, counts)


def _grid(found: pd.DataFrame, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    grid = np.zeros(shape, dtype=np.int64)
    # A centroid on the slide's very edge may be past the centre of the last pixel.
    rows = found["row"].clip(0, shape[0] - 1)
    columns = found["column"].clip(0, shape[1] - 1)
    np.add.at(grid, (rows, columns), found["count"])
    return grid
