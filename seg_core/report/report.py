"""A run as one file that opens anywhere, HTML or PDF: pictures, figures and all are inside."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from seg_core.files.atomic import new_file, new_text_file
from seg_core.report.content import report_content
from seg_core.report.html import html_of
from seg_core.store import Run
from seg_core.til import AssessedPart


def write_report(
    run: Run,
    path: Path,
    *,
    other: bool = False,
    min_score: float = 0.0,
    assessed: Sequence[AssessedPart] = (),
    anonymous: bool = False,
    force: bool = False,
) -> None:
    """Write the report of a run; its table of nuclei is held in memory.

    Parameters
    ----------
    run : Run
    path : Path
        A PDF if it ends in ``.pdf``, else HTML.
    other : bool
        Also count and show the nuclei that no class names.
    min_score : float
        Nuclei with a lower class score are shown and counted as *uncertain*.
    assessed : sequence of AssessedPart
        TIL scores to tell of: of all that was analysed, then of ROIs.
    anonymous : bool
        Leave out the name of the slide.
    force : bool
        Replace a file of that name.

    Raises
    ------
    ExportError
        If there is such a file already, it cannot be written, or the slide is another one now.
    SlideError
        If the slide is no longer there or cannot be read.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    contents = partial(
        report_content,
        run,
        other=other,
        min_score=min_score,
        assessed=assessed,
        anonymous=anonymous,
    )
    if path.suffix.lower() == ".pdf":
        # it takes a second to import, which whoever writes no PDF need not wait for
        from seg_core.report.pdf import pdf_of

        with new_file(path, force=force) as temporary, closing(run.open_slide()) as slide:
            temporary.write_bytes(pdf_of(contents(slide)))
    else:
        with new_text_file(path, force=force) as file, closing(run.open_slide()) as slide:
            file.write(html_of(contents(slide)))
