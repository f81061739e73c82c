"""A run with as many nuclei as one likes, without an analysis: for measurements of what shows them."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from seg_core.classes import MONUSAC
from seg_core.geometry import Raster, Region
from seg_core.nuclei import column_types
from seg_core.nuclei.nucleus_table import make_table
from seg_core.question import Question
from seg_core.settings import AnalysisSettings
from seg_core.slide import open_slide, slide_id
from seg_core.store import MapsWriter, Run, RunFacts, RunWriter, Store, write_nuclei
from seg_core.store.run import MAPS_FOLDER, NUCLEI_FILE

_STARTED = "2026-01-01T00:00:00+00:00"


def make_crowded_run(slide_path: Path, store: Path, spacing_px: float) -> Run:
    """Write a finished run of a whole slide: a nucleus in each square of a grid, empty maps.

    Parameters
    ----------
    slide_path : Path
    store : Path
    spacing_px : float
        From one nucleus to the next, level-0 pixels; they nearly touch.
    """
    slide = open_slide(slide_path)
    mpp = slide.info.mpp
    assert mpp is not None, "the slide says how large a pixel is"
    raster = Raster(Region(0, 0, slide.info.width, slide.info.height), mpp, 1.0)
    table = crowd(raster.region, spacing_px)
    question = Question(
        *(slide_id(slide_path), raster, raster.region, None),
        *("crowd", "0" * 64, AnalysisSettings()),
    )
    folder = Store(store).folder(question)
    folder.mkdir(parents=True)
    with MapsWriter(folder / MAPS_FOLDER, raster):
        pass
    write_nuclei([table], folder / NUCLEI_FILE, MONUSAC)
    facts = RunFacts(
        *(question, slide.info, MONUSAC, "finished", "none", "none", {}),
        started=_STARTED,
        finished=_STARTED,
        counts=table["class_name"].value_counts().to_dict(),
    )
    return RunWriter(folder).write_facts(facts)


def crowd(region: Region, spacing_px: float) -> gpd.GeoDataFrame:
    """Return a table of round nuclei of any class, 32 corners each."""
    rng = np.random.default_rng(0)
    x, y = np.meshgrid(
        np.arange(region.x + spacing_px, region.right - spacing_px, spacing_px),
        np.arange(region.y + spacing_px, region.bottom - spacing_px, spacing_px),
    )
    count = x.size
    columns = {name: rng.uniform(0.3, 1, count) for name in column_types(MONUSAC)}
    columns |= {
        "nucleus_id": np.arange(1, count + 1),
        "class_name": rng.choice(MONUSAC.names, count),
        "x": x.ravel() + rng.uniform(-0.2, 0.2, count) * spacing_px,
        "y": y.ravel() + rng.uniform(-0.2, 0.2, count) * spacing_px,
    }
    radii = rng.uniform(0.3, 0.45, count) * spacing_px
    outlines = shapely.buffer(shapely.points(columns["x"], columns["y"]), radii, quad_segs=8)
    return make_table(columns, outlines, MONUSAC)
