"""The slide that a run was made from."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from seg_core.errors import ExportError
from seg_core.slide import Slide, is_identity, open_slide
from seg_core.store import Run


@contextmanager
def slide_of(run: Run) -> Iterator[Slide]:
    """Open the slide of a run, with the pixel size the run was made with.

    Raises
    ------
    SlideError
        If it is no longer there or cannot be read.
    ExportError
        If there is another one in its place.
    """
    question = run.facts.question
    with closing(open_slide(run.slide_path, mpp=question.slide_mpp)) as slide:
        if not is_identity(run.slide_path, question.slide_id):
            raise ExportError(
                f"{run.slide_path} is no longer the slide that was analysed; "
                "put that one back, or analyse this one."
            )
        yield slide
