"""What the viewer gets to draw outlines itself."""

from urllib.parse import urlencode

import numpy as np
import pytest
import shapely

from pages.shared import resources, shown_names, singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page import outlines
from pages.viewer_page.layer_data import layers_of
from seg_core.picture.outline_squares import HEADER, UNIT_PX
from seg_core.store import Run

LYMPHOCYTE, MACROPHAGE = 2, 4


def address(source: TileSource, run: Run, place: str = "0_0", query: str = "") -> str:
    said = urlencode(shown_names.query(run))
    return f"/app/static/wsi/{source.token}/nuclei/{place}.bin?{said}{query}"


def test_a_square_holds_the_outlines_of_the_table_and_may_be_kept(client, source, run) -> None:
    answer = client.get(address(source, run))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "private, max-age=86400, immutable"
    count, corner_count, unit = HEADER.unpack_from(answer.content)
    assert (count, unit) == (12, UNIT_PX)
    corners = np.frombuffer(answer.content, "<i2", 2 * corner_count, HEADER.size) * unit
    nuclei = run.nuclei()
    expected = shapely.total_bounds(nuclei.geometry.to_numpy())
    x, y = corners[::2], corners[1::2]
    assert (x.min(), y.min(), x.max(), y.max()) == pytest.approx(expected, abs=UNIT_PX / 2)
    assert answer.content.endswith(bytes([LYMPHOCYTE] * 12))


def test_the_viewers_address_leads_there(client, source, run) -> None:
    slide = resources.slide(run.slide_path, 0.25)
    (layer,) = (each for each in layers_of(slide.info, run, source) if each["outlines"])
    assert layer["id"] == "nuclei"
    url = layer["outlines"]["url"].replace("{x}_{y}", "0_0")
    assert client.get(f"/{url}").content == client.get(address(source, run)).content


@pytest.mark.parametrize(
    ("place", "query"),
    [
        ("1_0", ""),
        ("0_1", ""),
        ("0_0", "&run=another"),
        ("0_0", "&min_score=much"),
        ("0_0", "&min_score=1.5"),
        ("0_0", "&min_score=nan"),
    ],
)
def test_what_is_not_there_is_404_and_not_kept(client, source, run, place, query) -> None:
    answer = client.get(address(source, run, place, query))
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.endswith(".")


def test_only_a_session_that_shows_the_run_is_answered(client, source, run) -> None:
    other = singletons.tile_sources().add(ChosenSlide(run.slide_path, 0.25))
    assert client.get(address(other, run)).status_code == 404
    guessed = address(source, run).replace(source.token, "guessed")
    assert client.get(guessed).status_code == 404


def test_a_corrected_nucleus_has_its_new_class_and_what_is_none_is_gone(
    client, source, run
) -> None:
    before = address(source, run)
    assert client.get(before).content.endswith(bytes([LYMPHOCYTE] * 12))
    run.journal().correct([1, 2], ["lymphocyte"] * 2, "macrophage", by="ada")
    run.journal().correct([3], ["lymphocyte"], None, by="ada")
    now = address(source, run)
    assert now != before
    content = client.get(now).content
    assert content.endswith(bytes([LYMPHOCYTE] * 9 + [MACROPHAGE] * 2))
    assert HEADER.unpack_from(content)[0] == 11
    source.runs[run.run_id] = run.as_found()
    found = client.get(address(source, run.as_found()))
    assert found.content.endswith(bytes([LYMPHOCYTE] * 12))
    assert "immutable" in found.headers["cache-control"]


def test_what_was_asked_under_earlier_names_is_not_kept(client, source, run) -> None:
    before = address(source, run)
    run.journal().correct([1], ["lymphocyte"], "macrophage", by="ada")
    assert client.get(before).headers["cache-control"] == "no-store"
    assert "immutable" in client.get(address(source, run)).headers["cache-control"]


def test_a_square_is_packed_once_for_all_sessions(client, source, run, monkeypatch) -> None:
    first = client.get(address(source, run))
    another = singletons.tile_sources().add(ChosenSlide(run.slide_path, 0.25))
    another.runs[run.run_id] = run
    monkeypatch.setattr(resources, "outline_squares", None)
    assert client.get(address(another, run)).content == first.content
    outlines.forget_outlines()
