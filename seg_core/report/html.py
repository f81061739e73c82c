"""A report as one HTML file; it is laid out for paper too."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from seg_core.figures.style import to_html
from seg_core.picture.encoding import jpeg_url
from seg_core.report.document import Document, Plots
from seg_core.unbroken import unbroken

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TEMPLATE = "report.html"


def html_of(document: Document) -> str:
    """Return a report as HTML that needs no other file.

    Parameters
    ----------
    document : Document
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_laid_out,
    )
    plots = [
        block
        for section in document.sections
        for block in section.blocks
        if isinstance(block, Plots)
    ]
    first = plots[0].figures[0][1] if plots else None

    def plotted(figure: "go.Figure") -> str:
        # the first figure of the file brings the library that draws them all
        return to_html(figure, with_library=figure is first)

    environment.filters.update(jpeg_url=jpeg_url, plotted=plotted)
    return environment.get_template(_TEMPLATE).render(document=document)


def _laid_out(value: Any) -> Any:
    """Return what a place of the template is filled with; of words no number parts from its unit."""
    is_markup = hasattr(value, "__html__")
    return unbroken(value) if isinstance(value, str) and not is_markup else value
