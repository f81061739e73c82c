"""The server of the viewer, and a session that looks at a slide and its analysis."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.shared import singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page.server.routes import routes_below
from seg_core.store import Run


@pytest.fixture(scope="session")
def client() -> TestClient:
    return TestClient(Starlette(routes=routes_below("")))


@pytest.fixture
def source(run: Run) -> TileSource:
    opened = singletons.tile_sources().add(ChosenSlide(run.slide_path, 0.25))
    opened.runs[run.run_id] = run
    return opened
