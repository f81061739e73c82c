"""The page of a model in a browser: its figures are those that ``evaluate`` kept in the card."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from seg_core.model import find_model
from seg_core.model.card import WEIGHTS_FOLDER
from seg_core.model.measured import OVERALL, measured_sets
from seg_core.model.set_names import spelled

pytestmark = pytest.mark.browser


def test_a_figure_on_the_page_is_that_of_the_json(dashboard: str, page: Page) -> None:
    card, _ = find_model()
    metrics = json.loads((WEIGHTS_FOLDER / f"{card.name}.json").read_text("utf-8"))["metrics"]
    page.goto(f"{dashboard}/model")
    for data in measured_sets(card)[:2]:
        page.get_by_role("combobox", name="Measured on").click()
        page.get_by_role("option", name=spelled(data), exact=True).click()
        counted = re.compile(rf"^{metrics[data]['images']} images of")
        expect(page.get_by_text(counted)).to_be_visible()
        row = page.get_by_role("row").filter(has_text=OVERALL["bpq"])
        low, high = metrics[data]["interval95"]["instance"]["bpq"]
        written = f"{metrics[data]['instance']['bpq']:.3f} ({low:.2f}–{high:.2f})"
        expect(row.get_by_text(written)).to_be_visible()
