"""The nuclei of a field and where they lie: which compartment, how many, on how much area."""

from dataclasses import dataclass
from typing import get_args

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.classes import ClassScheme, Role
from seg_core.til.compartments import Compartments

COMPARTMENTS = ("tissue", "epithelium", "stroma")

NEEDED_ROLES: tuple[Role, ...] = ("epithelium", "lymphocyte")
"""Roles without which there is no score."""

_COUNTED_ROLES: dict[str, Role] = {
    "epithelial": "epithelium",
    "lymphocyte": "lymphocyte",
    "neutrophil": "neutrophil",
    "macrophage": "macrophage",
}


@dataclass(frozen=True)
class Cells:
    """The nuclei of a field, sorted, with what is known of their place.

    ``table`` has role, x, y, area_um2, class_score, in_epithelium, in_stroma; ``points_um`` are the
    centroids from the corner of the window, µm.
    """

    table: pd.DataFrame
    points_um: npt.NDArray[np.float64]

    def of_role(self, role: Role) -> pd.DataFrame:
        """Return the rows of a role."""
        return self.table[self.table["role"] == role]

    def sure_epithelium(self, score: float) -> float:
        """Return which share of the epithelial nuclei has at least a score and lies in an island."""
        own = self.of_role("epithelium")
        sure = (own["class_score"] >= score) & own["in_epithelium"]
        return float(sure.mean()) if len(own) else 0.0

    def lymphocytes_in(self, compartment: str) -> pd.DataFrame:
        """Return the lymphocytes of one of the `COMPARTMENTS`."""
        own = self.of_role("lymphocyte")
        return own if compartment == "tissue" else own[own[f"in_{compartment}"]]


def with_roles(nuclei: gpd.GeoDataFrame, scheme: ClassScheme) -> gpd.GeoDataFrame:
    """Add a column ``role``; a nucleus whose class is *uncertain* has none, an empty text."""
    roles = {name: role for role in get_args(Role) for name in scheme.names_of_role(role)}
    return nuclei.assign(role=nuclei["class_name"].map(roles).fillna(""))


def locate(nuclei: gpd.GeoDataFrame, compartments: Compartments) -> Cells:
    """Find the compartment of each nucleus, with its role, of a field: where its centroid lies."""
    field = compartments.field
    table = pd.DataFrame(nuclei[["role", "x", "y", "area_um2", "class_score"]])
    table["in_epithelium"], table["in_stroma"] = compartments.places(table["x"], table["y"])
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


def counts_of(cells: Cells, scheme: ClassScheme) -> dict[str, int]:
    """Count the nuclei by role, lymphocytes by compartment, and *other* ones in stroma.

    A role that the model does not tell apart is not counted, since 0 would say that there are none.
    Of the *other* some may in truth be among the lymphocytes, and the other way round.
    """
    counts = {
        name: len(cells.of_role(role))
        for name, role in _COUNTED_ROLES.items()
        if scheme.names_of_role(role)
    }
    for name in ("epithelium", "stroma"):
        counts[f"lymphocyte_in_{name}"] = len(cells.lymphocytes_in(name))
    counts["other_in_stroma"] = int(cells.of_role("other")["in_stroma"].sum())
    return counts
