"""What a reader is told where the tiles do not come."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.browser

PAGE_ITSELF = {"status": 200, "content_type": "text/html", "body": "<!doctype html>"}
FORGOTTEN = {"status": 404, "content_type": "text/plain", "body": "This view has expired."}


@pytest.mark.parametrize(
    ("addresses", "answer", "sentence"),
    [
        (r"/app/static/", PAGE_ITSELF, "This server does not answer the viewer's own addresses"),
        (r"/app/static/wsi/", PAGE_ITSELF, "The slide's tiles cannot be had from this server"),
        (r"/app/static/wsi/", FORGOTTEN, "This view has expired; reload the page"),
    ],
)
def test_the_viewer_says_why_it_stays_empty(
    dashboard: str, page: Page, addresses: str, answer: dict[str, object], sentence: str
) -> None:
    def fulfil(route: Route) -> None:
        route.fulfill(**answer)

    page.route(re.compile(addresses), fulfil)
    page.goto(dashboard)
    page.get_by_role("button", name="Choose").first.click()
    page.get_by_role("button", name="Open in the viewer").click()
    expect(page.locator("section.viewer").get_by_role("status")).to_contain_text(sentence)
