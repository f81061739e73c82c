"""The dashboard as a reader has it: a server of its own and a real browser."""

from collections.abc import Iterator

import pytest

from seg_core.errors import ModelError
from seg_core.model import find_model
from tests.browser.serving import CHROMIUM, CHROMIUM_FLAGS, serve

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")


@pytest.fixture(scope="session")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a dashboard with an empty store."""
    try:
        find_model()
    except ModelError as error:
        pytest.skip(str(error))
    log = tmp_path_factory.mktemp("server") / "log.txt"
    store = {"SEG_STORE": str(tmp_path_factory.mktemp("store"))}
    with serve(log, environment=store) as (address, _):
        yield address


@pytest.fixture(scope="session")
def browser() -> "Iterator[sync_api.Browser]":
    if CHROMIUM is None:
        pytest.skip("needs chromium")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: "sync_api.Browser") -> "Iterator[sync_api.Page]":
    """A visit of its own, at the smallest size the pages are made for."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 720}, accept_downloads=True, locale="en-GB"
    )
    yield context.new_page()
    context.close()
