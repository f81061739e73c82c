"""Starts the dashboard and Chromium for tests and measurements."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
CHROMIUM_FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
README_COMMAND = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
START_SECONDS = 60


@contextmanager
def serve(
    log: Path,
    command: Sequence[str] = README_COMMAND,
    *,
    folder: Path = ROOT,
    prefix: str = "",
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Start the dashboard and wait until it answers.

    Parameters
    ----------
    log : Path
        What the server says goes here.
    command : sequence of str
    folder : Path
        Working directory.
    prefix : str
        Path below which the pages are served.
    environment : mapping of str to str, optional
        Beside what this process has.
    port : int, optional
        Where it listens; by default a free one.

    Yields
    ------
    address, server : str, Popen
    """
    port = port or free_port()
    settings = {
        "STREAMLIT_SERVER_PORT": str(port),
        "STREAMLIT_SERVER_HEADLESS": "true",
        "STREAMLIT_SERVER_BASE_URL_PATH": prefix,
        "PORT": str(port),
    }
    address = f"http://localhost:{port}" + (f"/{prefix}" if prefix else "")
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | settings | dict(environment or {}),
            stdout=output,
            stderr=output,
        ) as server,
    ):
        try:
            wait_until_answered(f"{address}/_stcore/health", server, log)
            yield address, server
        finally:
            server.terminate()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_answered(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait until a server that was started answers; raise RuntimeError with its log otherwise."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)  # nothing listens yet that could tell when it does
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")
