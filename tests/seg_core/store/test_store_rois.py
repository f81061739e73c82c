from dataclasses import replace
from pathlib import Path

import pytest
import shapely

from seg_core.errors import RegionError, StoreError
from seg_core.roi import Roi
from seg_core.store.rois import geojson_of, keep_rois, rois_of

TUMOUR = Roi("tumour", shapely.Polygon([(0, 0), (10.5, 0), (10, 8)], [[(6, 1), (9, 1), (9, 3)]]))
NECROSIS = Roi("necrosis", shapely.box(20, 20, 30, 30), "exclude")


def test_rois_are_read_back_in_their_order(tmp_path: Path) -> None:
    nest = Roi("nest", shapely.box(0, 0, 9, 9), "tumour")
    keep_rois(tmp_path, "slide-1", [TUMOUR, NECROSIS, nest])
    assert rois_of(tmp_path, "slide-1") == [TUMOUR, NECROSIS, nest]
    assert rois_of(tmp_path, "slide-2") == []


def test_qupath_is_told_the_kind_by_its_own_class() -> None:
    nest = Roi("nest", shapely.box(0, 0, 9, 9), "tumour")
    rois = [nest, replace(nest, class_name="Invasive"), NECROSIS, TUMOUR]
    features = geojson_of(rois)["features"]
    assert isinstance(features, list)
    assert [each["properties"].get("classification", {}).get("name") for each in features] == [
        "Tumor",
        "Invasive",
        "Ignore*",
        None,
    ]


def test_the_last_roi_taken_away_leaves_nothing(tmp_path: Path) -> None:
    keep_rois(tmp_path, "slide-1", [TUMOUR])
    keep_rois(tmp_path, "slide-1", [])
    keep_rois(tmp_path, "slide-1", [])
    assert rois_of(tmp_path, "slide-1") == []
    assert list((tmp_path / "slide-1").iterdir()) == []


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "slide-1").write_text("a file where a folder should be")
    with pytest.raises(StoreError):
        keep_rois(tmp_path, "slide-1", [TUMOUR])


@pytest.mark.parametrize("content", [b"", b"{", b"\x80", b'{"features": 5}'])
def test_damaged_rois_are_put_aside_and_said_once(tmp_path: Path, content: bytes) -> None:
    """They broke the slide's viewer for everybody until somebody deleted the file by hand."""
    keep_rois(tmp_path, "slide-1", [TUMOUR])
    (kept,) = (tmp_path / "slide-1").iterdir()
    kept.write_bytes(content)
    with pytest.raises(RegionError, match="have been put aside") as caught:
        rois_of(tmp_path, "slide-1")
    assert str(caught.value).isprintable()
    assert rois_of(tmp_path, "slide-1") == []
    assert [path.read_bytes() for path in (tmp_path / "slide-1").iterdir()] == [content]
