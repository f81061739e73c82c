"""The least class score holds in the viewer as on the Nuclei page."""

import io

import geopandas as gpd
import numpy as np
import pytest
import streamlit as st
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.shared import min_score, resources, singletons, state
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page import nucleus_card, nucleus_hover, outlines
from pages.viewer_page.layer_data import layers_of, legend_of
from pages.viewer_page.server.routes import routes_below
from seg_core.classes import MONUSAC, UNCERTAIN_COLOUR, UNCERTAIN_ID, rgb_of
from seg_core.store import Run, RunWriter, write_nuclei

LEAST = 0.6
UNSURE = (150, 150)
LYMPHOCYTE = MONUSAC.classes[1]


@pytest.fixture
def unsure_run(run: Run) -> Run:
    """The analysis, had the network been unsure of the nucleus in the middle."""
    table = run.nuclei()
    middle = np.hypot(table["x"] - UNSURE[0], table["y"] - UNSURE[1]) < 5
    table.loc[middle, "class_score"] = np.float32(0.5)
    write_nuclei([gpd.GeoDataFrame(table)], run.path / "nuclei.parquet", run.scheme)
    return RunWriter(run.path).write_facts(run.facts)  # with the checksum of these nuclei


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that asks for a score."""
    monkeypatch.setattr(st, "session_state", {})
    state.MIN_SCORE.set(LEAST)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=routes_below("")))


@pytest.fixture
def source(unsure_run: Run) -> TileSource:
    return singletons.tile_sources().add(ChosenSlide(unsure_run.slide_path, 0.25))


def nuclei_layer(run: Run, source: TileSource) -> dict:
    info = resources.slide(run.slide_path, 0.25).info
    return next(each for each in layers_of(info, run, source) if each["id"] == "nuclei")


def test_the_legend_counts_uncertain_nuclei_for_themselves(unsure_run) -> None:
    legend = {each["name"]: each for each in legend_of(unsure_run)}
    assert list(legend)[-2:] == ["uncertain", "other"]
    assert legend["uncertain"]["colour"] == UNCERTAIN_COLOUR
    assert (legend["lymphocyte"]["count"], legend["uncertain"]["count"]) == (11, 1)
    assert "below 0.60 are uncertain" in (min_score.note() or "")
    state.MIN_SCORE.clear()
    assert {each["name"]: each["count"] for each in legend_of(unsure_run)}["lymphocyte"] == 12
    assert "uncertain" not in [each["name"] for each in legend_of(unsure_run)]
    assert min_score.note() is None


def test_tiles_and_lines_show_them_as_uncertain(client, unsure_run, source) -> None:
    layer = nuclei_layer(unsure_run, source)
    full = 9  # 400 × 300 pixels
    url = layer["url"].format(level=full, x=0, y=0, show=f"2,{UNCERTAIN_ID}")
    picture = np.asarray(Image.open(io.BytesIO(client.get(f"/{url}").content)))
    assert drawn_at(picture, UNSURE) == rgb_of(UNCERTAIN_COLOUR)
    assert drawn_at(picture, (50, 150)) == LYMPHOCYTE.rgb
    content = client.get("/" + layer["outlines"]["url"].replace("{x}_{y}", "0_0")).content
    assert content.endswith(bytes([LYMPHOCYTE.id] * 11 + [UNCERTAIN_ID]))
    state.MIN_SCORE.clear()
    assert "min_score" not in nuclei_layer(unsure_run, source)["url"]


def drawn_at(picture: np.ndarray, centre: tuple[int, int]) -> tuple[int, ...]:
    """Colour of the strongest pixel around a nucleus."""
    x, y = centre
    around = picture[y - 20 : y + 20, x - 20 : x + 20].reshape(-1, 4)
    return tuple(around[around[:, 3].argmax(), :3].tolist())


def test_a_full_size_picture_takes_the_score_of_the_layers(client, unsure_run, source) -> None:
    layer = nuclei_layer(unsure_run, source)
    assert f"min_score={LEAST}" in layer["url"]
    address = (
        f"/{source.picture_address}?region=130,130,40,40&layers=nuclei:1"
        f"&show={UNCERTAIN_ID}&run={unsure_run.run_id}"
    )
    with_score = client.get(f"{address}&min_score={LEAST}")
    assert np.any(picture_of(with_score) != picture_of(client.get(address)))
    assert client.get(f"{address}&min_score=x").status_code == 404


def picture_of(answer) -> np.ndarray:
    assert answer.status_code == 200
    return np.asarray(Image.open(io.BytesIO(answer.content)))[:40, :40]


def test_the_pointer_is_told(client, unsure_run, source) -> None:
    source.runs[unsure_run.run_id] = unsure_run
    address = f"/{nucleus_hover.hover_address(unsure_run, source)}&x=150&y=150"
    found = client.get(f"{address}&show={UNCERTAIN_ID}").json()
    assert (found["class"], found["uncertain"]) == ("lymphocyte", True)
    assert client.get(f"{address}&show={LYMPHOCYTE.id}").json() == {}
    certain = address.replace("x=150", "x=50")
    assert not client.get(f"{certain}&show={LYMPHOCYTE.id}").json()["uncertain"]


def test_the_card_says_so_and_steps_go_through_their_own(unsure_run) -> None:
    slide = resources.slide(unsure_run.slide_path, 0.25)
    nucleus_card.take_pick(unsure_run, {"x": 150, "y": 150, "classes": [UNCERTAIN_ID]})
    card = nucleus_card.card_of(unsure_run, slide)
    assert (card["class"], card["uncertain"], card["colour"]) == (
        "lymphocyte",
        True,
        UNCERTAIN_COLOUR,
    )
    assert (card["number"], card["count"]) == (1, 1)
    nucleus_card.take_pick(unsure_run, {"x": 50, "y": 150, "classes": [LYMPHOCYTE.id]})
    card = nucleus_card.card_of(unsure_run, slide)
    assert (card["uncertain"], card["count"]) == (False, 11)
    outlines.forget_outlines()
