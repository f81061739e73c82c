"""``check``: tell what of a store is damaged."""

import argparse
from pathlib import Path

from seg_core.commands.terminal import Subparsers, say
from seg_core.errors import StoreError, counted
from seg_core.store import Store


def add_check(subparsers: Subparsers) -> None:
    """Add ``check``: read all runs of a store and name what is damaged."""
    parser = subparsers.add_parser(
        "check",
        help="tell what of a store is damaged",
        description="Read all files of all runs and compare them with their checksums. Exit status "
        "1 where something is damaged; the same analysis, asked again, makes it anew.",
    )
    parser.add_argument(
        "store", metavar="STORE", nargs="?", type=Path, help="by default that of analyse"
    )
    parser.set_defaults(run=_check, parser=parser)


def _check(options: argparse.Namespace) -> int:
    store = Store(options.store)
    if not store.path.is_dir():
        raise StoreError(f"there is no store in {store.path}; give the folder of --out.")
    damaged = 0
    for _, file in store.damage():
        damaged += 1
        say(f"{file} is damaged.")
    runs = counted(len(store.runs()), "run")
    files = "1 file is" if damaged == 1 else f"{damaged:,} files are"
    say(f"{store.path}: {runs} can be read, {files} damaged.")
    return 1 if damaged else 0
