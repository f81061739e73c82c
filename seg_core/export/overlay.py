"""A picture to show, as PNG: the analysed part with its nuclei outlined, a legend and a scale bar."""

from contextlib import closing
from pathlib import Path

from PIL.PngImagePlugin import PngInfo

from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.files.atomic import new_file
from seg_core.picture.slide_overlay import draw_overlay
from seg_core.store import Run

_UM_PER_INCH = 25_400.0

# PNG counts pixels per metre, in 32 bits.
_MOST_PER_INCH = 0.0254 * (2**32 - 1)


def write_overlay_png(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> None:
    """Write what `draw_overlay` draws; the file's resolution tells the size of a pixel, its description what counts.

    Parameters
    ----------
    run : Run
    path : Path
    options : ExportOptions
        ``other``, ``min_score``, ``part``, ``rois`` and ``force``.

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
    with new_file(path, force=options.force) as temporary, closing(run.open_slide()) as slide:
        counted = options.counted(run)
        image, mpp = draw_overlay(run, slide, counted)
        dpi = _UM_PER_INCH / mpp
        # a region of a pixel is enlarged so far that a PNG has no number for it
        size = {"dpi": (dpi, dpi)} if dpi < _MOST_PER_INCH else {}
        told = PngInfo()
        told.add_itxt("Description", counted.in_words(run))
        image.save(temporary, "PNG", pnginfo=told, **size)
