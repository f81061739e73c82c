"""A run as one file that opens anywhere, HTML or PDF: pictures, figures and all are inside."""

from contextlib import closing
from pathlib import Path

from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.files.atomic import new_file, new_text_file
from seg_core.report.content import report_content
from seg_core.report.document import Document
from seg_core.report.html import html_of
from seg_core.slide import Slide
from seg_core.store import Run


def write_report(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> None:
    """Write the report of a run; its table of nuclei is held in memory.

    Parameters
    ----------
    run : Run
    path : Path
        A PDF if it ends in ``.pdf``, else HTML.
    options : ExportOptions
        ``other``, ``min_score``, ``part``, ``rois`` or ``assessed``, ``anonymous``, ``comment`` and ``force``.

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
    if path.suffix.lower() == ".pdf":
        # it takes a second to import, which whoever writes no PDF need not wait for
        from seg_core.report.pdf import pdf_of

        with new_file(path, force=options.force) as temporary, closing(run.open_slide()) as slide:
            temporary.write_bytes(pdf_of(_content(run, slide, options)))
    else:
        with new_text_file(path, force=options.force) as file, closing(run.open_slide()) as slide:
            file.write(html_of(_content(run, slide, options)))


def _content(run: Run, slide: Slide, options: ExportOptions) -> Document:
    return report_content(
        run,
        slide,
        counted=options.counted(run),
        rois=options.rois_of(run),
        assessed=options.til_scores(run),
        anonymous=options.anonymous,
        more=options.sections,
        comment=options.comment.strip(),
    )
