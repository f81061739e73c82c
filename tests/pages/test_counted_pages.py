"""What is to be left out counts nowhere: not on the page, not in the legend, not in a file."""

import pandas as pd
import pytest
import shapely

from pages.nuclei_page import downloads
from pages.nuclei_page.choice import Choice
from pages.shared import resources
from pages.viewer_page.layer_data import legend_note, legend_of
from seg_core.roi import Roi
from seg_core.scoring import parts_of
from tests.pages.conftest import NUCLEI

FOLD = Roi("fold_1", shapely.box(0, 0, 100, 300), "exclude")  # three of twelve discs
LEFT = NUCLEI - 3


@pytest.fixture
def page(visit, chosen, run):
    return visit("nuclei", slide=chosen, run=run.path, rois=(FOLD,))


def test_page_legend_and_files_agree_on_what_is_left_out(page, run, tmp_path) -> None:
    assert page.metric[0].value == f"{LEFT}"
    assert sum(each["count"] for each in legend_of(run, [FOLD])) == LEFT
    assert sum(each["count"] for each in legend_of(run)) == NUCLEI
    choice = Choice(run, tuple(parts_of(run, [FOLD])), 0.0, False, (FOLD,))
    for form, file in downloads.offered():
        if file.suffix == "nuclei.csv":
            options = downloads.options_of(choice, anonymous=False, simplify_um=0.0)
            (tmp_path / "nuclei.csv").write_bytes(downloads.content_of(form, file, run, options))
    table = pd.read_csv(tmp_path / "nuclei.csv")
    assert len(table) == LEFT
    assert set(table["part"]) == {"Whole analysis without fold_1"}
    assert set(table["run"]) == {run.run_id}


def test_page_and_legend_say_what_they_leave_out(page, run) -> None:
    page.segmented_control(key="_section").set_value("Downloads").run()
    assert not page.exception
    told = next(each.value for each in page.main.caption if each.value.startswith("In every file"))
    assert "Whole analysis without fold_1" in told
    assert legend_note(run, [FOLD]) == "Not counted here: what lies in fold_1."
    assert legend_note(run, []) is None
    assert resources.counts(run, 0.0)["lymphocyte"] == NUCLEI
