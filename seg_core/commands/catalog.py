"""``python -m seg_core catalog``: all runs of a store as one table."""

import argparse
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pandas.api.types import is_float_dtype

from seg_core.cohort.catalog import RunCatalog, writable_paths
from seg_core.cohort.compare import compare_groups
from seg_core.cohort.journal import Journal
from seg_core.cohort.removal import remove_cohort
from seg_core.cohort.report import check_report_path, write_cohort_report
from seg_core.commands.terminal import Subparsers, refuse_ignored, say
from seg_core.errors import CohortError, ExportError
from seg_core.files.atomic import new_file, new_text_file
from seg_core.files.csv import write_csv
from seg_core.files.outputs import refuse_inputs
from seg_core.store import Run, Store, open_run
from seg_core.store.label import name_run

_SHOWN = (
    *(
        "slide",
        "name",
        "roi",
        "patient",
        "group",
        "state",
        "status",
        "nuclei",
        "tissue_mm2",
        "til_pct",
    ),
    *("til_low", "til_high", "phenotype", "folder", "error"),
)


def add_catalog(subparsers: Subparsers) -> None:
    """Add ``catalog``: list the runs of a store, or ask about them in SQL."""
    parser = subparsers.add_parser(
        "catalog",
        help="list all runs of a store, or ask about them in SQL",
        description="List the runs of a store, or the slides of a cohort, with counts, densities "
        "and TIL scores; or ask in SQL about the tables runs, classes, items (slides of cohorts) "
        "and nuclei.",
    )
    parser.add_argument("store", metavar="STORE", type=Path, help="folder of all runs")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--cohort", metavar="NAME", help="a row for each slide of this cohort")
    what.add_argument("--sql", metavar="QUESTION", help="for instance 'select * from classes'")
    parser.add_argument(
        "--compare",
        metavar="MEASURE",
        nargs="+",
        help="compare groups of the cohort's patients by these columns",
    )
    parser.add_argument(
        "--by", metavar="COLUMN", default="group", help="whose groups (default: group)"
    )
    parser.add_argument("--csv", metavar="FILE", type=Path, help="write the table with all columns")
    parser.add_argument("--parquet", metavar="FILE", type=Path, help="the same as Parquet")
    parser.add_argument(
        "--report",
        metavar="FILE",
        type=Path,
        help="write the cohort as one document, HTML or PDF: groups compared (--compare, --by), "
        "slides, maps, warnings, settings",
    )
    parser.add_argument(
        "--anonymous", action="store_true", help="number slides and patients in the report"
    )
    change = parser.add_argument_group(
        "change runs, which are named by their folder in the list, or a cohort"
    )
    change.add_argument(
        "--name-run", nargs=2, metavar=("RUN", "NAME"), help="call a run something; '' for nothing"
    )
    change.add_argument("--delete", nargs="+", metavar="RUN", help="remove runs from the disk")
    change.add_argument("--move", nargs="+", metavar="RUN", help="move runs to the store --to")
    change.add_argument("--to", metavar="STORE", type=Path, help="where --move moves them")
    change.add_argument(
        "--remove-cohort",
        metavar="NAME",
        help="remove a cohort that no command works off; the runs of its slides stay",
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.set_defaults(run=_catalog, parser=parser)


def _catalog(options: argparse.Namespace) -> int:
    if options.compare is not None and options.cohort is None:
        options.parser.error("--compare needs --cohort NAME, whose table names the groups.")
    if (options.move is None) != (options.to is None):
        options.parser.error("--move RUN... and --to STORE belong together.")
    _refuse_ignored(options)
    refuse_inputs(filter(None, [options.csv, options.parquet, options.report]), [])
    if not options.store.is_dir():
        raise CohortError(f"there is no store {options.store}; check the name.")
    if _change_runs(options):
        return 0
    if options.report is not None:
        _write_report(options)
        if options.csv is None and options.parquet is None:
            return 0
    table = _asked_table(options)
    if options.csv is None and options.parquet is None:
        _say_table(table, options)
    else:
        _write_table(table, options)
    return 0


def _asked_table(options: argparse.Namespace) -> pd.DataFrame:
    """Return the answer in SQL, the comparison of groups, the slides of a cohort, or all runs."""
    catalog = RunCatalog(Store(options.store))
    if options.sql is not None:
        return catalog.ask(options.sql)
    if options.cohort is None:
        return catalog.runs()
    slides = catalog.cohort(options.cohort)
    if options.compare is None:
        return slides
    return compare_groups(slides, options.compare, group=options.by)


def _write_table(table: pd.DataFrame, options: argparse.Namespace) -> None:
    if options.csv is not None:
        with new_text_file(options.csv, force=options.force) as file:
            write_csv(table, file)
    if options.parquet is not None:
        with new_file(options.parquet, force=options.force) as path:
            _write_parquet(writable_paths(table), path)


def _say_table(table: pd.DataFrame, options: argparse.Namespace) -> None:
    """Print a table: all columns of what was asked for in particular, of runs what fits."""
    whole = options.sql is not None or options.compare is not None
    if table.empty:
        say("nothing is found." if whole else f"{options.store} holds no analysis.")
    else:
        say(_as_text(table if whole else _short(table)))


def _write_report(options: argparse.Namespace) -> None:
    if options.cohort is None:
        options.parser.error("--report needs --cohort NAME, which it tells of.")
    check_report_path(options.report)
    write_cohort_report(
        options.store,
        options.cohort,
        options.report,
        measures=options.compare,
        by=options.by,
        anonymous=options.anonymous,
        force=options.force,
    )


_CHANGES = ("name_run", "delete", "move", "remove_cohort")
_ASKED = ("cohort", "sql", "compare", "by", "csv", "parquet", "report", "anonymous")


def _refuse_ignored(options: argparse.Namespace) -> None:
    if any(getattr(options, name) is not None for name in _CHANGES):
        refuse_ignored(options, _ASKED, "runs are changed, and nothing is listed; ask once more.")
    if options.report is None:
        refuse_ignored(
            options,
            ["anonymous"],
            "it numbers slides and patients in the document of --report; a table names them.",
        )
    elif options.csv is not None or options.parquet is not None:
        refuse_ignored(
            options,
            ["anonymous"],
            "the tables of --csv and --parquet name slides and patients; write the report alone.",
        )
    if options.report is None and options.compare is None:
        refuse_ignored(options, ["by"], "groups are told by --compare or --report.")


def _change_runs(options: argparse.Namespace) -> bool:
    """Name, delete, move and remove what the options say; tell whether they say anything."""
    store = Store(options.store)
    asked = False
    if options.name_run is not None:
        folder, name = options.name_run
        name_run(_run(store, folder).path, name)
        asked = True
    for folder in options.delete or ():
        run = _run(store, folder)
        freed = store.delete(run)
        say(f"{folder} of {run.slide_path.name}: {freed / 1e6:,.1f} MB are free")
        asked = True
    for folder in options.move or ():
        moved = store.move(_run(store, folder), Store(options.to))
        say(f"{folder} of {moved.slide_path.name}: {moved.path}")
        asked = True
    if options.remove_cohort is not None:
        remove_cohort(Journal(store.path, options.remove_cohort))
        say(f"the cohort {options.remove_cohort} is removed; the runs of its slides stay.")
        asked = True
    return asked


def _run(store: Store, folder: str) -> Run:
    """Return the run with a folder as the list has it, or one that lies in the store."""
    path = store.path / folder
    if not path.resolve().is_relative_to(store.path.resolve()):
        raise CohortError(f"{folder} does not lie in {store.path}; name a folder of the list.")
    return open_run(path)


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    try:
        table.to_parquet(path, index=False)
    except pa.ArrowException as error:  # SQL has kinds that no column of Parquet holds
        raise ExportError(
            f"the table cannot be written as Parquet ({error.args[0]}); ask for other columns, or "
            "write a CSV."
        ) from error


def _as_text(table: pd.DataFrame) -> str:
    """Return all rows as lines; what is not known is a dash, whatever else the column holds."""
    columns = []
    for place in range(table.shape[1]):  # names may be equal in an answer in SQL
        column = table.iloc[:, place]
        known = column.dropna()
        if is_float_dtype(column):
            # counts of which one is missing are floats
            known = known.map("{:.0f}".format if (known % 1 == 0).all() else _in_digits)
        columns.append(known.astype(object).reindex(table.index, fill_value="–"))
    return pd.concat(columns, axis="columns").to_string(index=False, max_rows=None)


def _in_digits(value: float) -> str:
    return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}"


def _short(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that fit on a screen and say something."""
    shown = [name for name in _SHOWN if name in table and table[name].notna().any()]
    return table[shown].round(2)
