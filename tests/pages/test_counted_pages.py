"""What is to be left out counts nowhere: not on the page, not in the legend, not in a file."""

import io
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.nuclei_page import downloads
from pages.nuclei_page.choice import Choice
from pages.shared import resources, singletons, state
from pages.viewer_page.layer_data import layers_of, legend_note, legend_of
from pages.viewer_page.server.routes import routes_below
from seg_core.roi import Roi
from seg_core.scoring import counted_of, parts_of
from seg_core.slide import DeepZoom
from seg_core.store import Run, RunWriter, write_nuclei
from tests.pages.conftest import NUCLEI

FOLD = Roi("fold_1", shapely.box(0, 0, 100, 300), "exclude")  # three of twelve discs
LEFT = NUCLEI - 3
COLUMNS = {"second": 100, "third": 200}  # where three discs lie each


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


def says_left_out(page, name: str = "fold_1") -> bool:
    captions = [each.value for each in page.caption if each.value.startswith("Not counted here")]
    return any(f"what lies in {name}" in each for each in captions)


def test_page_and_legend_say_what_they_leave_out(page, run) -> None:
    page.segmented_control(key="_section").set_value("Downloads").run()
    assert not page.exception
    told = next(
        each.value for each in page.main.caption if each.value.startswith("Every file says")
    )
    assert "Whole analysis without fold_1" in told
    assert says_left_out(page)
    assert legend_note(run, [FOLD]) == "Not counted here: what lies in fold_1."
    assert legend_note(run, []) is None
    assert resources.counts(run, 0.0)["lymphocyte"] == NUCLEI


@pytest.mark.parametrize("section", ["Overview", "Table", "Gallery"])
def test_every_section_of_the_page_says_what_it_leaves_out(page, section: str) -> None:
    """Its downloads alone did; the numbers stood there as those of all that was found."""
    page.segmented_control(key="_section").set_value(section).run()
    assert says_left_out(page)


def test_the_page_of_scores_says_it_too_and_nothing_of_what_lies_elsewhere(
    visit, chosen, run
) -> None:
    far = Roi("far", shapely.box(1000, 0, 1100, 300), "exclude")
    assert says_left_out(visit("til_score", slide=chosen, run=run.path, rois=(FOLD, far)))
    assert not says_left_out(visit("til_score", slide=chosen, run=run.path, rois=(far,)), "")


def test_where_numbers_are_asked_for_stays_while_other_pages_are_looked_at(
    visit, chosen, run
) -> None:
    """Whoever looked at a region and went to the viewer came back to the whole, and took that away."""
    rois = tuple(Roi(name, shapely.box(x, 0, x + 100, 300)) for name, x in COLUMNS.items())
    page = visit("nuclei", slide=chosen, run=run.path, rois=rois)
    page.multiselect(key="_where").set_value(["third"]).run()
    page.switch_page("pages/viewer.py").run()
    page.switch_page("pages/nuclei.py").run()
    assert page.multiselect(key="_where").value == ["third"]
    assert page.metric[0].value == "3"
    page.session_state[state.ROIS.name] = rois[:1]  # the region was removed in the viewer
    page.run()
    assert not page.exception
    assert page.multiselect(key="_where").value == []
    assert page.metric[0].value == f"{NUCLEI}"


def test_each_region_has_a_file_of_its_own(visit, chosen, run) -> None:
    rois = (FOLD, *(Roi(name, shapely.box(x, 0, x + 100, 300)) for name, x in COLUMNS.items()))
    page = visit("nuclei", slide=chosen, run=run.path, rois=rois)
    page.segmented_control(key="_section").set_value("Downloads").run()
    page.toggle(key="_by_roi").set_value(True).run()
    assert not page.exception
    assert page.toggle(key="_by_roi").label == "One file per region (2)"
    choice = Choice(run, tuple(parts_of(run, rois)[:1]), 0.0, False, rois)
    options = downloads.options_of(choice, anonymous=True, simplify_um=0.0)
    form, file = next(each for each in downloads.offered() if each[1].suffix == "nuclei.csv")
    regions = downloads.regions_of(choice)
    content = downloads.files_by_roi(regions, form, file, run, options)
    packed = zipfile.ZipFile(io.BytesIO(content))
    assert set(packed.namelist()) == {f"slide-{run.run_id}-nuclei-{name}.csv" for name in COLUMNS}
    for name in packed.namelist():
        table = pd.read_csv(packed.open(name))
        assert len(table) == 3
        assert set(table["roi"]) == {table["part"][0].removesuffix(" without fold_1")}


def test_only_the_regions_that_are_looked_at_have_a_file(visit, chosen, run) -> None:
    """*Where* was passed over: whoever looked at one region was given files of all."""
    rois = (FOLD, *(Roi(name, shapely.box(x, 0, x + 100, 300)) for name, x in COLUMNS.items()))
    page = visit("nuclei", slide=chosen, run=run.path, rois=rois)
    page.segmented_control(key="_section").set_value("Downloads").run()
    page.toggle(key="_by_roi").set_value(True).run()
    page.multiselect(key="_where").set_value(["third"]).run()
    assert not page.exception
    assert page.toggle(key="_by_roi").label == "One file per region (1)"
    told = [each.value for each in page.main.caption]
    assert any("one region" in each and "third without fold_1" in each for each in told)
    _, _, third = parts_of(run, rois)
    choice = Choice(run, (third,), 0.0, False, rois)
    options = downloads.options_of(choice, anonymous=True, simplify_um=0.0)
    form, file = next(each for each in downloads.offered() if each[1].suffix == "nuclei.csv")
    content = downloads.files_by_roi(downloads.regions_of(choice), form, file, run, options)
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == [
        f"slide-{run.run_id}-nuclei-third.csv"
    ]


def test_classes_are_painted_of_what_counts_alone(run: Run, chosen, session) -> None:
    state.SLIDE.set(chosen)
    everything = painted(run, chosen)
    assert everything.all()
    state.ROIS.set((FOLD,))
    np.testing.assert_array_equal(painted(run, chosen).sum(axis=0), [0, 3, 3, 3])
    state.ROIS.clear()
    run.journal().correct([1], ["lymphocyte"], None, by="reader")
    assert painted(run, chosen).sum() == NUCLEI - 1


def test_a_class_that_a_nucleus_no_longer_has_is_not_painted(run: Run, chosen, session) -> None:
    """A nucleus called a macrophage by hand was filled as a lymphocyte inside its new outline."""
    state.SLIDE.set(chosen)
    run.journal().correct([1], ["lymphocyte"], "macrophage", by="reader")
    run.journal().correct([2], ["lymphocyte"], "lymphocyte", by="reader")
    assert painted(run, chosen).sum() == NUCLEI - 1
    assert painted(run.as_found(), chosen).all()


def test_classes_of_nuclei_below_the_least_score_are_not_painted(run: Run, chosen, session) -> None:
    table = run.nuclei()
    table["class_score"] = np.where(table["x"] < 200, 0.5, 0.9).astype(np.float32)
    write_nuclei([gpd.GeoDataFrame(table)], run.path / "nuclei.parquet", run.scheme)
    run = RunWriter(run.path).write_facts(run.facts)  # with the checksum of these nuclei
    state.SLIDE.set(chosen)
    assert painted(run, chosen).all()
    state.MIN_SCORE.set(0.6)
    np.testing.assert_array_equal(painted(run, chosen).sum(axis=0), [0, 0, 3, 3])


def painted(run: Run, chosen) -> np.ndarray:
    """Which discs the layer *Classes* shows by the addresses that the viewer is told, (3, 4)."""
    source = singletons.tile_sources().add(chosen)
    slide = resources.slide(chosen.path, chosen.mpp)
    layer = next(each for each in layers_of(slide.info, run, source) if each["id"] == "classes")
    level, seen = DeepZoom(slide).level_count - 1, np.zeros((512, 512), dtype=np.uint8)
    client = TestClient(Starlette(routes=routes_below("")))
    for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
        address = layer["url"].format(level=level, x=x, y=y, show="0,1,2,3,4")
        tile = np.asarray(Image.open(io.BytesIO(client.get(f"/{address}").content)))[..., 3]
        seen[256 * y :, 256 * x :][: tile.shape[0], : tile.shape[1]] = tile
    return seen[50:300:100, 50:400:100] > 0


def test_a_sentence_does_not_name_a_thousand_regions(run: Run) -> None:
    folds = [Roi(f"fold {number}", FOLD.polygon, "exclude") for number in range(1000)]
    told = counted_of(run, folds).left_out_in_words()
    assert told is not None
    assert told.endswith("lies in fold 0, fold 1, fold 2, fold 3, fold 4 and 995 more regions.")
    assert counted_of(run, folds[:2]).left_out_in_words() == (
        "Not counted here: what lies in fold 0 and fold 1."
    )
    assert counted_of(run, []).left_out_in_words() is None
