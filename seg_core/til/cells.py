"""The nuclei of a field and where they lie: which compartment, how many, on how much area."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.classes import MONUSAC, OTHER
from seg_core.til.compartments import Compartments

COMPARTMENTS = ("tissue", "epithelium", "stroma")


@dataclass(frozen=True)
class Cells:
    """The nuclei of a field, sorted, with what is known of their place.

    ``table`` has class_name, x, y, area_um2, in_epithelium, in_stroma; ``points_um`` are the
    centroids from the corner of the window, µm.
    """

    table: pd.DataFrame
    points_um: npt.NDArray[np.float64]

    def of_class(self, name: str) -> pd.DataFrame:
        """Return the rows of a class."""
        return self.table[self.table["class_name"] == name]

    def lymphocytes_in(self, compartment: str) -> pd.DataFrame:
        """Return the lymphocytes of one of the `COMPARTMENTS`."""
        own = self.of_class("lymphocyte")
        return own if compartment == "tissue" else own[own[f"in_{compartment}"]]


def locate(nuclei: gpd.GeoDataFrame, compartments: Compartments) -> Cells:
    """Find the compartment of each nucleus of a field, the one its centroid lies in."""
    field = compartments.field
    table = pd.DataFrame(nuclei[["class_name", "x", "y", "area_um2"]])
    rows, columns = field.pixels_of(table["x"], table["y"]).T
    table["in_epithelium"] = compartments.epithelium[rows, columns]
    table["in_stroma"] = compartments.stroma[rows, columns]
    points = field.raster.from_level0(table[["x", "y"]].to_numpy())
    return Cells(table, (points - (field.window.x, field.window.y)) * field.raster.mpp)


def areas_mm2(compartments: Compartments) -> dict[str, float]:
    """Return the area of each of the `COMPARTMENTS`."""
    pixel = compartments.field.pixel_mm2
    masks = (compartments.field.mask, compartments.epithelium, compartments.stroma)
    return {
        name: float(np.count_nonzero(mask) * pixel)
        for name, mask in zip(COMPARTMENTS, masks, strict=True)
    }


def counts_of(cells: Cells) -> dict[str, int]:
    """Count the nuclei by class, lymphocytes by compartment, and *other* ones in stroma.

    Of those last some may in truth be among the lymphocytes, and the other way round.
    """
    by_class = cells.table["class_name"].value_counts()
    counts = {name: int(by_class.get(name, 0)) for name in MONUSAC.names}
    for name in ("epithelium", "stroma"):
        counts[f"lymphocyte_in_{name}"] = len(cells.lymphocytes_in(name))
    others = cells.of_class(OTHER)
    counts["other_in_stroma"] = int(others["in_stroma"].sum())
    return counts
