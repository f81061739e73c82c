"""A page loaded anew, and a tab that was open while the server was started anew."""

import re
from pathlib import Path

import pytest
from analysed import LEFT, SIDE, analyse_part
from playwright.sync_api import Locator, Page, expect
from serving import STORE, serve_dashboard
from starting import free_port
from viewing import WAIT_FOR_TILES, open_place

pytestmark = pytest.mark.browser

PROGRESS = re.compile(r"Loading the model|Tile [\d,]+ of|Block [\d,]+ of")
ADDRESS_OF_TILES = "viewer => viewer.slideViewer?.slide.url ?? null"
JOB_MS = 300_000  # a ceiling for a machine that is busy: the worker gives way to everything else


def test_a_reload_while_an_analysis_runs_shows_progress_and_stop_again(
    page: Page, tmp_path: Path
) -> None:
    with serve_dashboard(tmp_path) as dashboard:
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


def count_shown(page: Page) -> Locator:
    shown = page.get_by_test_id("stMetric").filter(has_text="Nuclei").first
    return shown.get_by_test_id("stMetricValue")


def test_tabs_that_were_open_through_a_restart_recover_by_themselves(
    page: Page, tmp_path: Path
) -> None:
    run = analyse_part(tmp_path / STORE)
    count = f"{sum(run.facts.counts[name] for name in run.scheme.names):,}"
    slide_id, place = run.facts.question.slide_id, f"&x={LEFT}&y={LEFT}&width={SIDE}"
    port = free_port()
    with serve_dashboard(tmp_path, port=port) as dashboard:
        viewer = open_place(page, dashboard, place, slide_id)
        before = viewer.evaluate(ADDRESS_OF_TILES)
        numbers = page.context.new_page()
        numbers.goto(f"{dashboard}/nuclei?slide={slide_id}")
        expect(count_shown(numbers)).to_have_text(count)
        numbers.get_by_test_id("stMain").get_by_role("radio", name="Table", exact=True).click()
        expect(numbers.get_by_text("a click on a row opens it")).to_be_visible()
    with serve_dashboard(tmp_path, port=port):
        recovered = page.locator("section.viewer").first
        # what the server before had shown stays until this one shows it anew
        while recovered.evaluate(ADDRESS_OF_TILES) in (None, before):
            page.wait_for_timeout(200)
        recovered.evaluate(WAIT_FOR_TILES)
        expect(page.get_by_text("Shown analysis")).to_be_visible()
        assert f"run={run.run_id}" in page.url
        expect(numbers.get_by_text("a click on a row opens it")).to_be_visible()
        numbers.get_by_test_id("stMain").get_by_role("radio", name="Overview").click()
        expect(count_shown(numbers)).to_have_text(count)
        again = page.context.new_page()
        again.goto(numbers.url)
        expect(count_shown(again)).to_have_text(count)
