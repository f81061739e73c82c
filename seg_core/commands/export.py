"""The command ``export``."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from seg_core.commands.moved_slide import add_slide, needed_slide
from seg_core.commands.terminal import Subparsers, fail, say
from seg_core.commands.til import add_as_found, rois_asked, run_asked
from seg_core.errors import SegCoreError
from seg_core.export.by_roi import write_by_roi
from seg_core.export.formats import FORMATS, Format
from seg_core.export.options import ExportOptions
from seg_core.files.outputs import refuse_inputs
from seg_core.store import Run, open_run


def add_export(subparsers: Subparsers) -> None:
    """Add ``export``: write files from a finished run."""
    parser = subparsers.add_parser(
        "export",
        help="write files from a finished run",
        description="Write files from a finished run.",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="the folder analyse has named")
    for each in FORMATS:
        parser.add_argument(
            each.option, dest=each.name, metavar=each.metavar, type=Path, help=each.words
        )
    parser.add_argument(
        "--simplify",
        metavar="UM",
        type=float,
        default=0.0,
        help="simplify the outlines of the GeoJSON by at most so many µm",
    )
    parser.add_argument(
        "--roi",
        metavar="FILE",
        type=Path,
        help="GeoJSON polygons, of which those to exclude are left out of every file; by default those "
        "that the store keeps with a slide of this machine; what is drawn on a sample or an upload "
        "belongs to the browser: save it under Files and give it here",
    )
    parser.add_argument(
        "--by-roi",
        action="store_true",
        help="one file for each ROI that counts, its name before the dot: nuclei-nest.csv",
    )
    parser.add_argument("--other", action="store_true", help="also nuclei that no class names")
    parser.add_argument(
        "--min-score",
        metavar="SHARE",
        type=float,
        default=0.0,
        help="call nuclei with a lower class score uncertain; their class is then voted_class",
    )
    add_slide(parser)
    add_as_found(parser)
    parser.add_argument("--comment", default="", metavar="WORDS", help="stands in the report")
    parser.add_argument("--anonymous", action="store_true", help="leave out the name of the slide")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.set_defaults(run=_export, parser=parser)


def _export(options: argparse.Namespace) -> int:
    paths = [(getattr(options, each.name), each) for each in FORMATS]
    wanted = [(path, each) for path, each in paths if path is not None]
    if not wanted:
        options.parser.error("name a file to write, for instance --csv nuclei.csv.")
    run = run_asked(open_run(options.run_folder), options)
    read = [run.slide_path, *(each for each in run.path.rglob("*") if each.is_file())]
    refuse_inputs([path for path, _ in wanted], [*read, *filter(None, [options.roi])])
    asked = ExportOptions(
        other=options.other,
        min_score=options.min_score,
        anonymous=options.anonymous,
        comment=options.comment,
        simplify_um=options.simplify,
        rois=None if options.roi is None else rois_asked(run, options.roi),
        force=options.force,
    )
    status = 0
    for path, each in wanted:
        try:
            with needed_slide(run):
                for file in _written(each, run, path, asked, by_roi=options.by_roi):
                    say(f"{file} written.")
        except SegCoreError as error:
            status = fail(error)
    return status


def _written(
    form: Format, run: Run, path: Path, asked: ExportOptions, *, by_roi: bool
) -> Iterator[Path]:
    """Write one file, or one for each ROI where the format can be had of a part."""
    if by_roi and form.by_part:
        yield from write_by_roi(form, run, path, asked)
    else:
        form.write(run, path, asked)
        yield path
