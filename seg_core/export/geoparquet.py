"""The nuclei of a run as GeoParquet, for geopandas, DuckDB, R's sfarrow and QGIS.

The columns are those of the nucleus table: the outline (``geometry``) and the centroid (``x``,
``y``) in level-0 pixels of the slide, measures with their unit in the name. Level-0 pixels are no
place on Earth, so the file names no coordinate reference system.
"""

from pathlib import Path

from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.files.atomic import new_file
from seg_core.nuclei import empty_table, label_uncertain
from seg_core.store import Run
from seg_core.store.chosen import chosen_nuclei
from seg_core.store.nuclei_file import write_geoparquet


def write_nuclei_geoparquet(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> int:
    """Write a row for each nucleus, a part of the table at a time.

    Parameters
    ----------
    run : Run
    path : Path
    options : ExportOptions
        ``other``, ``min_score`` and ``force``.

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
    parts = chosen_nuclei(run, other=options.other, min_score=options.min_score)
    with new_file(path, force=options.force) as temporary:
        return write_geoparquet(
            parts, temporary, label_uncertain(empty_table(run.model_scheme), options.min_score)
        )
