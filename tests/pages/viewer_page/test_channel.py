"""What the viewer asks is answered with the page where no address of its own is."""

import base64
import io
import json
import logging
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pages.shared import resources, singletons
from pages.shared.tile_sources import TileSource
from pages.viewer_page.server import web_files
from pages.viewer_page.server.channel import answers_to
from seg_core.slide import DeepZoom


@pytest.fixture
def tile(source: TileSource) -> str:
    """Address of a tile of the slide's own pixels."""
    level = DeepZoom(resources.slide(source.slide.path)).level_count - 1
    return source.address("slide", "jpg").format(level=level, x=0, y=0)


def ask(source: TileSource, *addresses: str) -> list[dict[str, Any]]:
    answered = answers_to({"number": "7", "addresses": list(addresses)}, source)
    assert answered is not None
    assert answered["number"] == "7"
    json.dumps(answered)  # it goes to the browser with the component's data
    return answered["answers"]


def content(answer: dict[str, Any]) -> bytes:
    return base64.b64decode(answer["body"])


def picture(answer: dict[str, Any]) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content(answer))))


def test_tiles_of_the_sessions_own_token_are_answered_in_the_order_asked(source, run, tile) -> None:
    painted = tile.replace("/slide/", "/classes/") + f"?run={run.run_id}&show=2"
    slide, classes = ask(source, tile, painted)
    assert (slide["status"], slide["type"]) == (200, "image/jpeg")
    assert picture(slide).shape == (256, 256, 3)
    assert (classes["status"], classes["type"]) == (200, "image/webp")
    assert picture(classes)[50, 50, 3] == 255


def test_the_nucleus_at_a_point_is_answered(source, run) -> None:
    (answer,) = ask(source, f"{source.folder}nucleus.json?run={run.run_id}&x=150.5&y=150&show=2")
    assert json.loads(content(answer))["class"] == "lymphocyte"


@pytest.mark.parametrize(
    "path",
    [
        "{folder}slide/8/0_0.jpg",
        "/{folder}slide/8/0_0.jpg",
        "app/static/wsi/guessed/slide/8/0_0.jpg",
        "app/static/viewer/../wsi/{token}/slide/8/0_0.jpg",
        "nothing",
    ],
)
def test_another_sessions_token_is_refused(source, path) -> None:
    other = singletons.tile_sources().add(source.slide)
    (answer,) = ask(source, path.format(folder=other.folder, token=other.token))
    assert answer["status"] == 404
    assert content(answer).endswith(b".") or content(answer) == b"Not Found"


def test_files_of_the_viewer_are_answered(source) -> None:
    """They are read chunk by chunk, by an answer that watches whether its reader has gone."""
    module, library = ask(source, web_files.address("slide_viewer.js"), web_files.address("no.js"))
    assert module["type"].startswith("text/javascript")
    assert content(module) == (web_files.FOLDER / "slide_viewer.js").read_bytes()
    assert library["status"] == 404


def test_pictures_in_full_size_are_refused_in_words(source) -> None:
    (answer,) = ask(source, f"{source.picture_address}?region=0,0,9,9&layers=")
    assert answer["status"] == 403
    assert content(answer).decode().startswith("This host sends no pictures in full size")


def test_a_mistake_in_one_answer_is_logged_and_leaves_the_others(
    source, tile, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pages.viewer_page.server.routes.nucleus_at", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR):
        wrong, right = ask(source, f"{source.folder}nucleus.json", tile)
    assert (wrong["status"], right["status"]) == (500, 200)
    assert "ZeroDivisionError" in caplog.text


def test_no_more_is_answered_at_once_than_the_viewer_asks(source) -> None:
    assert len(ask(source, *["nothing"] * 30)) == 24


@pytest.mark.parametrize(
    "question",
    [None, {}, "7", {"number": "7", "addresses": []}, {"number": "7", "addresses": None}],
)
def test_where_nothing_is_asked_nothing_is_answered(source, question) -> None:
    assert answers_to(question, source) is None
