"""The nuclei of a run as GeoParquet, for geopandas, DuckDB, R's sfarrow and QGIS.

The columns have the names of the CSV's: the outline (``geometry``) and the centroid (``x_px``,
``y_px``) in level-0 pixels of the slide, the centroid in µm (``x_um``, ``y_um``), measures with their
unit in the name. Level-0 pixels are no place on Earth, so the file names no coordinate reference
system. What was counted, and who named it, stands in its metadata under ``counted``, as JSON.
"""

import json
from pathlib import Path

from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.export.places import with_places
from seg_core.files.atomic import new_file
from seg_core.nuclei import empty_table, label_uncertain
from seg_core.store import Run
from seg_core.store.nuclei_file import write_geoparquet


def write_nuclei_geoparquet(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> int:
    """Write a row for each nucleus, a part of the table at a time.

    Parameters
    ----------
    run : Run
    path : Path
    options : ExportOptions
        ``other``, ``min_score``, ``part``, ``rois``, ``anonymous`` and ``force``.

    Returns
    -------
    rows : int
        Number of nuclei written.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    counted = options.counted(run)
    empty = label_uncertain(empty_table(run.model_scheme), options.min_score)
    told = json.dumps(options.told(run), ensure_ascii=False)
    slide_mpp, rois = run.slide_mpp, options.rois_of(run)
    with new_file(path, force=options.force) as temporary:
        return write_geoparquet(
            (with_places(table, slide_mpp, rois) for table in counted.nuclei(run)),
            temporary,
            with_places(empty, slide_mpp, rois),
            metadata={b"counted": told.encode()},
        )
