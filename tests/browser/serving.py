"""Starts the dashboard as a reader finds it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.browser.starting import serve

STORE = "store"


@contextmanager
def serve_dashboard(
    folder: Path, base: str = "", *, port: int | None = None, **environment: str
) -> Iterator[str]:
    """Give the address of a dashboard with an empty store, until it is no longer wanted.

    A session is over as soon as its browser has gone; as shipped a reader has two minutes to
    come back.
    """
    variables = {
        "SEG_STORE": str(folder / STORE),
        "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "1",
        **environment,
    }
    log = folder / "log.txt"
    with serve(log, prefix=base, environment=variables, port=port) as (address, _):
        yield address
