"""From nuclei and tissue to TIL scores.

TILs are the lymphocytes; neutrophils and macrophages never count, and the denominator is the area
of stroma, not nuclei (International TILs Working Group: Salgado et al. 2015, Hendry et al. 2017).
A nucleus belongs to the compartment that its centroid lies in.
"""

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from itertools import starmap

import geopandas as gpd
import pandas as pd
import shapely

from seg_core.apart import apart
from seg_core.classes import MONUSAC, ClassScheme
from seg_core.errors import there_are
from seg_core.process.progress import CountCallback
from seg_core.slide.tissue import TissueMask
from seg_core.til.cells import COMPARTMENTS, NEEDED_ROLES, areas_mm2, counts_of, locate, with_roles
from seg_core.til.compartments import Compartments, find_compartments
from seg_core.til.field import MM2_PER_UM2, find_field
from seg_core.til.interval import Estimate, Grid, ratio_estimate
from seg_core.til.neighbours import cross_functions, distances_to_epithelium, summarise_distances
from seg_core.til.result import Hotspots, Phenotype, PhenotypeName, Sensitivity, TilResult
from seg_core.til.score import Score
from seg_core.til.score_list import Inputs, ScoreList, cross_formula
from seg_core.til.score_settings import TilSettings
from seg_core.til.square_scores import (
    colocalisations,
    count_column,
    find_hotspots,
    phenotype_squares,
    score_squares,
)
from seg_core.til.tumour import Tumour


def score_tils(
    nuclei: gpd.GeoDataFrame,
    tissue: TissueMask,
    *,
    scheme: ClassScheme = MONUSAC,
    within: shapely.Geometry | None = None,
    tumour: Tumour | None = None,
    settings: TilSettings | None = None,
    report: CountCallback | None = None,
) -> TilResult:
    """Score the tumour-infiltrating lymphocytes of a slide or of ROIs on it.

    The result does not depend on the order of the nuclei.

    Parameters
    ----------
    nuclei : NucleusTable
        Those outside the field are left out.
    tissue : TissueMask
        Its raster also says how large a level-0 pixel is.
    scheme : ClassScheme
        Classes of the model, whose roles say which nuclei are lymphocytes and which epithelium.
    within : shapely.Polygon or MultiPolygon, optional
        Level-0 pixels: what was analysed, or a ROI in it, less what a reader excludes (necrosis,
        carcinoma in situ, artefacts). Everything is restricted to it, the nuclei that make
        epithelium too; by default nothing is.
    tumour : Tumour, optional
        What a reader has drawn as tumour: everything is restricted to that as well, and all tissue
        of it outside E is S.
    settings : TilSettings, optional
    report : callable, optional
        Called with the number of steps done and of all steps.

    Returns
    -------
    result : TilResult

    Raises
    ------
    RegionError
        If no tissue can lie in it.
    ModelError
        If the model tells lymphocytes or epithelium not apart from other nuclei.
    """
    scheme.require_roles(NEEDED_ROLES, "TIL scores")
    settings = settings or TilSettings()
    step = _steps(len(settings.other_dilations_um), report)
    step()
    field = find_field(tissue, settings, within, tumour)
    nuclei = nuclei[field.holds(nuclei["x"], nuclei["y"])]
    nuclei = nuclei.sort_values(["x", "y", "area_um2", "class_name"], ignore_index=True)
    nuclei = with_roles(nuclei, scheme)
    epithelial = nuclei[nuclei["role"] == "epithelium"]
    at_dilations = find_compartments(field, epithelial, settings)
    _, compartments = next(at_dilations)
    step()
    cells = locate(nuclei, compartments)
    areas, counts = areas_mm2(compartments), counts_of(cells, scheme)
    # who has drawn the tumour has said what the nuclei alone cannot
    sure = 1.0 if tumour is not None else cells.sure_epithelium(settings.sure_score)
    reason = _why_not(areas, counts, sure, settings)
    squares = score_squares(cells, compartments, settings)
    if reason is None:
        squares, found_hotspots = find_hotspots(squares, settings)
        sensitivity = _sensitivities(nuclei, at_dilations, step)
    else:
        found_hotspots, sensitivity = Hotspots(len(squares), reason=reason), ()
    big = phenotype_squares(cells, compartments, settings)
    distances_um = distances_to_epithelium(cells)
    inputs = Inputs(areas, counts, float(cells.lymphocytes_in("stroma")["area_um2"].sum()))
    stil = _stil(squares, settings, reason)
    phenotype = _phenotype(big, settings, reason)
    morisita_horn = colocalisations(cells, field, settings, reason)
    distances = summarise_distances(distances_um, settings, reason)
    make = ScoreList(inputs, settings, reason)
    scores: tuple[Score, ...] = (
        make.area(stil),
        make.tiger(),
        *make.densities({name: _density(squares, name, settings, reason) for name in COMPARTMENTS}),
        make.etils(),
        make.intraepithelial_ratio(),
        make.phenotype(phenotype),
        *make.morisita_horn(morisita_horn),
        *make.hotspots(found_hotspots),
        *make.distances(distances),
        *make.composition(),
    )
    return TilResult(
        evaluable=reason is None,
        reason=reason,
        scores=scores,
        phenotype=phenotype,
        morisita_horn=morisita_horn,
        hotspots=found_hotspots,
        distances=distances,
        cross=cross_functions(cells, field, settings, reason),
        counts=counts,
        areas_mm2=areas,
        sensitivity=sensitivity,
        curves=cross_formula(settings),
        settings=settings,
        squares=squares,
        phenotype_squares=big,
        distances_um=distances_um,
        compartments=compartments,
    )


def _steps(dilations: int, report: CountCallback | None) -> Callable[[], None]:
    """Return what is to be called as each step begins: compartments, squares, dilations, neighbours.

    It tells ``report`` how many steps are done, and of how many.
    """
    total, begun = 3 + dilations, itertools.count()

    def step() -> None:
        done = next(begun)
        if report is not None:
            report(done, total)

    return step


def _why_not(
    areas: dict[str, float], counts: dict[str, int], sure: float, settings: TilSettings
) -> str | None:
    if areas["tissue"] < settings.min_tissue_mm2:
        there, _ = apart(areas["tissue"], settings.min_tissue_mm2, places=2)
        return (
            f"not evaluable: a score needs at least {settings.min_tissue_mm2:g} mm² of tissue; "
            f"there is {there} mm²."
        )
    if counts["epithelial"] < settings.min_epithelial_nuclei:
        return (
            f"not evaluable: a score needs at least {settings.min_epithelial_nuclei} epithelial "
            f"nuclei; {there_are(counts['epithelial'])}."
        )
    if not areas["stroma"] > 0:
        return "not evaluable: no stroma was found beside epithelium."
    if sure < settings.min_sure_share:
        found, least = apart(100 * sure, 100 * settings.min_sure_share)
        return (
            f"not evaluable: only {found} % of the {counts['epithelial']:,} nuclei called epithelial lie in "
            f"nests and have a class score of {settings.sure_score:g} or more, and a score needs "
            f"{least} %; the others may be endothelium, muscle or plasma cells, so nobody "
            "can say what is tumour here. Draw a ROI of the kind tumour around the tumour that you see."
        )
    return None


def _stil(squares: pd.DataFrame, settings: TilSettings, reason: str | None) -> Estimate:
    covered, stroma = squares["lymphocyte_in_stroma_um2"], squares["stroma_um2"]
    return _estimate(squares, covered, stroma, 100.0, settings, reason, at_most=100.0)


def _density(
    squares: pd.DataFrame, compartment: str, settings: TilSettings, reason: str | None
) -> Estimate:
    counts, areas = squares[count_column(compartment)], squares[f"{compartment}_um2"]
    return _estimate(squares, counts, areas, 1 / MM2_PER_UM2, settings, reason)


def _estimate(
    squares: pd.DataFrame,
    top: pd.Series,
    bottom: pd.Series,
    scale: float,
    settings: TilSettings,
    reason: str | None,
    at_most: float = float("inf"),
) -> Estimate:
    if reason is not None:
        return Estimate(None, reason=reason)
    rows, columns = (squares[name].to_numpy() for name in ("row", "column"))
    return ratio_estimate(
        top,
        bottom,
        Grid(rows, columns, settings.square_um),
        scale=scale,
        at_most=at_most,
        min_squares=settings.min_blocks,
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
            f"{settings.phenotype_square_um:,g} µm; {there_are(valid)}."
        )
    if reason is not None:
        return Phenotype(None, valid, inflamed, excluded, desert, reason)
    name: PhenotypeName = "desert"
    if inflamed / valid > settings.phenotype_share:
        name = "inflamed"
    elif excluded / valid > settings.phenotype_share:
        name = "excluded"
    return Phenotype(name, valid, inflamed, excluded, desert)


def _sensitivities(
    nuclei: gpd.GeoDataFrame,
    at_dilations: Iterator[tuple[float, Compartments]],
    step: Callable[[], None],
) -> tuple[Sensitivity, ...]:
    found = []
    step()
    # A loop variable would hold the map of one dilation while that of the next is made.
    for each in starmap(partial(_sensitivity, nuclei), at_dilations):
        found.append(each)
        step()
    return tuple(found)


def _sensitivity(
    nuclei: gpd.GeoDataFrame, dilation_um: float, compartments: Compartments
) -> Sensitivity:
    areas = areas_mm2(compartments)
    lymphocytes = nuclei[nuclei["role"] == "lymphocyte"]
    _, in_stroma = compartments.places(lymphocytes["x"], lymphocytes["y"])
    covered_um2 = float(lymphocytes["area_um2"][in_stroma].sum())
    stroma_um2 = areas["stroma"] / MM2_PER_UM2
    return Sensitivity(
        dilation_um,
        100 * covered_um2 / stroma_um2 if stroma_um2 else None,
        areas["epithelium"],
        areas["stroma"],
    )
