"""Thirty clicks on the sample slide, and what becomes of the skin's own nuclei."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from seg_core.analysis import analyse
from seg_core.annotations import read_rois
from seg_core.samples import sample_path
from seg_core.teaching import anchors
from seg_core.teaching.apply import classify
from seg_core.teaching.labels import labels_of, read_marks
from seg_core.teaching.teach import teach

CLICKS = Path(__file__).parent / "clicks"


@pytest.mark.weights
def test_thirty_clicks_on_keratinocytes_leave_hardly_a_lymphocyte_in_the_epithelium(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model has not been taught on skin and calls two fifths of the epithelium *other*.

    How many of these come back hangs on which nuclei stand in for the classes that nobody clicked:
    between 66 and 74 % over ten draws. One draw said whether the test passed.
    """
    run = analyse(sample_path("cmu_small_region"), tmp_path)
    marks = read_marks(CLICKS / "keratinocytes.geojson")
    assert len(marks) == 30
    labels = labels_of(marks, [run])
    epithelium = shapely.union_all(
        [roi.polygon for roi in read_rois(CLICKS / "epithelium.geojson")]
    )
    found = run.as_found().nuclei()
    inside = shapely.contains_xy(epithelium, found["x"], found["y"])
    unclicked = ~found["nucleus_id"].isin(labels[0].nucleus_ids).to_numpy()
    # epithelium is epithelium by whatever name: what was clicked teaches the role of the new class
    epithelial = ["epithelial", "keratinocyte"]
    before = (found["class_name"] == "lymphocyte").to_numpy()
    taught = []
    for seed in range(10):
        monkeypatch.setattr(anchors, "SEED", seed)
        called = classify(run, teach(labels).classifier, name="skin").nuclei()["class_name"]
        lymphocytes = (called == "lymphocyte").to_numpy()
        assert lymphocytes[inside & unclicked].mean() < 0.03
        # those of the dermis stay what they were
        assert np.count_nonzero(lymphocytes & ~inside) > 0.6 * np.count_nonzero(before & ~inside)
        taught.append(called.isin(epithelial).to_numpy()[inside & unclicked].mean())
    seen = found["class_name"].isin(epithelial).to_numpy()[inside & unclicked].mean()
    assert np.mean(taught) > seen + 0.15 * (1 - seen)
