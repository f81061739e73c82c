"""The option ``--slide``: where the slide of a run is now, if it was moved since the analysis."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seg_core.errors import SlideError
from seg_core.slide import is_identity
from seg_core.store import Run

_OPTION = "--slide"


def add_slide(parser: argparse.ArgumentParser) -> None:
    """Add ``--slide``, which `with_slide` answers."""
    parser.add_argument(
        _OPTION,
        metavar="FILE",
        type=Path,
        help="where the run's slide is now, if it was moved since it was analysed",
    )


def with_slide(run: Run, options: argparse.Namespace) -> Run:
    """Return a run with its slide where the options say that it is.

    Raises
    ------
    SlideError
        If that is another slide, or none.
    """
    if options.slide is None:
        return run
    if not is_identity(options.slide, run.slide_id):
        raise SlideError(
            f"{options.slide} is not the slide of the run, which is {run.slide_id}; give with "
            f"{_OPTION} the file that was analysed, under the name it had."
        )
    return run.with_slide_at(options.slide)


@contextmanager
def needed_slide(run: Run) -> Iterator[None]:
    """Say how a slide is named that is no longer where it was, where something needs it."""
    try:
        yield
    except SlideError as error:
        if run.slide_path.exists():
            raise
        raise SlideError(
            f"{run.slide_path}, which was analysed, is no longer there; say where it is now with "
            f"{_OPTION} FILE."
        ) from error
