"""The command line.

Exit status 0 done, 1 something failed (each failure is one sentence on stderr), 2 wrong use.
Progress goes to stderr. What a program wants to read goes to stdout: with ``--json`` its last line
is one JSON object.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, TypeAlias, cast, get_args

from tqdm import tqdm

from seg_core.analysis import analyse
from seg_core.bench.command import add_bench
from seg_core.classes import OTHER
from seg_core.commands.teach import add_classify, add_teach, answered_by
from seg_core.errors import SegCoreError, SettingsError
from seg_core.evaluation.command import add_evaluate
from seg_core.export.anndata import write_anndata
from seg_core.export.csv import write_nuclei_csv, write_summary_csv, write_til_csv
from seg_core.export.geojson import write_geojson
from seg_core.export.geoparquet import write_nuclei_geoparquet
from seg_core.export.ome_tiff import write_ome_tiff
from seg_core.export.spatialdata import write_spatialdata
from seg_core.files.atomic import new_text_file
from seg_core.geometry import Region
from seg_core.picture.slide_overlay import write_overlay_png
from seg_core.process.logs import start_logging
from seg_core.process.memory import hold_little_memory
from seg_core.process.progress import Progress
from seg_core.quantisation.command import add_quantise
from seg_core.report.report import write_report
from seg_core.roi import Roi, read_rois
from seg_core.scoring import joined, parts_of
from seg_core.scoring.assessment import assess, assess_parts, keep_scores, kept_rois
from seg_core.settings import AnalysisSettings, EngineName, Precision, StainName
from seg_core.store import Run, Selection, default_store, open_run
from seg_core.til import TilResult
from seg_core.training.command import add_patches, add_runs, add_train

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_PROGRAM = "python -m seg_core"
_STDOUT = "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    status : int
        0 done, 1 something failed; wrong use ends the process with 2.
    """
    parser = argparse.ArgumentParser(
        prog=_PROGRAM, description="Find and classify the nuclei of H&E-stained whole slides."
    )
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for add_command in _COMMANDS:
        add_command(subparsers)
    options = parser.parse_args(arguments)
    try:
        start_logging()
        status: int = options.run(options)
    except SegCoreError as error:
        return _fail(error)
    except KeyboardInterrupt:
        return _fail("stopped.")
    return status


def add_analyse(subparsers: "Subparsers") -> None:
    """Add ``analyse``: find the nuclei of slides."""
    defaults = AnalysisSettings()
    parser = subparsers.add_parser(
        "analyse",
        help="find the nuclei of one or more slides",
        description="Find the nuclei of slides. What was asked before is answered from the "
        "store; what was stopped goes on.",
    )
    parser.add_argument("slides", metavar="SLIDE", nargs="+", type=Path)
    parser.add_argument("--out", metavar="STORE", type=Path, help="folder of all runs")
    part = parser.add_mutually_exclusive_group()
    part.add_argument(
        "--region", metavar="X,Y,W,H", type=_region, help="a part of the slide, level-0 pixels"
    )
    part.add_argument(
        "--roi", metavar="FILE", type=Path, help="GeoJSON polygons; each becomes a run"
    )
    parser.add_argument("--model", metavar="NAME|FILE", help="instead of the default model")
    parser.add_argument(
        "--classifier", metavar="FILE", type=Path, help="let it name the nuclei; see teach"
    )
    parser.add_argument("--engine", choices=get_args(EngineName), default=defaults.engine)
    parser.add_argument("--precision", choices=get_args(Precision), default=defaults.precision)
    parser.add_argument("--tile", metavar="PX", type=int, default=defaults.tile_px)
    parser.add_argument("--overlap", metavar="PX", type=int, default=defaults.overlap_px)
    parser.add_argument(
        "--views",
        metavar="N",
        type=int,
        default=defaults.views,
        help="average the answers on 2, 4 or 8 flips and turns of each tile",
    )
    parser.add_argument(
        "--mpp", metavar="UM", type=float, help="size of a level-0 pixel, where the slide errs"
    )
    parser.add_argument(
        "--no-tissue", action="store_true", help="look at glass too, not at tissue alone"
    )
    parser.add_argument(
        "--no-quality",
        action="store_true",
        help="count pen marks as tissue, and do not look for what is out of focus",
    )
    parser.add_argument(
        "--stain",
        choices=get_args(StainName),
        default=defaults.stain,
        help="take the slide's colours to those of the training data (default: none)",
    )
    _add_json(parser)
    parser.set_defaults(run=_analyse, parser=parser)


def add_export(subparsers: "Subparsers") -> None:
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
    _add_as_found(parser)
    parser.add_argument("--anonymous", action="store_true", help="leave out the name of the slide")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.set_defaults(run=_export, parser=parser)


def add_til(subparsers: "Subparsers") -> None:
    """Add ``til``: score the tumour-infiltrating lymphocytes of a finished run."""
    parser = subparsers.add_parser(
        "til",
        help="score the tumour-infiltrating lymphocytes of a run",
        description="Score the tumour-infiltrating lymphocytes of a finished run, for research "
        "only. Without --roi the scores are also kept in the run's folder.",
    )
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="the folder analyse has named")
    parser.add_argument(
        "--roi",
        metavar="FILE",
        type=Path,
        help="GeoJSON polygons to include and to exclude; by default the whole run is scored, less "
        "what the ROIs kept with the slide exclude",
    )
    _add_as_found(parser)
    _add_json(parser)
    parser.set_defaults(run=_til, parser=parser)


_COMMANDS: tuple[Callable[["Subparsers"], None], ...] = (
    *(add_analyse, add_export, add_til, add_teach, add_classify, add_evaluate),
    *(add_patches, add_train, add_runs, add_quantise, add_bench),
)
"""Each adds a parser whose default ``run`` takes the options and returns the exit status."""


def _analyse(options: argparse.Namespace) -> int:
    hold_little_memory()
    settings = _settings(options)
    store = options.out or default_store()
    rois: list[Roi | None] = [None] if options.roi is None else [*read_rois(options.roi)]
    results: list[dict[str, Any]] = []
    status = 0
    for slide_path in options.slides:
        for roi in rois:
            try:
                with _Bars(slide_path.name) as bars:
                    run = analyse(
                        slide_path,
                        store,
                        region=options.region,
                        roi=roi,
                        model=options.model,
                        mpp=options.mpp,
                        settings=settings,
                        report=bars,
                    )
                    run = answered_by(run, options.classifier)
            except SegCoreError as error:
                status = _fail(error)
                results.append({"slide": slide_path.name, "error": str(error)})
            except KeyboardInterrupt:
                return _fail(
                    f"{slide_path.name} was stopped; the same command goes on where it stopped."
                )
            else:
                _say(_sentence(run))
                results.append(_result(run))
    if options.json:
        _write_json(results[0] if len(results) == 1 else {"runs": results}, options.json)
    return status


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
    run = _opened(options)
    status = 0
    for path, write in wanted:
        try:
            write(run, path, other=options.other, force=options.force)
        except SegCoreError as error:
            status = _fail(error)
        else:
            _say(f"{path} written.")
    return status


def _write_til_csv(
    run: Run, path: Path, *, rois: Path | None, min_score: float, other: bool, force: bool
) -> None:
    # Nuclei that no class names are in no score, so --other has no meaning here.
    assessed = assess_parts(run, parts_of(run, _rois(run, rois)), min_score=min_score)
    results = {part.name: part.result for part in assessed if part.result is not None}
    write_til_csv(results, path, force=force)


def _write_report(run: Run, path: Path, *, rois: Path | None, **options: Any) -> None:
    parts = parts_of(run, _rois(run, rois))
    assessed = list(assess_parts(run, parts, min_score=options["min_score"]))
    write_report(run, path, assessed=assessed, **options)


def _til(options: argparse.Namespace) -> int:
    run = _opened(options)
    whole, *parts = parts_of(run, _rois(run, options.roi))
    if options.roi is None:
        result = assess(run, part=whole)
        keep_scores(run, result)
    else:
        result = assess(run, part=joined(parts) if parts else whole)
    _say(_til_sentence(run.slide_path.name, result))
    assessed = list(assess_parts(run, parts)) if parts else []
    for each in assessed:
        _say(
            _til_sentence(each.name, each.result) if each.result else f"{each.name}: {each.reason}"
        )
    if options.json:
        by_roi = [
            {
                "name": each.name,
                "reason": each.reason,
                **(each.result.to_json() if each.result else {}),
            }
            for each in assessed
        ]
        _write_json({"run": str(run.path), **result.to_json(), "by_roi": by_roi}, options.json)
    return 0


def _opened(options: argparse.Namespace) -> Run:
    run = open_run(options.run_folder)
    return run.as_found() if options.as_found else run


def _add_as_found(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as-found",
        action="store_true",
        help="nuclei as the model found them, without a classifier and without corrections",
    )


def _rois(run: Run, path: Path | None) -> list[Roi]:
    """Return the ROIs of a file, else those that the store keeps with the slide."""
    return kept_rois(run) if path is None else read_rois(path)


def _til_sentence(name: str, result: TilResult) -> str:
    score = result.stil_area_pct
    if score.value is None:
        return f"{name}: {result.reason}"
    interval = "no interval" if score.low is None else f"95 % {score.low:.2f} to {score.high:.2f}"
    return (
        f"{name}: lymphocytes cover {score.value:.2f} % of {result.areas_mm2['stroma']:.2f} mm² "
        f"stroma ({interval}), phenotype {result.phenotype.name or 'not evaluable'}; "
        "for research only."
    )


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json",
        metavar="FILE",
        nargs="?",
        const=_STDOUT,
        help="figures as JSON; without FILE on the last line of stdout",
    )


def _region(text: str) -> Region:
    try:
        x, y, width, height = (int(part) for part in text.split(","))
        return Region(x, y, width, height)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no region; give four whole numbers X,Y,W,H in level-0 pixels."
        ) from None
    except SegCoreError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _settings(options: argparse.Namespace) -> AnalysisSettings:
    try:
        return AnalysisSettings(
            tile_px=options.tile,
            overlap_px=options.overlap,
            views=options.views,
            tissue_only=not options.no_tissue,
            quality=not options.no_quality,
            stain=options.stain,
            engine=options.engine,
            precision=options.precision,
        )
    except SettingsError as error:
        cast("argparse.ArgumentParser", options.parser).error(str(error))


def _result(run: Run) -> dict[str, Any]:
    """Return the figures that other programs rely on."""
    facts = run.facts
    counts = run.catalog().counts(Selection(run.scheme.names_with_other))
    other = counts.pop(OTHER, 0)
    return {
        "run": str(run.path),
        "slide": facts.slide.path.name,
        "engine": facts.engine,
        "precision": facts.precision,
        "megapixels": facts.megapixels,
        "seconds": facts.seconds,
        "peak_rss_mb": facts.peak_rss_mb,
        "nuclei": counts,
        "other": other,
        "tissue_um2": facts.tissue_um2,
        "warnings": list(facts.warnings),
    }


def _sentence(run: Run) -> str:
    result = _result(run)
    counts = ", ".join(f"{name} {count}" for name, count in result["nuclei"].items())
    return (
        f"{result['slide']}: {sum(result['nuclei'].values())} nuclei ({counts}) in "
        f"{result['megapixels']:.1f} Mpx, {result['seconds']:.1f} s: {run.path}"
    )


def _write_json(content: dict[str, Any], target: str) -> None:
    text = json.dumps(content, ensure_ascii=False)
    if target == _STDOUT:
        _say(text)
    else:
        with new_text_file(Path(target), force=True) as file:
            file.write(text + "\n")


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


def _fail(reason: object) -> int:
    sys.stderr.write(f"{_PROGRAM}: {reason}\n")
    return 1


class _Bars:
    """Shows each stage of an analysis as a bar on stderr, where that is a terminal."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stage: str | None = None
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, progress: Progress) -> None:
        if progress.stage != self._stage:
            self._close()
            self._stage = progress.stage
            self._bar = tqdm(desc=f"{self._name} {progress.stage}", disable=None)
        assert self._bar is not None
        self._bar.total = progress.total
        self._bar.update(progress.done - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
