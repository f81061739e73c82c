"""What a classifier is told of each nucleus: four groups of columns, by name."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.nuclei.nucleus_table import share_columns
from seg_core.store import Run
from seg_core.teaching.neighbourhood import AROUND_UM, Neighbours, surroundings

FeatureGroup = Literal["network", "measures", "surroundings", "neighbours"]

FEATURE_GROUPS: tuple[FeatureGroup, ...] = get_args(FeatureGroup)
"""What the network knows of a nucleus, what is measured of it, what stands around it, and what the
network knows of its neighbours. Names of the last follow all others."""

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
    table = _table(run)
    columns = _measured(run, table, groups)
    asked = {"network", "neighbours"} & {*groups}
    known = _known(run) if asked else np.empty((len(table), 0), np.float16)
    network = network_names(known.shape[1]) if "network" in groups else ()
    near = neighbour_names(known.shape[1]) if "neighbours" in groups else ()
    names = (*network, *columns, *near)
    # filled column by column: of a million nuclei a second copy would take 800 MB
    matrix = np.empty((len(table), len(names)), np.float32)
    if network:
        matrix[:, : len(network)] = known
    for place, name in enumerate(columns, start=len(network)):
        matrix[:, place] = columns[name]
    if near:
        _neighbours(run, table, known).means(matrix[:, -len(near) :])
    return NucleusFeatures(names, np.nan_to_num(matrix, copy=False))


def neighbours_of(run: Run) -> Neighbours:
    """Return the neighbours of each nucleus of a run, and what the network knows of them.

    Raises
    ------
    StoreError
        As `features_of_run` does.
    """
    return _neighbours(run, run.found_columns(["x", "y"]), _known(run))


def network_names(count: int) -> tuple[str, ...]:
    """Return the names of the group *network* where it knows so many numbers of a nucleus."""
    return tuple(f"network_{number}" for number in range(count))


def neighbour_names(count: int) -> tuple[str, ...]:
    """Return the names of the group *neighbours*: the means of these numbers."""
    return tuple(f"mean_{name}_{AROUND_UM:g}" for name in network_names(count))


def is_of_neighbours(name: str) -> bool:
    """Whether a feature is of the group *neighbours*."""
    return name.startswith("mean_network_")


def depend_on_names(features: Iterable[str]) -> bool:
    """Whether any of some features follows how the model has named a nucleus or those around it."""
    return not all(
        name.startswith("network_") or is_of_neighbours(name) or name in _MEASURES
        for name in features
    )


def _table(run: Run) -> pd.DataFrame:
    measures = (*_MEASURES, *share_columns(run.model_scheme))
    return run.found_columns(["class_name", "x", "y", *measures])


def _measured(
    run: Run, table: pd.DataFrame, groups: tuple[FeatureGroup, ...]
) -> dict[str, npt.NDArray[np.float32]]:
    columns: dict[str, npt.NDArray[np.float32]] = {}
    scheme, question = run.model_scheme, run.facts.question
    if "measures" in groups:
        measures = (*_MEASURES, *share_columns(scheme))
        columns |= {name: table[name].to_numpy().astype(np.float32) for name in measures}
    if "surroundings" in groups:
        outline = None if run.roi is None else run.roi.polygon
        columns |= surroundings(
            table, scheme.names_with_other, run.region, question.slide_mpp, outline
        )
    return columns


def _known(run: Run) -> npt.NDArray[np.float16]:
    known = run.features()
    return known if np.isfinite(known).all() else np.nan_to_num(known)


def _neighbours(run: Run, table: pd.DataFrame, known: npt.NDArray[np.float16]) -> Neighbours:
    points = table[["x", "y"]].to_numpy()
    return Neighbours(known, points, run.region, run.facts.question.slide_mpp)
