"""A report as one HTML file; it is laid out for paper too."""

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from seg_core.figures.style import to_html
from seg_core.picture.encoding import jpeg_url
from seg_core.report.document import Document, Plots

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
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
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
