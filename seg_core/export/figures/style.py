"""What all figures share: how they are written into a report."""

import plotly.graph_objects as go


def to_html(figure: go.Figure, *, with_library: bool) -> str:
    """Return a figure as a piece of HTML, on white.

    Parameters
    ----------
    figure : Figure
    with_library : bool
        Also write plotly.js, 4.5 MB, which the first figure of a page needs to bring.

    Examples
    --------
    >>> piece = to_html(go.Figure(), with_library=False)
    >>> piece.startswith("<div"), len(piece) < 10_000
    (True, True)
    """
    on_white = go.Figure(figure).update_layout(template="plotly_white")
    return on_white.to_html(
        full_html=False,
        include_plotlyjs=with_library,
        config={"displaylogo": False, "responsive": True},
    )
