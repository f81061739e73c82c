"""A page loaded anew while an analysis runs."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from serving import serve_dashboard
from viewing import open_place

from seg_core.model.card import MODEL_VARIABLE

pytestmark = pytest.mark.browser

PROGRESS = re.compile(r"Loading the model|Tile [\d,]+ of|Block [\d,]+ of")
# By the small model a fast processor has answered the slide before anybody can stop it.
SLOW = {MODEL_VARIABLE: "nuclei-resnet18"}
JOB_MS = 300_000  # a ceiling for a machine that is busy: the worker gives way to everything else


def test_a_reload_while_an_analysis_runs_shows_progress_and_stop_again(
    page: Page, tmp_path: Path
) -> None:
    with serve_dashboard(tmp_path, **SLOW) as dashboard:
        open_place(page, dashboard, query="")
        page.get_by_role("button", name="Analyse slide").click()
        expect(page.get_by_text(PROGRESS).first).to_be_visible()
        page.reload()
        expect(page.locator("section.viewer .openseadragon-canvas").first).to_be_visible()
        expect(page.get_by_text(PROGRESS).first).to_be_visible()
        expect(page.get_by_role("button", name="Analyse slide")).to_have_count(0)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("Stopped. What was")).to_be_visible(timeout=JOB_MS)
        expect(page.get_by_role("button", name="Analyse slide")).to_be_visible()
