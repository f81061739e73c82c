"""The command ``export``."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from seg_core.commands.terminal import Subparsers, fail, say
from seg_core.commands.til import rois_asked
from seg_core.errors import SegCoreError
from seg_core.export.anndata import write_anndata
from seg_core.export.csv import write_nuclei_csv, write_summary_csv, write_til_csv
from seg_core.export.geojson import write_geojson
from seg_core.export.geoparquet import write_nuclei_geoparquet
from seg_core.export.ome_tiff import write_ome_tiff
from seg_core.export.spatialdata import write_spatialdata
from seg_core.files.outputs import refuse_inputs
from seg_core.picture.slide_overlay import write_overlay_png
from seg_core.scoring import parts_of
from seg_core.scoring.assessment import assess_parts
from seg_core.store import Run, open_run


def add_export(subparsers: Subparsers) -> None:
    """Add ``export``: write files from a finished run."""
    parser = subparsers.add_parser(
        "export", help="write files from a finished run", description=add_export.__doc__
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="the folder analyse has named")
    parser.add_argument("--csv", metavar="FILE", type=Path, help="a row for each nucleus")
    parser.add_argument("--summary-csv", metavar="FILE", type=Path, help="a row for each class")
    parser.add_argument("--til-csv", metavar="FILE", type=Path, help="squares of the TIL scores")
    parser.add_argument(
        "--geojson", metavar="FILE", type=Path, help="outlines, as QuPath reads; also .geojson.gz"
    )
    parser.add_argument(
        "--simplify",
        metavar="UM",
        type=float,
        default=0.0,
        help="simplify the outlines of the GeoJSON by at most so many µm",
    )
    parser.add_argument(
        "--geoparquet", metavar="FILE", type=Path, help="outlines and measures, for geopandas"
    )
    parser.add_argument(
        "--anndata", metavar="FILE", type=Path, help="measures as .h5ad, for scanpy and squidpy"
    )
    parser.add_argument(
        "--spatialdata",
        metavar="DIR",
        type=Path,
        help="outlines, measures, class map and slide as a .zarr folder, or packed as a .zip; needs "
        "what requirements-spatialdata.txt names",
    )
    parser.add_argument(
        "--ome-tiff", metavar="FILE", type=Path, help="class map, ternary map and nuclei as pixels"
    )
    parser.add_argument(
        "--roi",
        metavar="FILE",
        type=Path,
        help="GeoJSON polygons for the TIL scores; by default those kept with the slide",
    )
    parser.add_argument("--other", action="store_true", help="also nuclei that no class names")
    parser.add_argument(
        "--overlay", metavar="FILE", type=Path, help="PNG of the slide with outlines and legend"
    )
    parser.add_argument(
        "--report",
        metavar="FILE",
        type=Path,
        help="one file with figures and pictures: a PDF if it ends in .pdf, else HTML",
    )
    parser.add_argument(
        "--min-score",
        metavar="SHARE",
        type=float,
        default=0.0,
        help="call nuclei with a lower class score uncertain; their class is then voted_class",
    )
    parser.add_argument("--anonymous", action="store_true", help="leave out the name of the slide")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.set_defaults(run=_export, parser=parser)


def _export(options: argparse.Namespace) -> int:
    least = {"min_score": options.min_score}
    writers: list[tuple[Path | None, Callable[..., object]]] = [
        (options.csv, partial(write_nuclei_csv, **least)),
        (options.summary_csv, partial(write_summary_csv, **least)),
        (options.til_csv, partial(_write_til_csv, rois=options.roi, **least)),
        (options.geojson, partial(write_geojson, simplify_um=options.simplify, **least)),
        (options.geoparquet, partial(write_nuclei_geoparquet, **least)),
        (options.anndata, partial(write_anndata, anonymous=options.anonymous, **least)),
        (options.spatialdata, partial(write_spatialdata, anonymous=options.anonymous, **least)),
        (options.ome_tiff, write_ome_tiff),
        (options.overlay, partial(write_overlay_png, **least)),
        (
            options.report,
            partial(_write_report, rois=options.roi, anonymous=options.anonymous, **least),
        ),
    ]
    wanted = [(path, write) for path, write in writers if path is not None]
    if not wanted:
        options.parser.error("name a file to write, for instance --csv nuclei.csv.")
    run = open_run(options.run_folder)
    read = [run.slide_path, *(each for each in run.path.rglob("*") if each.is_file())]
    refuse_inputs([path for path, _ in wanted], [*read, *filter(None, [options.roi])])
    status = 0
    for path, write in wanted:
        try:
            write(run, path, other=options.other, force=options.force)
        except SegCoreError as error:
            status = fail(error)
        else:
            say(f"{path} written.")
    return status


def _write_til_csv(
    run: Run, path: Path, *, rois: Path | None, min_score: float, other: bool, force: bool
) -> None:
    # Nuclei that no class names are in no score, so --other has no meaning here.
    assessed = assess_parts(run, parts_of(run, rois_asked(run, rois)), min_score=min_score)
    results = {part.name: part.result for part in assessed if part.result is not None}
    write_til_csv(results, path, force=force)


def _write_report(run: Run, path: Path, *, rois: Path | None, **options: Any) -> None:
    # plotly is slow to import, and other files need none
    from seg_core.report.report import write_report

    parts = parts_of(run, rois_asked(run, rois))
    assessed = list(assess_parts(run, parts, min_score=options["min_score"]))
    write_report(run, path, assessed=assessed, **options)
