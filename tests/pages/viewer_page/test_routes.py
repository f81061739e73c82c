"""What the server answers beside the pages."""

import gc
import io
import json
import logging
import socket
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.shared import resources, shown_names, singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page.layers import LAYERS
from pages.viewer_page.layers.evaluation_layers import EVALUATION_LAYERS
from pages.viewer_page.layers.slide_layers import NORMALISED
from pages.viewer_page.server import drawing, web_files
from pages.viewer_page.server.routes import lifespan, routes_below
from seg_core.classes import MONUSAC, ClassScheme, NucleusClass
from seg_core.process.logs import JsonLines
from seg_core.scoring.assessment import assess
from seg_core.slide import DeepZoom
from seg_core.store import Run
from seg_core.store.answer import Answer, write_answer

LYMPHOCYTE = MONUSAC.classes[1]


@pytest.fixture
def full(run: Run) -> int:
    """The level of the slide's own pixels."""
    return DeepZoom(resources.slide(run.slide_path)).level_count - 1


def picture(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_tiles_are_found_below_the_path_of_the_server(source: TileSource, full: int) -> None:
    below = TestClient(Starlette(routes=routes_below("/pathology/nuclei/")))
    path = address(source, "slide", full)
    assert below.get(f"/pathology/nuclei{path}").status_code == 200
    assert below.get(path).status_code == 404


def test_a_tile_that_fails_is_logged_by_a_number_and_without_the_name_of_the_slide(
    tmp_path: Path, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "SMITH-1961.svs"
    path.write_text("no slide")
    with caplog.at_level(logging.INFO):
        source = singletons.tile_sources().add(ChosenSlide(path))
        answer = client.get(address(source, "slide", 0))
    assert answer.status_code == 500
    (line,) = (JsonLines().format(record) for record in caplog.records if "tile" in record.msg)
    assert json.loads(line)["request"] == answer.headers["X-Request-Id"]
    assert "SMITH" not in line


def address(source: TileSource, layer: str, level: int, run: Run | None = None, show="") -> str:
    path = source.address(layer, "any").format(level=level, x=0, y=0)
    said = urlencode({**shown_names.query(run), "show": show}) if run else ""
    return f"/{path}?{said}"


def test_the_slide_is_answered_as_jpeg_that_a_browser_may_keep(client, source, full) -> None:
    answer = client.get(address(source, "slide", full))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert "private" in answer.headers["cache-control"]
    assert picture(answer.content).shape == (256, 256, 3)


def test_no_address_names_a_file(source, run) -> None:
    assert run.slide_path.stem not in address(source, "slide", 3)


@pytest.mark.parametrize("layer", ["classes", "nuclei"])
def test_an_overlay_shows_the_classes_asked_for(client, source, run, full, layer) -> None:
    hidden = client.get(address(source, layer, full, run, "1,3,4"))
    assert hidden.headers["content-type"] == "image/webp"
    assert not picture(hidden.content)[..., 3].any()
    shown = picture(client.get(address(source, layer, full, run, "0,1,2,3,4")).content)
    assert tuple(shown[shown[..., 3] > 150][0, :3]) == LYMPHOCYTE.rgb


def test_classes_lie_where_the_nuclei_are(client, source, run, full) -> None:
    shown = picture(client.get(address(source, "classes", full, run, "2")).content)
    assert shown[50, 50, 3] == 255
    assert shown[100, 100, 3] == 0


def test_overlays_go_on_beyond_the_slides_own_pixels(client, source, run, full) -> None:
    enlarged = picture(client.get(address(source, "classes", full + 1, run, "2")).content)
    assert enlarged.shape == (256, 256, 4)
    assert enlarged[100, 100, 3] == 255


def test_classes_have_the_colours_the_reader_has_chosen(client, source, run, full) -> None:
    path = address(source, "classes", full, run, "2") + "&palette=colour-blind"
    shown = picture(client.get(path).content)
    colour = run.scheme.recoloured("colour-blind").classes[1].rgb
    assert tuple(shown[50, 50, :3]) == colour != LYMPHOCYTE.rgb


def test_the_map_of_classes_is_of_what_a_classifier_with_classes_of_its_own_calls_the_same(
    client, source, run, full
) -> None:
    """What it called melanocytes was filled as lymphocytes inside outlines of melanocytes."""
    ids = run.nuclei()["nucleus_id"]
    own = ClassScheme((*MONUSAC.classes, NucleusClass(5, "melanocyte", "#112233")))
    named = pd.DataFrame({"nucleus_id": ids, "class_name": "melanocyte", "class_score": 0.9})
    named.loc[ids == 1, "class_name"] = "lymphocyte"
    write_answer(run.path, Answer("skin", own, own.names, named))
    shown = picture(client.get(address(source, "classes", full, run, "2,5")).content)
    assert tuple(shown[50, 50]) == (*LYMPHOCYTE.rgb, 255)
    assert shown[50, 150, 3] == 0
    far = picture(client.get(address(source, "classes", full - 5, run, "2,5")).content)
    assert tuple(far[far[..., 3] > 30][0, :3]) == LYMPHOCYTE.rgb
    nuclei = picture(client.get(address(source, "nuclei", full, run, "5")).content)
    assert tuple(nuclei[nuclei[..., 3] > 150][0, :3]) == (0x11, 0x22, 0x33)


def test_from_afar_classes_are_shares(client, source, run, full) -> None:
    close = picture(client.get(address(source, "classes", full, run, "2")).content)[..., 3]
    far = picture(client.get(address(source, "classes", full - 5, run, "2")).content)[..., 3]
    assert set(np.unique(close)) == {0, 255}
    assert 0 < far.max() < 255


def test_the_score_is_painted_where_nuclei_are(client, source, run, full) -> None:
    shown = picture(client.get(address(source, "score", full, run)).content)
    assert shown[50, 50, 3] == 255
    assert shown[100, 100, 3] == 0


def test_a_stain_alone_hides_the_slide(client, source, full) -> None:
    shown = {}
    for stain in ("haematoxylin", "eosin"):
        answer = client.get(address(source, stain, full))
        assert answer.headers["content-type"] == "image/jpeg"
        shown[stain] = picture(answer.content).astype(int).sum(axis=2)
    assert shown["haematoxylin"][50, 50] < shown["haematoxylin"][100, 100] - 100
    assert shown["haematoxylin"][50, 50] < shown["eosin"][50, 50] - 100


def test_tissue_is_painted_and_glass_is_not(client, chosen, tmp_path) -> None:
    half = Image.new("RGB", (256, 256), (245, 245, 245))
    half.paste((220, 160, 200), (0, 0, 128, 256))
    half.save(tmp_path / "half.png")
    opened = singletons.tile_sources().add(ChosenSlide(tmp_path / "half.png", 4.0))
    shown = picture(client.get(address(opened, "tissue", 8)).content)
    assert shown[128, 60, 3] == 255
    assert shown[128, 200, 3] == 0


def test_every_layer_paints_every_size_of_tile(client, source, run, full, monkeypatch) -> None:
    scores = SimpleNamespace(find=lambda _key: assess(run))
    monkeypatch.setattr(singletons, "scorings", lambda: scores)
    # discs on pink are not stained with two stains; nobody has evaluated the run
    for layer in set(LAYERS) - {NORMALISED, *EVALUATION_LAYERS}:
        for level in range(full + 1):
            answer = client.get(address(source, layer.name, level, run, "1,2,3,4"))
            slide = picture(client.get(address(source, "slide", level)).content)
            assert picture(answer.content).shape[:2] == slide.shape[:2]


def test_layers_of_scores_that_are_no_longer_kept_say_so(client, source, run) -> None:
    answer = client.get(address(source, "til-squares", 8, run))
    assert answer.status_code == 404
    assert "open the page TIL score again" in answer.text


def test_layers_of_an_evaluation_that_is_no_longer_kept_say_so(client, source, run) -> None:
    for layer in EVALUATION_LAYERS:
        answer = client.get(address(source, layer.name, 8, run))
        assert answer.status_code == 404
        assert "open the page Evaluate again" in answer.text


def test_a_part_is_had_in_full_resolution_with_its_layers(client, source, run) -> None:
    address = f"/{source.picture_address}?region=20,20,120,90&run={run.run_id}&show=2"
    bare = picture(client.get(f"{address}&layers=").content)
    painted = picture(client.get(f"{address}&layers=classes:1,nuclei:0.5").content)
    assert tuple(painted[30, 30]) == LYMPHOCYTE.rgb
    assert (painted[80, 60] == bare[80, 60]).all()
    assert painted.shape[0] > 90 <= bare.shape[0], "a legend and a scale bar stand below"
    recoloured = client.get(f"{address}&layers=classes:1&palette=colour-blind")
    wanted = run.scheme.recoloured("colour-blind").classes[1].rgb
    assert tuple(picture(recoloured.content)[30, 30]) == wanted


@pytest.mark.parametrize(
    "query",
    [
        "",
        "region=a,b",
        "region=9000,0,10,10",
        "region=0,0,10,10&layers=nothing:1",
        "region=0,0,10,10&layers=nuclei:2&run={run}",
        "region=0,0,10,10&layers=nuclei:1",
        "region=0,0,10,10&layers=nuclei:1&run=another",
    ],
)
def test_a_picture_of_what_is_not_there_is_404(client, source, run, query) -> None:
    answer = client.get(f"/{source.picture_address}?{query.format(run=run.run_id)}")
    assert answer.status_code == 404
    assert answer.text.endswith(".")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("slide/3/0_0.jpg?made=up", "no option 'made'"),
        ("slide/3/0_0.jpg?min_score=0.5", "no option 'min_score'"),
        ("nuclei/3/0_0.webp?run=1&til=0", "no option 'til'"),
        ("nuclei/3/0_0.webp?run={long}", "'run' has 200 letters, which is too long"),
        ("nuclei/0_0.bin?run=1&another=1", "no option 'another'"),
        ("picture.png?region=0,0,9,9&another=1", "no option 'another'"),
        ("picture.png?region=0,0,9,9&layers=tissue:1,tissue:1", "named twice"),
    ],
)
def test_an_address_that_no_page_writes_is_refused(client, source, path, words) -> None:
    answer = client.get(f"/{source.folder}{path.format(long='1' * 200)}")
    assert answer.status_code == 400
    assert words in answer.text


def test_made_up_options_are_not_kept(client, source, full) -> None:
    path = address(source, "slide", full)
    client.get(path)
    before = drawing._drawn.bytes
    for number in range(50):
        client.get(f"{path}?option={number}{'x' * 1000}")
    assert drawing._drawn.bytes == before


@pytest.mark.parametrize(
    "path", ["slide/{0}/0_0.jpg", "slide/3/{0}_0.jpg", "nuclei/0_{0}.bin", "slide/3/0_-1.jpg"]
)
def test_numbers_of_any_length_are_an_address_that_is_not_there(client, source, path) -> None:
    assert client.get(f"/{source.folder}{path.format('9' * 5000)}").status_code == 404


@pytest.mark.parametrize("x", ["9" * 5000, "nan", "inf", "1e999"])
def test_a_point_beyond_all_numbers_is_none(client, source, run, x) -> None:
    query = f"run={run.run_id}&x={x}&y=1&show=1"
    assert client.get(f"/{source.folder}nucleus.json?{query}").status_code == 404


def test_classes_of_any_length_are_none(client, source, run, full) -> None:
    path = address(source, "classes", full, run, "9" * 1000 + ",2")
    assert picture(client.get(path).content)[50, 50, 3] == 255


def test_a_tile_is_drawn_once_for_all_sessions(client, source, run, full, monkeypatch) -> None:
    path = address(source, "classes", full, run, "2")
    first = client.get(path)
    another = singletons.tile_sources().add(source.slide)
    another.runs[run.run_id] = run
    monkeypatch.setattr(drawing, "_draw", None)
    again = client.get(address(another, "classes", full, run, "2"))
    assert again.content == first.content


def test_boundaries_are_painted(client, source, run, full) -> None:
    assert picture(client.get(address(source, "boundaries", full, run)).content)[..., 3].any()


@pytest.mark.parametrize(
    ("layer", "level", "query"),
    [
        ("slide", 99, ""),
        ("nothing", 5, "?run={run}"),
        ("classes", 99, "?run={run}"),
        ("classes", 5, ""),
        ("classes", 5, "?run=another"),
        ("classes", 5, "?run={run}&palette=another"),
    ],
)
def test_what_is_not_there_is_404_and_not_kept(client, source, run, layer, level, query) -> None:
    path = source.address(layer, "png").format(level=level, x=0, y=0)
    answer = client.get(f"/{path}{query.format(run=run.run_id)}")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("base", "prefix"), [("", ""), ("/lab/nuclei/", "/lab/nuclei")])
def test_all_is_answered_below_the_servers_own_path(base, prefix) -> None:
    client = TestClient(Starlette(routes=routes_below(base)))
    answer = client.get(f"{prefix}/{web_files.address('slide_viewer.js')}")
    assert answer.headers["content-type"].startswith("text/javascript")


def test_the_nucleus_at_a_point_is_answered(client, source, run) -> None:
    address = f"/app/static/wsi/{source.token}/nucleus.json?run={run.run_id}"
    found = client.get(f"{address}&x=150.5&y=150&show=1,2")
    assert found.headers["content-type"] == "application/json"
    row = run.nuclei().set_index("nucleus_id").loc[found.json()["id"]]
    assert (row["x"], row["y"]) == pytest.approx((150, 150), abs=1)
    assert found.json()["class"] == "lymphocyte"
    assert found.json()["area_um2"] == pytest.approx(row["area_um2"], abs=0.1)
    assert client.get(f"{address}&x=100&y=100&show=1,2").json() == {}
    assert client.get(f"{address}&x=150&y=150&show=1").json() == {}


@pytest.mark.parametrize("query", ["x=1&y=1", "run={run}&y=1", "run={run}&x=a&y=1&show=2"])
def test_a_point_that_is_none_is_404(client, source, run, query) -> None:
    address = f"/app/static/wsi/{source.token}/nucleus.json?{query.format(run=run.run_id)}"
    assert client.get(address).status_code == 404


def test_a_token_nobody_has_is_404(client, source) -> None:
    answer = client.get("/app/static/wsi/guessed/slide/8/0_0.jpg")
    assert answer.status_code == 404
    assert "reload the page" in answer.text


def test_a_token_is_forgotten_with_its_session(client, source, full) -> None:
    other = singletons.tile_sources().add(source.slide)
    path = address(other, "slide", full)
    assert client.get(path).status_code == 200
    del other
    gc.collect()
    assert client.get(path).status_code == 404


def test_a_slide_that_has_become_unreadable_is_an_error_in_words(client, tmp_path) -> None:
    path = tmp_path / "empty.svs"
    path.touch()
    opened = singletons.tile_sources().add(ChosenSlide(path))
    answer = client.get(address(opened, "slide", 0))
    assert answer.status_code == 500
    assert "empty (0 bytes)" in answer.text


def test_the_viewers_modules_are_answered_and_nothing_else(client) -> None:
    answer = client.get("/" + web_files.address("slide_viewer.js"))
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "class SlideViewer" in answer.text
    for name in ("mount.js", "viewer.html", "nothing.js"):
        assert client.get("/" + web_files.address(name)).status_code == 404


def test_openseadragon_comes_from_here_only_where_npm_has_put_it(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(web_files, "_INSTALLED", tmp_path / "openseadragon.min.js")
    (source,) = web_files.library()["sources"]
    assert source.startswith("https://cdn.jsdelivr.net/npm/openseadragon@")
    assert "openseadragon.min.js" not in web_files.public_files()
    (tmp_path / "openseadragon.min.js").touch()
    assert web_files.library()["sources"][0].startswith("app/static/viewer/")


def test_listening_sockets_send_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert not listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with TestClient(Starlette(lifespan=lifespan)):
            assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
