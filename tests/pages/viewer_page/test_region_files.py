"""A file of regions, or of what a program found: which of both, and what of it is left out."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import shapely
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import state
from pages.viewer_page import region_files
from seg_core.annotations import read_annotations
from seg_core.errors import RegionError, StoreError
from seg_core.export.geojson import write_geojson
from seg_core.store import Run
from tests.pages.conftest import NUCLEI

SQUARE = json.loads(shapely.to_geojson(shapely.box(10, 10, 50, 50)))


def feature(geometry: dict[str, Any], **properties: object) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def read(*features: dict[str, Any]) -> Any:
    return region_files.read_file("a_b*.geojson", json.dumps(features).encode())


@pytest.fixture
def asked(visit, chosen, run: Run, tmp_path, monkeypatch) -> AppTest:
    """The viewer after it was given the program's own nuclei as a file of regions."""
    path = tmp_path / "nuclei.geojson"
    write_geojson(run, path)
    with monkeypatch.context() as patch:
        remembered: dict[str, Any] = {}
        patch.setattr(st, "session_state", remembered)
        region_files.take(chosen, path.name, read_annotations(path))
    return visit("viewer", slide=chosen, **remembered)


def button(page: AppTest, label: str) -> AppTest:
    return next(each for each in page.sidebar.button if each.label == label)


def test_the_programs_own_nuclei_do_not_become_regions_before_somebody_says_so(
    asked: AppTest,
) -> None:
    assert f"holds {NUCLEI} detections" in asked.sidebar.warning[0].value
    assert "rois" not in asked.session_state
    button(asked, "Leave them out").click().run()
    assert "rois" not in asked.session_state
    assert not asked.sidebar.warning


def test_one_region_is_laid_around_them(asked: AppTest) -> None:
    button(asked, "One region around them").click().run()
    [roi] = asked.session_state["rois"]
    assert roi.name == f"around {NUCLEI} detections"
    assert roi.polygon.bounds == pytest.approx((35, 35, 366, 266), abs=2)


def test_each_becomes_one_where_that_is_wanted(asked: AppTest) -> None:
    button(asked, f"{NUCLEI} regions").click().run()
    assert len(asked.session_state["rois"]) == NUCLEI
    assert len({roi.name for roi in asked.session_state["rois"]}) == NUCLEI


def test_lines_and_points_are_named_as_left_out(visit, chosen, monkeypatch) -> None:
    line = {"type": "LineString", "coordinates": [[0, 0], [5, 5]]}
    point = {"type": "Point", "coordinates": [1, 1]}
    remembered: dict[str, Any] = {}
    with monkeypatch.context() as patch:
        patch.setattr(st, "session_state", remembered)
        found = read(feature(SQUARE, name="nest"), feature(line), feature(point), feature(point))
        region_files.take(chosen, "a_b*.geojson", found)
    page = visit("viewer", slide=chosen, **remembered)
    told = page.sidebar.info[0].value.replace("\\", "")
    assert told.startswith("1 line and 2 points of a_b*.geojson were left out")
    assert [roi.name for roi in page.session_state["rois"]] == ["nest"]
    with monkeypatch.context() as patch:
        patch.setattr(st, "session_state", {})
        with pytest.raises(RegionError, match="holds no polygon"):
            region_files.take(chosen, "lines.geojson", read(feature(line)))
        assert state.IMPORTED.get() is None


def test_what_of_a_file_cannot_be_used_is_told_beside_the_regions(
    visit, chosen, monkeypatch
) -> None:
    line = {"type": "LineString", "coordinates": [[0, 0], [5, 5]]}
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [9, 9], [9, 0], [0, 8], [0, 0]]]}
    remembered: dict[str, Any] = {}
    with monkeypatch.context() as patch:
        patch.setattr(st, "session_state", remembered)
        found = read(feature(SQUARE, name="nest"), feature(bow, name="bow"), feature(line))
        region_files.take(chosen, "a.geojson", found)
    page = visit("viewer", slide=chosen, **remembered)
    assert [roi.name for roi in page.session_state["rois"]] == ["nest"]
    lines, _, bows = page.sidebar.info[0].value.replace("\\", "").partition(". ")
    assert lines.startswith("1 line of a.geojson was left out")
    assert bows == (
        "1 entry of a.geojson was left out, since the outline of the ROI 'bow' crosses itself."
    )


def test_a_file_that_finds_no_room_is_refused_in_a_sentence(monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StoreError, match="temporary files is full; free some space"):
        read(feature(SQUARE))


def test_a_full_disk_leaves_the_question_open(
    asked: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(region_files, "add_rois", full)
        page = button(asked, f"{NUCLEI} regions").click().run()
    assert not page.exception
    assert [each.value for each in page.error] == ["The disk is full."]
    assert button(page, f"{NUCLEI} regions").click().run().session_state["rois"]
