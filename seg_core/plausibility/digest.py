"""What nuclei are like taken together, in memory that does not depend on how many there are."""

from dataclasses import dataclass
from typing import Self

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from seg_core.classes import OTHER, ClassScheme
from seg_core.nuclei.nucleus_table import FEATURES

_Floats = npt.NDArray[np.float64]

GROUPS = ("epithelium", "lymphocyte", "other", "rest")
"""Nuclei by role; *rest* are those of the other roles."""

# Bins of the areas: 1 % wide each, from less than any nucleus to more than any.
_EDGES = np.geomspace(1.0, 2000.0, 761)

_FEWEST = 5
"""Nuclei of a group that have a median of their own."""


@dataclass(frozen=True)
class Digest:
    """Nuclei taken together; digests of parts add up to that of the whole.

    Attributes
    ----------
    area_counts : (4, B) int64
        Nuclei of each of `GROUPS` by area.
    score_sum : float
        Of the class scores.
    stain_sums : (2,) float64
        Of the mean optical densities of haematoxylin and eosin.
    feature_sums : (F,) float64
        Of the features of those nuclei that have any; see `seg_core.model.features`.
    featured : int
        How many these are.
    """

    area_counts: npt.NDArray[np.int64]
    score_sum: float
    stain_sums: _Floats
    feature_sums: _Floats
    featured: int

    @classmethod
    def empty(cls, feature_count: int = 0) -> Self:
        """Return the digest of no nuclei."""
        return cls(
            np.zeros((len(GROUPS), len(_EDGES) - 1), np.int64),
            0.0,
            np.zeros(2),
            np.zeros(feature_count),
            0,
        )

    def __add__(self, other: "Digest") -> "Digest":
        """Return the digest of both together; one of no nuclei may have no features."""
        features = [each.feature_sums for each in (self, other) if each.featured]
        return Digest(
            self.area_counts + other.area_counts,
            self.score_sum + other.score_sum,
            self.stain_sums + other.stain_sums,
            sum(features[1:], features[0]) if features else self.feature_sums,
            self.featured + other.featured,
        )

    def __len__(self) -> int:
        """Return the number of nuclei."""
        return int(self.area_counts.sum())

    def median_um2(self, group: str | None = None) -> float | None:
        """Return the median area of a group, of all nuclei without one; None where there are few."""
        rows = slice(None) if group is None else [GROUPS.index(group)]
        counts = self.area_counts[rows].sum(axis=0)
        total = counts.sum()
        if total < _FEWEST:
            return None
        upto = np.concatenate([[0], np.cumsum(counts)])
        # in the middle of its bin, where half of the nuclei are below
        return float(np.exp(np.interp(total / 2, upto, np.log(_EDGES))))

    def sizes(self) -> _Floats:
        """Return what tells the scale of an image, (7,).

        Logarithms of the median areas of epithelial nuclei, lymphocytes and *other* (of all nuclei
        where a group has few), their shares of all nuclei, and the mean class score.

        Raises
        ------
        ValueError
            If there are fewer than 5 nuclei.
        """
        every = self.median_um2()
        if every is None:
            raise ValueError(f"{len(self)} nuclei say nothing of sizes.")
        groups = GROUPS[:3]
        medians = np.log([self.median_um2(group) or every for group in groups])
        shares = self.area_counts.sum(axis=1)[: len(groups)] / len(self)
        return np.concatenate([medians, shares, [self.score_sum / len(self)]])

    def look(self) -> _Floats | None:
        """Return how the nuclei look to the network, (F + 2,); None where no features were kept.

        Means of the features, then of the densities of both stains.
        """
        if not self.featured:
            return None
        return np.concatenate([self.feature_sums / self.featured, self.stain_sums / len(self)])


def digest_of(table: gpd.GeoDataFrame, scheme: ClassScheme) -> Digest:
    """Digest a table of nuclei, with or without the column of features.

    Parameters
    ----------
    table : NucleusTable
    scheme : ClassScheme
    """
    group_of = {OTHER: GROUPS.index("other")}
    for each in scheme.classes:
        known = each.role in GROUPS and each.role != "other"
        group_of[each.name] = GROUPS.index(each.role if known else "rest")
    groups = table["class_name"].map(group_of).to_numpy(np.intp)
    bins = np.clip(np.searchsorted(_EDGES, table["area_um2"], "right") - 1, 0, len(_EDGES) - 2)
    counts = np.zeros((len(GROUPS), len(_EDGES) - 1), np.int64)
    np.add.at(counts, (groups, bins), 1)
    features = np.zeros((0, 0))
    if FEATURES in table and len(table):
        features = np.stack(table[FEATURES].to_numpy()).astype(np.float64)
        features = features[np.isfinite(features).all(axis=1)]
    return Digest(
        counts,
        float(table["class_score"].sum()),
        table[["haematoxylin_od", "eosin_od"]].to_numpy(np.float64).sum(axis=0),
        features.sum(axis=0),
        len(features),
    )
