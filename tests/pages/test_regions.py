"""Whose ROIs are whose, and what is taken over from the viewer."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import shapely
import streamlit as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from visiting import visited_by

from pages.shared import regions, resources, slide_places, state
from pages.shared.uploads import UploadFolder
from pages.shared.visitor import COOKIE, ReaderCookie
from pages.viewer_page import region_files
from seg_core.geometry import Region
from seg_core.roi import Roi, roi_of_region
from seg_core.samples import sample_path
from seg_core.store.rois import geojson_of, rois_of

TUMOUR = roi_of_region(Region(0, 0, 200, 100), "tumour")
RING = Roi("ring", shapely.Point(50, 50).buffer(30) - shapely.Point(50, 50).buffer(10), "exclude")


pytestmark = pytest.mark.usefixtures("session")


def drawn(
    *rois: Roi,
    selected: str | None = None,
    revision: int = 1,
    touched: Sequence[str] | None = None,
    removed: Sequence[Roi] = (),
) -> dict[str, object]:
    """What the viewer sends: as JSON, so that numbers are what a browser makes of them."""
    entries = [entry_of(roi) for roi in rois]
    return json.loads(
        json.dumps(
            {
                "revision": revision,
                "selected": selected,
                "rois": entries,
                "touched": [each["id"] for each in entries] if touched is None else touched,
                "removed": [entry_of(roi) for roi in removed],
            }
        )
    )


def entry_of(roi: Roi) -> dict[str, object]:
    return {
        "id": roi.roi_id or f"id of {roi.name}",
        "name": roi.name,
        "kind": roi.kind,
        "className": roi.class_name,
        "colour": roi.colour,
        "rings": regions._rings_of(roi.polygon),
    }


def test_what_is_drawn_comes_back_as_it_was(chosen) -> None:
    regions.take_drawn(chosen, drawn(TUMOUR, RING, selected="ring", revision=7))
    assert regions.slide_rois(chosen) == [TUMOUR, RING]
    assert regions.selected_roi(chosen) == RING
    sent = regions.drawing_of(chosen)
    told = drawn(TUMOUR, RING, selected="ring", revision=7)
    assert all(sent[name] == told[name] for name in ("revision", "selected", "rois"))


def test_an_outline_that_crosses_itself_is_refused_and_the_viewer_told(chosen) -> None:
    regions.take_drawn(chosen, drawn(TUMOUR))
    crossing = drawn(TUMOUR, revision=2)
    crossing["rois"][0]["rings"] = [[[0, 0], [9, 9], [9, 1], [1, 5]]]
    regions.take_drawn(chosen, crossing)
    sent = regions.drawing_of(chosen)
    assert "crosses itself" in sent["problem"]
    assert (sent["revision"], sent["rois"]) == (2, drawn(TUMOUR)["rois"])
    regions.take_drawn(chosen, drawn(RING, revision=3))
    assert regions.drawing_of(chosen)["problem"] is None


def test_what_was_drawn_is_taken_once_though_it_is_told_again_after_a_change(chosen) -> None:
    """On a busy server a run of the page is cut short by the next, and a new name was lost."""
    told = drawn(TUMOUR, selected="tumour")
    regions.take_drawn(chosen, told)
    (kept,) = regions.slide_rois(chosen)
    regions.change_rois(chosen, put=[replace(kept, name="nest")])
    regions.take_drawn(chosen, told)
    assert [roi.name for roi in regions.slide_rois(chosen)] == ["nest"]


def test_two_readers_of_one_slide_do_not_see_each_others(chosen, monkeypatch, session) -> None:
    visited_by(monkeypatch, cookie="one")
    regions.keep_slide_rois(chosen, [TUMOUR])
    visited_by(monkeypatch, cookie="other")
    assert regions.slide_rois(chosen) == []
    visited_by(monkeypatch)
    assert regions.slide_rois(chosen) == []
    visited_by(monkeypatch, cookie="one")
    session.clear()
    assert regions.slide_rois(chosen) == [TUMOUR]


def as_of(*rois: Roi) -> list[Roi]:
    """The same with the ids that `drawn` gives them."""
    return [replace(roi, roi_id=f"id of {roi.name}") for roi in rois]


def test_two_at_one_slide_each_keep_what_they_draw(chosen, monkeypatch, session) -> None:
    """Each viewer sends all it knows; what the other has drawn since is not in it."""
    visited_by(monkeypatch, local="1")
    other_session: dict[str, object] = {}
    regions.take_drawn(chosen, drawn(TUMOUR))
    monkeypatch.setattr(st, "session_state", other_session)
    regions.take_drawn(chosen, drawn(RING))
    assert regions.slide_rois(chosen) == [TUMOUR, RING]

    # one draws the ring anew, the other, who has the old one, moves the tumour: both are kept
    wider = replace(as_of(RING)[0], polygon=RING.polygon.buffer(5))
    regions.take_drawn(chosen, drawn(wider, revision=2))
    monkeypatch.setattr(st, "session_state", session)
    away = as_of(TUMOUR)[0].moved(10, 10)
    regions.take_drawn(chosen, drawn(away, RING, revision=2, touched=["id of tumour"]))
    assert regions.slide_rois(chosen) == [away, wider]

    # the last change of one region wins, a removal too
    regions.take_drawn(chosen, drawn(away, revision=3, touched=["id of ring"], removed=[RING]))
    assert regions.slide_rois(chosen) == [away]
    regions.bring_back(chosen)
    assert regions.slide_rois(chosen) == [away, wider]  # as it was when it was removed


def test_a_name_that_another_has_given_meanwhile_gets_a_number_and_stays_selected(
    chosen, monkeypatch
) -> None:
    visited_by(monkeypatch, local="1")
    regions.take_drawn(chosen, drawn(replace(TUMOUR, name="Region 1", roi_id="theirs")))
    mine = replace(RING, name="Region 1", roi_id="mine")
    regions.take_drawn(chosen, drawn(mine, selected="Region 1", revision=2))
    assert [roi.name for roi in regions.slide_rois(chosen)] == ["Region 1", "Region 1 2"]
    assert regions.selected_roi(chosen) == replace(mine, name="Region 1 2")


def test_a_region_keeps_its_id_class_and_colour_through_the_store_and_the_viewer(
    chosen, monkeypatch
) -> None:
    visited_by(monkeypatch, local="1")
    roi = Roi("nest", RING.polygon, roi_id="q1", class_name="Tumor", colour="#c80000")
    regions.add_rois(chosen, [roi])
    regions.take_drawn(chosen, regions.drawing_of(chosen) | {"touched": ["q1"], "removed": []})
    [kept] = regions.slide_rois(chosen)
    assert (kept.roi_id, kept.class_name, kept.colour) == ("q1", "Tumor", "#c80000")


def test_what_was_removed_last_is_brought_back_wherever_it_was_removed(chosen) -> None:
    regions.take_drawn(chosen, drawn(TUMOUR, RING))
    regions.take_drawn(chosen, drawn(RING, revision=2, touched=["id of tumour"], removed=[TUMOUR]))
    regions.bring_back(chosen)
    assert regions.slide_rois(chosen) == [RING, TUMOUR]
    regions.change_rois(chosen, remove=as_of(TUMOUR, RING))
    assert regions.slide_rois(chosen) == []
    regions.bring_back(chosen)
    assert regions.slide_rois(chosen) == [RING, TUMOUR]
    assert state.REMOVED.get() is None


def test_what_was_drawn_and_removed_before_the_page_heard_of_it_is_brought_back(chosen) -> None:
    """Of two changes within a moment the browser sends the last alone."""
    regions.take_drawn(chosen, drawn(touched=["id of ring"], removed=[RING]))
    assert state.REMOVED.get() == (RING,)
    regions.bring_back(chosen)
    assert regions.slide_rois(chosen) == [RING]


def test_regions_of_a_sample_are_the_readers_alone_on_a_shared_machine_too(
    monkeypatch, store: Path
) -> None:
    sample = state.ChosenSlide(sample_path("hgsc_nest"))
    visited_by(monkeypatch, cookie="one", local="1")
    regions.keep_slide_rois(sample, [TUMOUR])
    assert regions.slide_rois(sample) == [TUMOUR]
    visited_by(monkeypatch, cookie="other", local="1")
    assert regions.slide_rois(sample) == []
    assert rois_of(store, resources.identity(sample.path)) == []


def test_a_cookie_names_no_folder_of_its_own(chosen, monkeypatch, store: Path) -> None:
    visited_by(monkeypatch, cookie="../../elsewhere")
    regions.keep_slide_rois(chosen, [TUMOUR])
    [file] = store.parent.rglob("rois.geojson")
    assert file.parents[2] == store / "readers"


def test_regions_of_an_upload_stay_with_the_upload(slide_path: Path, monkeypatch) -> None:
    visited_by(monkeypatch, cookie="one", local="1")
    content = io.BytesIO(slide_path.read_bytes())
    folders = [UploadFolder(), UploadFolder()]
    one, other = (
        state.ChosenSlide(
            slide_places.save_upload("discs.png", 0, content, folder.path, lambda size: None)
        )
        for folder in folders
    )
    regions.keep_slide_rois(one, [TUMOUR])
    assert regions.slide_rois(one) == [TUMOUR]
    assert resources.identity(one.path) == resources.identity(other.path)
    assert regions.slide_rois(other) == []


def test_on_the_readers_own_machine_they_are_kept_beside_the_runs(
    chosen, monkeypatch, store: Path
) -> None:
    visited_by(monkeypatch, cookie="one", local="1")
    regions.keep_slide_rois(chosen, [TUMOUR])
    assert rois_of(store, resources.identity(chosen.path)) == [TUMOUR]


def test_a_file_with_regions_is_read_into_those_there_are(chosen) -> None:
    regions.keep_slide_rois(chosen, [TUMOUR])
    written = json.dumps(geojson_of([TUMOUR, RING])).encode()
    regions.add_rois(chosen, region_files.read_file("from qupath.geojson", written).rois)
    assert [roi.name for roi in regions.slide_rois(chosen)] == ["tumour", "tumour 2", "ring"]
    assert regions.selected_roi(chosen) == RING


@pytest.mark.parametrize(
    ("roi", "rectangle"),
    [
        (TUMOUR, True),
        (RING, False),
        (Roi("half pixels", shapely.box(0.5, 0, 9, 9)), False),
        (Roi("more corners", shapely.Polygon([(0, 0), (4, 0), (9, 0), (9, 9), (0, 9)])), True),
    ],
)
def test_a_rectangle_is_what_covers_its_own_box(roi: Roi, rectangle: bool) -> None:
    assert regions.is_rectangle(roi) == rectangle


def test_a_browser_is_given_a_number_once_and_with_the_page_alone() -> None:
    routes = [
        Route("/", lambda _request: HTMLResponse("<!doctype html>")),
        Route("/file", lambda _request: PlainTextResponse("text")),
    ]
    client = TestClient(Starlette(routes=routes, middleware=[Middleware(ReaderCookie)]))
    assert "set-cookie" not in client.get("/file").headers
    given = client.get("/").headers["set-cookie"]
    assert "HttpOnly" in given
    assert "SameSite=Lax" in given
    assert "set-cookie" not in client.get("/").headers
    assert client.cookies[COOKIE] in given


RINGS = [[[0, 0], [90, 0], [90, 90], [0, 90]]]
SENT = {"id": "1", "name": "a", "kind": "include", "className": "", "colour": "", "rings": RINGS}


@pytest.mark.parametrize(
    "changed",
    [
        *({"rings": 5}, {"rings": []}, {"rings": [[]]}, {"rings": [["x"]]}, {"rings": [[[0, 0]]]}),
        {"rings": [[[0, 0], [1e300, 0], [1e300, 1e300]]]},
        {"rings": [[[0, 0], [float("nan"), 0], [9, 9]]]},
        {"rings": [[[0, 0], [float("inf"), 0], [9, 9]]]},
        *({"name": 5}, {"name": None}, {"name": []}, {"kind": {}}, {"kind": "all"}, {"id": 7}),
        *({"colour": "red"}, {"colour": 5}, {"colour": "#12345"}, {"className": ["a"]}),
    ],
)
def test_what_no_viewer_sends_is_refused_in_a_sentence_and_keeps_nothing(
    chosen, changed: dict[str, object]
) -> None:
    """It was kept, and then broke the viewer of that slide until a file was deleted by hand."""
    sent = {
        "revision": 1,
        "selected": None,
        "touched": ["1", 7],
        "removed": [],
        "rois": [{**SENT, **changed}],
    }
    regions.take_drawn(chosen, sent)
    problem = state.PROBLEM.get()
    assert problem
    assert problem.endswith(".")
    assert regions.slide_rois(chosen) == []


def test_a_name_of_any_length_and_any_letters_is_kept_as_it_can_be_read(chosen) -> None:
    sent = {**SENT, "name": "x\0\ud800\n" * 200}
    regions.take_drawn(
        chosen, {"revision": 1, "selected": None, "touched": ["1"], "removed": [], "rois": [sent]}
    )
    (roi,) = regions.slide_rois(chosen)
    assert roi.name.isprintable()
    assert len(roi.name) <= 200


class Counted(str):
    """A word that counts how often it is compared or looked up."""

    looks = 0

    def __eq__(self, other: object) -> bool:
        Counted.looks += 1
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        Counted.looks += 1
        return str.__hash__(self)


@pytest.mark.parametrize("same_name", [True, False])
def test_thousands_of_regions_are_not_compared_with_each_other(chosen, same_name) -> None:
    """12,000 features of one file took more than a minute where all had one name."""
    count = 400
    names = ["Tumor" if same_name else f"region {number}" for number in range(count)]
    many = [
        replace(TUMOUR, name=Counted(name), roi_id=Counted(f"id {number}"))
        for number, name in enumerate(names)
    ]
    Counted.looks = 0
    regions.add_rois(chosen, many)
    assert Counted.looks < 40 * count
    kept = [roi.name for roi in regions.slide_rois(chosen)]
    assert kept == (
        ["Tumor", *(f"Tumor {number}" for number in range(2, 401))] if same_name else names
    )


def test_a_name_that_was_given_up_is_free_again(chosen) -> None:
    regions.add_rois(chosen, [replace(TUMOUR, roi_id=each) for each in "abc"])
    first, _, third = regions.slide_rois(chosen)
    assert third.name == "tumour 3"
    # what is drawn anew under its own id gives its name up first
    kept = regions.change_rois(
        chosen, put=[replace(first, name="stroma"), replace(third, name="tumour")]
    )
    assert [roi.name for roi in kept] == ["stroma", "tumour"]
    assert [roi.name for roi in regions.slide_rois(chosen)] == ["stroma", "tumour 2", "tumour"]
