"""What a classifier is told of each nucleus: three groups of columns, by name."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from seg_core.nuclei.nucleus_table import share_columns
from seg_core.store import Run
from seg_core.teaching.neighbourhood import surroundings

FeatureGroup = Literal["network", "measures", "surroundings"]

FEATURE_GROUPS: tuple[FeatureGroup, ...] = get_args(FeatureGroup)
"""What the network knows of a nucleus, what is measured of it, and what stands around it."""

_MEASURES = (
    *("area_um2", "major_um", "minor_um", "eccentricity", "solidity", "circularity"),
    *("haematoxylin_od", "eosin_od"),
)


@dataclass(frozen=True)
class NucleusFeatures:
    """Columns of features of all nuclei of a run.

    Attributes
    ----------
    names : tuple of str
    matrix : (N, F) float32
        In the order of the run's table; never NaN.
    """

    names: tuple[str, ...]
    matrix: npt.NDArray[np.float32]


def features_of_run(run: Run, groups: tuple[FeatureGroup, ...] = FEATURE_GROUPS) -> NucleusFeatures:
    """Read the features of a run, as the model left it: corrections change nothing here.

    Parameters
    ----------
    run : Run
    groups : tuple of FeatureGroup

    Raises
    ------
    StoreError
        If the run is not finished or of a version that kept no features.
    """
    scheme = run.model_scheme
    measures = (*_MEASURES, *share_columns(scheme))
    table = run.found_columns(["class_name", "x", "y", *measures])
    columns: dict[str, npt.NDArray[np.float32]] = {}
    if "network" in groups:
        known = run.features().astype(np.float32)
        columns |= {f"network_{number}": known[:, number] for number in range(known.shape[1])}
    if "measures" in groups:
        columns |= {name: table[name].to_numpy().astype(np.float32) for name in measures}
    if "surroundings" in groups:
        question = run.facts.question
        outline = None if run.roi is None else run.roi.polygon
        columns |= surroundings(
            table, scheme.names_with_other, run.region, question.slide_mpp, outline
        )
    values = np.stack(list(columns.values()), axis=1) if columns else np.empty((len(table), 0))
    return NucleusFeatures(tuple(columns), np.nan_to_num(values.astype(np.float32), copy=False))
