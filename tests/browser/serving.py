"""Starts the dashboard as a reader finds it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
STORE = "store"


@contextmanager
def serve_dashboard(folder: Path, base: str = "", **environment: str) -> Iterator[str]:
    """Give the address of a dashboard with an empty store, until it is no longer wanted.

    A session is over as soon as its browser has gone; as shipped a reader has two minutes to
    come back.
    """
    port = free_port()
    log = folder / "log.txt"
    command = [
        *(sys.executable, "-m", "streamlit", "run", "streamlit_app.py"),
        *("--server.port", str(port), "--server.headless", "true"),
        *("--server.baseUrlPath", base, "--server.disconnectedSessionTTL", "1"),
    ]
    variables = os.environ | {"SEG_STORE": str(folder / STORE)} | environment
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=ROOT, env=variables, stdout=output, stderr=output) as server,
    ):
        address = "/".join(filter(None, [f"http://localhost:{port}", base]))
        try:
            wait_until_answered(f"{address}/_stcore/health", server, log)
            yield address
        finally:
            server.terminate()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_answered(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)  # nothing listens yet that could tell when it does
    pytest.fail(f"the server did not start:\n{log.read_text()}")
