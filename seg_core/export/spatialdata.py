"""A run as a SpatialData store: its nuclei, their measures, the slide and the class map together.

====================  ==============================================================
``images/slide``      the analysed part in red, green and blue, at most 4096 pixels a side
``labels/class_map``  the class map of the part, as fine as the store has it within that
``shapes/nuclei``     outlines, level-0 pixels, named by ``nucleus_id``
``tables/measures``   the AnnData of `seg_core.export.anndata`, annotating the outlines
``tables/classes``    name of each class, annotating the class map
====================  ==============================================================

All are placed in two coordinate systems, ``global`` (level-0 pixels of the slide) and ``um`` (µm
from the corner of level 0). SpatialData has no empty shapes: a run without nuclei has none, and
its table annotates nothing.
"""

import json
import shutil
import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from seg_core.export.anndata import make_anndata
from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.files.atomic import new_file, new_folder, scratch_folder
from seg_core.geometry import Raster, Window
from seg_core.slide import Slide
from seg_core.store import Run

if TYPE_CHECKING:
    from spatialdata import SpatialData

_LARGEST_PX = 4096
_CHUNK_PX = 512

_SLIDE, _CLASS_MAP, _NUCLEI = "slide", "class_map", "nuclei"
_MEASURES, _CLASSES = "measures", "classes"


def write_spatialdata(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> int:
    """Write a ``.zarr`` folder, or such a folder packed into a ``.zip``.

    The table of nuclei is held in memory, some kilobyte a nucleus.

    Parameters
    ----------
    run : Run
    path : Path
        Of the folder; if it ends in ``.zip``, of the file that holds it.
    options : ExportOptions
        ``other``, ``min_score``, ``anonymous`` and ``force``, which replaces a SpatialData store or a
        ``.zip`` only.

    Returns
    -------
    nuclei : int
        Number of nuclei written.

    Raises
    ------
    ExportError
        If there is something of that name already, it cannot be written, or the slide is another
        one now.
    SlideError
        If the slide is no longer there or cannot be read.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    if path.suffix.lower() == ".zip":
        with (
            new_file(path, force=options.force) as temporary,
            scratch_folder(path) as folder,
        ):
            inside = folder / (path.stem.removesuffix(".zarr") + ".zarr")
            count = _write(run, inside, options)
            packed = shutil.make_archive(str(folder / "packed"), "zip", folder, inside.name)
            Path(packed).replace(temporary)
        return count
    with new_folder(path, replaceable=_is_store, force=options.force) as temporary:
        return _write(run, temporary, options)


def _is_store(path: Path) -> bool:
    try:
        facts = json.loads((path / "zarr.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return "spatialdata_attrs" in facts.get("attributes", {})


def _write(run: Run, path: Path, options: ExportOptions) -> int:
    # an optional package, and slow to import
    from spatialdata import SpatialData

    parts = options.counted(run).nuclei(run)
    table = pd.concat(list(parts))
    with closing(run.open_slide()) as slide:
        store = SpatialData(
            images={_SLIDE: _image(run, slide)},
            labels={_CLASS_MAP: _class_map(run)},
            shapes={_NUCLEI: _outlines(run, table)} if len(table) else {},
            tables={_MEASURES: _measures(run, table, options), _CLASSES: _class_names(run)},
        )
    _save(store, path)
    return len(table)


def _save(store: "SpatialData", path: Path) -> None:
    with warnings.catch_warnings():
        # about a default of anndata's next version, for each array of each table
        warnings.filterwarnings("ignore", message="zarr v3 autosharding")
        store.write(path)


def _image(run: Run, slide: Slide) -> Any:
    from spatialdata.models import Image2DModel

    step = max(run.raster.downsample, max(run.region.width, run.region.height) / _LARGEST_PX)
    grid = Raster(run.region, mpp=step * run.slide_mpp, downsample=step)
    rgb = np.empty((grid.height, grid.width, 3), dtype=np.uint8)
    for y in range(0, grid.height, _CHUNK_PX):
        window = Window(0, y, grid.width, min(_CHUNK_PX, grid.height - y))
        rgb[window.slices()] = slide.read(grid, window)
    return Image2DModel.parse(
        np.moveaxis(rgb, 2, 0),
        dims=("c", "y", "x"),
        c_coords=["r", "g", "b"],
        chunks=(3, _CHUNK_PX, _CHUNK_PX),
        transformations=_placed(run, step, (run.region.x, run.region.y)),
    )


def _class_map(run: Run) -> Any:
    from spatialdata.models import Labels2DModel

    window, maps, level = run.window, run.maps(), 0
    while max(window.width, window.height) > _LARGEST_PX << level and level + 1 < maps.level_count:
        level += 1
    left, top = window.x >> level, window.y >> level
    right, bottom = -(-window.right >> level), -(-window.bottom >> level)
    seen = Window(left, top, right - left, bottom - top)
    step = run.raster.downsample * 2**level
    ((x, y),) = run.raster.to_level0([[left << level, top << level]])
    return Labels2DModel.parse(
        maps.read_map("class", seen, level),
        dims=("y", "x"),
        chunks=(_CHUNK_PX, _CHUNK_PX),
        transformations=_placed(run, step, (x, y)),
    )


def _outlines(run: Run, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    from spatialdata.models import ShapesModel

    index = pd.Index(table["nucleus_id"].to_numpy(dtype=np.int64), name="nucleus_id")
    return ShapesModel.parse(
        gpd.GeoDataFrame(geometry=table.geometry.to_numpy(), index=index),
        transformations=_placed(run, 1.0, (0.0, 0.0)),
    )


def _measures(run: Run, table: gpd.GeoDataFrame, options: ExportOptions) -> Any:
    data = make_anndata(run, pd.DataFrame(table.drop(columns="geometry")), options)
    data.obs.index.name = None  # as text; the column of that name holds numbers
    data.obs["nucleus_id"] = table["nucleus_id"].to_numpy(dtype=np.int64)
    return _annotating(data, _NUCLEI, "nucleus_id") if len(table) else data


def _class_names(run: Run) -> Any:
    from anndata import AnnData

    classes = run.model_scheme.classes
    names = [each.name for each in classes]
    obs = pd.DataFrame(
        {
            "class_id": np.array([each.id for each in classes], dtype=np.int64),
            "class_name": pd.Categorical(names, categories=names),
        },
        index=pd.Index(names, dtype=object),
    )
    colours = np.array([run.model_scheme.colours[name] for name in names])
    data = AnnData(obs=obs, uns={"class_name_colors": colours})
    return _annotating(data, _CLASS_MAP, "class_id")


def _annotating(data: Any, element: str, key: str) -> Any:
    from spatialdata.models import TableModel

    data.obs["region"] = pd.Categorical([element] * len(data))
    return TableModel.parse(data, region=element, region_key="region", instance_key=key)


def _placed(run: Run, step: float, corner: tuple[float, float]) -> dict[str, Any]:
    """Return where pixels of ``step`` level-0 pixels lie whose corner is a level-0 pixel."""
    from spatialdata.transformations import Scale, Sequence, Translation

    axes = ("x", "y")
    on_slide = [Scale([step, step], axes=axes), Translation(list(corner), axes=axes)]
    slide_mpp = run.slide_mpp
    return {
        "global": Sequence(on_slide),
        "um": Sequence([*on_slide, Scale([slide_mpp, slide_mpp], axes=axes)]),
    }
