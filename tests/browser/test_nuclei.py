"""Nuclei in the viewer: picked with the pointer, gone through with the keys."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from analysed import LEFT, SIDE, analyse_part
from playwright.sync_api import Page, expect
from serving import STORE
from viewing import on_screen, open_place

from seg_core.store import Run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def run(dashboard_folder: Path) -> Run:
    """A part of a sample, analysed in the dashboard's store."""
    return analyse_part(dashboard_folder / STORE)


def test_the_nucleus_under_the_pointer_is_the_tables_and_the_arrows_go_on(
    dashboard: str, run: Run, page: Page
) -> None:
    table = run.nuclei()
    # A point within, whatever its shape; in the middle of the view, where no panel lies.
    middle = LEFT + SIDE / 2
    distance = np.hypot(table["x"] - middle, table["y"] - middle)
    nucleus = table.loc[distance.idxmin()]
    place = f"&x={nucleus['x']:.0f}&y={nucleus['y']:.0f}&width={SIDE}"
    viewer = open_place(page, dashboard, place, run.facts.question.slide_id)
    expect(page.get_by_role("group", name="Classes")).to_be_visible()
    inside = nucleus["geometry"].representative_point()
    page.mouse.move(*on_screen(viewer, inside.x, inside.y))
    expect(viewer.locator(".tip")).to_contain_text(f"{nucleus['area_um2']:.1f} µm²")
    page.mouse.click(*on_screen(viewer, inside.x, inside.y))

    card = page.get_by_role("complementary", name="Picked nucleus")
    expect(card).to_contain_text(f"Nucleus {nucleus['nucleus_id']},")
    expect(card).to_contain_text("lymphocyte")
    expect(card).to_contain_text(f"{nucleus['area_um2']:.1f} µm²")
    # whose the shares are: above them may stand what a person or a taught classifier called it
    expect(card.get_by_text("Vote of the model")).to_be_visible()
    expect(card.get_by_role("img")).to_be_visible()
    start = place_in_class(card.inner_text())
    assert start[1] == len(table)

    seen = {int(nucleus["nucleus_id"])}
    for step in (1, 2):
        page.keyboard.press("ArrowRight")
        expected = (start[0] - 1 + step) % start[1] + 1
        expect(card).to_contain_text(f"{expected} of {start[1]}")
        seen.add(number_of(card.inner_text()))
    assert len(seen) == 3
    assert seen <= set(pd.unique(table["nucleus_id"]))
    page.keyboard.press("ArrowLeft")
    expect(card).to_contain_text(f"{start[0] % start[1] + 1} of {start[1]}")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def place_in_class(text: str) -> tuple[int, int]:
    number, count = re.search(r"(\d+) of (\d+)", text).groups()
    return int(number), int(count)


def number_of(text: str) -> int:
    return int(re.search(r"Nucleus (\d+)", text)[1])
