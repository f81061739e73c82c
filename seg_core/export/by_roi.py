"""A file for each ROI that counts, of any format: what a study of regions takes away."""

import re
from collections.abc import Container, Iterator
from dataclasses import replace
from pathlib import Path

from seg_core.errors import ExportError
from seg_core.export.formats import Format
from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.scoring import Part, parts_of
from seg_core.store import Run

_LONGEST_NAME = 60

_END = re.compile(r"(\.(geojson|json|zarr|ome))?(\.[^.]*)?$", re.IGNORECASE)


def counting_parts(
    run: Run, options: ExportOptions = DEFAULTS, only: Container[str] | None = None
) -> list[Part]:
    """Return the ROIs that count and have something of the run, or those of them of some names."""
    return [
        part
        for part in parts_of(run, options.rois_of(run))[1:]
        if part.polygon.area > 0 and (only is None or part.name in only)
    ]


def write_by_roi(
    form: Format,
    run: Run,
    path: Path,
    options: ExportOptions = DEFAULTS,
    only: Container[str] | None = None,
) -> Iterator[Path]:
    """Write a file for each ROI that counts, each whole or not at all.

    The files are called as ``path`` with the ROI's name before its end: ``nuclei-nest.geojson.gz``. Their ``part`` says which one it is, inside of the file, too.

    Parameters
    ----------
    form : Format
    run : Run
    path : Path
    options : ExportOptions
        Its ``part`` is that of each file.
    only : container of str, optional
        Names of the ROIs that have one, as `seg_core.scoring.parts_of` names them; by default all.

    Yields
    ------
    path : Path
        Of each file, once it is written.

    Raises
    ------
    ExportError
        If no ROI counts, or a file cannot be written.
    SegCoreError
        As the format's writer says.
    """
    parts = counting_parts(run, options, only)
    if not parts:
        raise ExportError(
            "no ROI lies on what was analysed, so there is no file by ROI; draw one, or name a file with --roi."
        )
    taken: set[str] = set()
    for part in parts:
        beside = path.with_name(named(path.name, _free(part.name, taken)))
        form.write(run, beside, replace(options, part=part))
        yield beside


def _free(name: str, taken: set[str]) -> str:
    """Return what of a name a file can be called by, with a number behind it where it is taken."""
    plain = plain_name(name)
    free, number = plain, 1
    while free.casefold() in taken:  # some disks take Nest for nest
        number += 1
        free = f"{plain} {number}"
    taken.add(free.casefold())
    return free


def plain_name(name: str) -> str:
    """Return what of a region's name a file can be called by.

    Examples
    --------
    >>> plain_name("nest 1/2"), plain_name("..")
    ('nest 1_2', 'ROI')
    """
    return re.sub(r"[^\w ().-]+", "_", name).strip(" .")[:_LONGEST_NAME] or "ROI"


def named(file: str, name: str) -> str:
    """Return a file's name with another one before its end.

    Examples
    --------
    >>> named("a.b.csv", "nest"), named("nuclei.geojson.gz", "nest"), named("maps.ome.tif", "nest")
    ('a.b-nest.csv', 'nuclei-nest.geojson.gz', 'maps-nest.ome.tif')
    """
    end = _END.search(file)
    assert end is not None, "it matches nothing, too"
    return f"{file[: end.start()]}-{name}{end[0]}"
