"""Measure a run by what somebody labelled on its slide."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from seg_core.classes import OTHER, ClassScheme
from seg_core.errors import DataError
from seg_core.evaluation.area_scores import InArea, Setting, score_dotted, score_outlines
from seg_core.evaluation.dots import dot_figures, dot_intervals
from seg_core.evaluation.metrics import (
    BOOTSTRAP_SAMPLES,
    BOOTSTRAP_SEED,
    DETECTION_RADIUS_UM,
    FEW_PATIENTS,
    figures_of,
    intervals_of,
)
from seg_core.evaluation.result_parts import (
    differences_of,
    figures_of_image,
    nuclei_counted,
    protocol_of,
)
from seg_core.evaluation.scored_areas import (
    areas_of_dots,
    areas_of_outlines,
    scored_areas,
)
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.slide_reference import MappedReference
from seg_core.nuclei.ternary import RIM_PX
from seg_core.roi import Roi
from seg_core.store import Run

BORDER_RULE = (
    "A nucleus counts where its centroid lies, whole; a predicted one that is the same as one of the "
    "reference (IoU above 0.5, or found by its dot) counts where that one does."
)


@dataclass(frozen=True, eq=False)
class RunEvaluation:
    """How good a run is.

    Attributes
    ----------
    result : dict
        Ready for JSON, as of ``evaluate``; ``per_area`` instead of ``per_image``.
    outcomes : GeoDataFrame
        A row a nucleus: ``outcome``, ``reference_class`` and ``called`` (empty where it is not in
        the reference, or not found), ``nucleus_id`` of the run (0 none), ``area``, ``x``, ``y`` and
        its outline, or its dot, level-0 pixels.
    scores : list of ImageScore or DotScore
        One an area.
    """

    result: dict[str, Any]
    outcomes: gpd.GeoDataFrame
    scores: list[Any] = field(repr=False)


def evaluate_run(
    run: Run,
    reference: MappedReference,
    rois: Sequence[Roi] = (),
    *,
    analysed: shapely.Geometry | None = None,
) -> RunEvaluation:
    """Measure a run by a reference.

    Scored is what lies inside the annotated regions: those of the reference, else those of
    ``rois``, else all that was analysed. See `BORDER_RULE` for nuclei on a border. Nuclei are
    painted on pixels as fine as the slide's or the model's, whichever are finer, and measured as
    those of an image.

    Parameters
    ----------
    run : Run
        A finished one; as it stands, with what a classifier and people said since.
    reference : MappedReference
    rois : sequence of Roi
        Regions in which every nucleus is labelled, where the reference names none; of kind exclude
        where nothing counts.
    analysed : shapely geometry, optional
        What may be scored at most, instead of all that the run analysed.

    Raises
    ------
    DataError
        If nothing of the annotated regions was analysed.
    StoreError
        If the run is not finished.
    """
    table = run.nuclei()
    scheme = run.scheme
    mpp = run.slide_mpp
    labelled = reference.areas or [(roi.name, roi.polygon) for roi in rois if roi.counts]
    # an empty one is false, and not the same as none
    areas = scored_areas(labelled, analysed_part(run) if analysed is None else analysed, mpp)
    excluded = [roi.polygon for roi in rois if not roi.counts]
    ignored = shapely.union_all([reference.ignored, *excluded])
    classed = bool((reference.classes != UNKNOWN).any())
    fine = max(1, math.ceil(mpp / run.raster.mpp - 0.05))
    setting = Setting(run.scheme, mpp / fine, fine, ignored, classed)
    predicted = table.geometry.to_numpy()
    of_areas = (
        areas_of_dots(reference.shapes, predicted, areas, mpp)
        if reference.has_dots
        else areas_of_outlines(reference.shapes, predicted, areas)
    )
    sides = [
        InArea(
            area,
            reference.shapes[of_areas[0] == number],
            reference.classes[of_areas[0] == number],
            table[of_areas[1] == number],
        )
        for number, area in enumerate(areas)
    ]
    areas_named = len({each.area for each in areas})
    patients = [each.area if areas_named > 1 else each.name for each in areas]
    every = not classed or bool((reference.classes == scheme.id_of(OTHER)).any())
    measure = _measure_dots if reference.has_dots else _measure_outlines
    scores, outcomes, figures = measure(sides, patients, setting, every)
    return RunEvaluation(
        {
            "run": run.run_id,
            "slide": run.slide_path.name,
            "reference_file": reference.name,
            "model": run.facts.question.model_to_json(),
            "said_since": run.said_since(),
            "areas": areas_named,
            "squares": len(areas),
            "mpp": setting.mpp,
            "bootstrap": {
                "samples": BOOTSTRAP_SAMPLES,
                "seed": BOOTSTRAP_SEED,
                "over": _resampled(areas_named, len(areas)),
                "rough": areas_named < FEW_PATIENTS,
            },
            **figures,
            "protocol": figures["protocol"]
            | {
                "scored": "annotated regions" if labelled else "all that was analysed",
                "border": BORDER_RULE,
                "pixels": "pixel figures are of the nuclei painted in their class",
            },
            "notes": list(reference.notes),
        },
        gpd.GeoDataFrame(pd.concat(outcomes, ignore_index=True), geometry="geometry"),
        scores,
    )


def compare_runs(
    first: Run,
    second: Run,
    references: tuple[MappedReference, MappedReference],
    rois: Sequence[Roi] = (),
) -> dict[str, Any]:
    """Measure two runs by one reference, where both have looked.

    Parameters
    ----------
    first, second : Run
    references : (MappedReference, MappedReference)
        The same for both, its classes among those of the one and those of the other.
    rois : sequence of Roi

    Returns
    -------
    result : dict
        Ready for JSON: ``first`` and ``second`` as `evaluate_run` gives them, and what
        `differences_of` says of both.

    Raises
    ------
    DataError
        If the runs are of different slides, or have no annotated region in common.
    """
    if first.slide_id != second.slide_id:
        raise DataError("two runs are compared on one slide; these are of different ones.")
    common = analysed_part(first).intersection(analysed_part(second))
    if not common.area:
        raise DataError(
            "these two analyses have no part of the slide in common; choose two that overlap."
        )
    one, two = (
        evaluate_run(run, reference, rois, analysed=common)
        for run, reference in zip((first, second), references, strict=True)
    )
    compared = differences_of(one.scores, two.scores, first.scheme, second.scheme)
    return {"first": one.result, "second": two.result, **compared}


def reference_of_run(run: Run, scheme: ClassScheme | None = None) -> MappedReference:
    """Return a run's answer with all that people corrected, as a reference.

    Parameters
    ----------
    run : Run
    scheme : ClassScheme, optional
        The classes of what is to be measured, by default those of the run. A nucleus whose class
        is not among them has no known class.

    Raises
    ------
    DataError
        If nobody has corrected anything.
    StoreError
        If the run is not finished.
    """
    if not run.corrections():
        raise DataError(
            f"the run {run.run_id} has no corrections by hand, so it is no reference; correct nuclei "
            "of it in the viewer first."
        )
    table = run.nuclei()
    scheme = scheme or run.scheme
    ids = {name: scheme.id_of(name) for name in scheme.names_with_other}
    classes = [ids.get(name, UNKNOWN) for name in table["class_name"]]
    return MappedReference(
        f"{run.run_id} (corrected by hand)",
        table.geometry.to_numpy(),
        np.array(classes, dtype=np.uint8),
        [],
        shapely.MultiPolygon(),
        (
            "The reference is a run as corrected by hand: nuclei that it missed are not in it.",
            _looked_at(run),
        ),
    )


def _looked_at(run: Run) -> str:
    """Say how much of a reference is people's word: what nobody has looked at agrees with itself."""
    said, found = len(run.journal().said()), sum(run.facts.counts.values())
    if said == found:
        return f"A person has named each of its {found:,} nuclei."
    return (
        f"A person has named {said:,} of its {found:,} nuclei; all others stand as they were found, "
        "as if that were right. Figures are too good wherever nobody has looked."
    )


def analysed_part(run: Run) -> shapely.Geometry:
    """Return what a run looked at, level-0 pixels."""
    if run.roi is not None:
        return run.roi.polygon
    region = run.region
    return shapely.box(region.x, region.y, region.right, region.bottom)


_Measured = tuple[list[Any], list[gpd.GeoDataFrame], dict[str, Any]]


def _measure_outlines(
    sides: Sequence[InArea], patients: Sequence[str], setting: Setting, every: bool
) -> _Measured:
    scored = [
        score_outlines(side, patient, setting, every=every)
        for side, patient in zip(sides, patients, strict=True)
    ]
    scores, scheme = [score for score, _ in scored], setting.scheme
    figures = figures_of(scores, scheme)
    result = {
        **nuclei_counted(figures, scheme),
        **figures,
        "interval95": intervals_of(scores, scheme),
        "protocol": protocol_of(every, scheme, RIM_PX, 0.0),
        "per_area": [
            figures_of_image(side.area.name, score, scheme)
            for side, score in zip(sides, scores, strict=True)
        ],
    }
    return scores, [found for _, found in scored], result


def _measure_dots(
    sides: Sequence[InArea], patients: Sequence[str], setting: Setting, every: bool
) -> _Measured:
    scored = [
        score_dotted(side, patient, setting, every=every)
        for side, patient in zip(sides, patients, strict=True)
    ]
    scores, scheme = [score for score, _ in scored], setting.scheme
    result = {
        "dots": dot_figures(scores, scheme),
        "interval95": {"dots": dot_intervals(scores, scheme)},
        "protocol": {"labels": "dots", "detection_radius_um": DETECTION_RADIUS_UM},
        "per_area": [
            {"name": side.area.name, "patient": score.patient, **dot_figures([score], scheme)}
            for side, score in zip(sides, scores, strict=True)
        ],
    }
    return scores, [found for _, found in scored], result


def _resampled(areas: int, squares: int) -> str | None:
    """Say what a bootstrap sample is drawn from; None where there is nothing to draw from."""
    if squares < 2:
        return None
    if areas < 2:
        return "squares of one area, which says nothing of other slides"
    again = squares > areas and areas < FEW_PATIENTS  # else a drawn area has all of its squares
    return "areas of one slide, then their squares" if again else "areas of one slide"
