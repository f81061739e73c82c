"""The dashboard as a reader has it: a server of its own and a real browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import STORE, serve_dashboard

from seg_core.errors import ModelError
from seg_core.model import find_model
from tests.browser.starting import CHROMIUM_FLAGS

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

# Ceilings for a machine that is busy; whatever is waited for comes in a second on a quiet one.
PATIENCE_MS = 60_000
sync_api.expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def dashboard_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dashboard")


@pytest.fixture(scope="session")
def store(dashboard_folder: Path) -> Path:
    """Where the dashboard keeps its runs."""
    return dashboard_folder / STORE


@pytest.fixture(scope="session")
def dashboard(dashboard_folder: Path) -> Iterator[str]:
    """Address of a dashboard whose store begins empty."""
    try:
        find_model()
    except ModelError as error:
        pytest.skip(str(error))
    with serve_dashboard(dashboard_folder) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> "Iterator[sync_api.Browser]":
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs chromium")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: "sync_api.Browser") -> "Iterator[sync_api.Page]":
    """A visit of its own, at the smallest size the pages are made for."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 720}, accept_downloads=True, locale="en-GB"
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()
