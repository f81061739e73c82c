"""The nuclei of a run as GeoParquet, for geopandas, DuckDB, R's sfarrow and QGIS.

The columns are those of the nucleus table: the outline (``geometry``) and the centroid (``x``,
``y``) in level-0 pixels of the slide, measures with their unit in the name. Level-0 pixels are no
place on Earth, so the file names no coordinate reference system.
"""

from pathlib import Path

from seg_core.export.files import new_file
from seg_core.export.rows import chosen_nuclei
from seg_core.store import Run
from seg_core.store.table import write_geoparquet


def write_nuclei_geoparquet(
    run: Run, path: Path, *, other: bool = False, force: bool = False
) -> int:
    """Write a row for each nucleus, a part of the table at a time.

    Parameters
    ----------
    run : Run
    path : Path
    other : bool
        Also write the nuclei that no class names.
    force : bool
        Replace a file of that name.

    Returns
    -------
    rows : int
        Number of nuclei written.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    StoreError
        If the run has no nuclei yet.
    """
    parts = chosen_nuclei(run, other=other)
    with new_file(path, force=force) as temporary:
        return write_geoparquet(parts, temporary, run.scheme)
