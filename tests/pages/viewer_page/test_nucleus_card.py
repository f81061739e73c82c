"""Picking a nucleus, and what is told of it."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from pages.shared import resources, state
from pages.viewer_page import nucleus_card
from seg_core import analysis
from seg_core.store import Run

LYMPHOCYTE = 2


pytestmark = pytest.mark.usefixtures("session")


def click(run, x: float, y: float, classes=(LYMPHOCYTE,)) -> int | None:
    nucleus_card.take_pick(run, {"x": x, "y": y, "classes": list(classes)})
    return nucleus_card.chosen_nucleus(run)


def test_a_click_picks_the_nucleus_under_it_and_beside_it_none(run) -> None:
    nuclei = run.nuclei()
    picked = click(run, 150, 150)
    row = nuclei[nuclei["nucleus_id"] == picked].iloc[0]
    assert (row["x"], row["y"]) == pytest.approx((150, 150), abs=1)
    assert click(run, 100, 100) is None
    assert click(run, 150, 150, classes=[1]) is None


def test_steps_go_through_the_class_and_back(run) -> None:
    first = click(run, 150, 150)
    seen = [first]
    for _ in range(12):
        nucleus_card.take_pick(run, {"step": 1})
        seen.append(nucleus_card.chosen_nucleus(run))
    assert len(set(seen)) == 12
    assert seen[-1] == first
    nucleus_card.take_pick(run, {"step": -1})
    assert nucleus_card.chosen_nucleus(run) == seen[-2]
    nucleus_card.take_pick(run, {})
    assert nucleus_card.chosen_nucleus(run) is None


def test_the_card_says_what_the_table_says(run) -> None:
    slide = resources.slide(run.slide_path, 0.25)
    assert nucleus_card.card_of(run, slide) is None
    picked = click(run, 250, 150)
    card = nucleus_card.card_of(run, slide)
    row = run.nuclei().set_index("nucleus_id").loc[picked]
    assert (card["id"], card["class"], card["count"]) == (picked, "lymphocyte", 12)
    assert card["score"] == pytest.approx(row["class_score"])
    assert ["Area", f"{row['area_um2']:.1f} µm²"] in card["measures"]
    assert sum(each["share"] for each in card["shares"]) == pytest.approx(1, abs=1e-3)
    assert not card["uncertain"]
    state.MIN_SCORE.set(1.1)
    assert nucleus_card.card_of(run, slide)["uncertain"]


def test_the_crop_shows_the_nucleus_where_it_says(run) -> None:
    click(run, 250, 150)
    crop = nucleus_card.card_of(run, resources.slide(run.slide_path, 0.25))["crop"]
    picture = Image.open(io.BytesIO(base64.b64decode(crop["picture"].partition(",")[2])))
    blue = np.asarray(picture).astype(int)
    rows, columns = np.nonzero(blue[..., 2] > blue[..., 0] + 20)
    scale = crop["width"] / picture.width
    assert crop["x"] + (columns.mean() + 0.5) * scale == pytest.approx(250, abs=1)
    assert crop["y"] + (rows.mean() + 0.5) * scale == pytest.approx(150, abs=1)


def test_another_run_has_no_nucleus_picked_here(run, session) -> None:
    click(run, 250, 150)
    session["nucleus"] = ("another run", session["nucleus"][1])
    assert nucleus_card.chosen_nucleus(run) is None
    assert nucleus_card.chosen_nucleus(None) is None


def test_nuclei_picked_on_another_page_are_outlined(run) -> None:
    assert nucleus_card.picked_outlines(run) == []
    state.PICKED.set((1, 2, 999))
    assert len(nucleus_card.picked_outlines(run)) == 2
    assert nucleus_card.picked_outlines(None) == []


def test_the_crop_is_as_wide_in_um_as_the_analysis_was_told(
    slide_path: Path, store: Path, run: Run
) -> None:
    """A slide that does not say how large its pixels are was once taken for one of 0.25 µm."""
    coarse = analysis.analyse(slide_path, store, mpp=0.5)
    click(coarse, 150, 150)
    crop = nucleus_card.card_of(coarse, resources.slide(slide_path))["crop"]
    assert crop["width"] == 40 / 0.5


def test_the_crop_keeps_the_colours_of_a_nucleus_at_every_pixel(run) -> None:
    """JPEG halves them unless told otherwise, which blurs the rim of a nucleus."""
    click(run, 250, 150)
    crop = nucleus_card.card_of(run, resources.slide(run.slide_path, 0.25))["crop"]
    picture = Image.open(io.BytesIO(base64.b64decode(crop["picture"].partition(",")[2])))
    full_colour = 0
    assert JpegImagePlugin.get_sampling(picture) == full_colour


def test_who_was_named_by_hand_is_said_to_be(run) -> None:
    """Its card said *macrophage, 100 %* above a vote that gave macrophages nothing."""
    slide = resources.slide(run.slide_path, 0.25)
    picked = click(run, 250, 150)
    assert not nucleus_card.card_of(run, slide)["byHand"]
    run.journal().correct([picked], ["lymphocyte"], "macrophage", by="ada")
    assert nucleus_card.card_of(run, slide)["byHand"]
    assert not nucleus_card.card_of(run.as_found(), slide)["byHand"]
