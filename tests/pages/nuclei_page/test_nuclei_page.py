import io
import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image

from pages.nuclei_page import distributions, downloads, nucleus_table
from pages.nuclei_page.choice import Choice
from pages.shared import singletons, state
from pages.shared.scoring import ScoringRequest
from seg_core import analysis
from seg_core.classes import OTHER, UNCERTAIN, ClassScheme, NucleusClass
from seg_core.export import formats
from seg_core.export.options import ExportOptions
from seg_core.roi import Roi
from seg_core.scoring import WHOLE, parts_of
from seg_core.scoring.assessment import assess
from seg_core.store import Run, RunWriter, write_nuclei
from seg_core.store.answer import Answer, forget_answer, write_answer
from seg_core.store.journal import Journal
from seg_core.store.run import NUCLEI_FILE
from seg_core.til import TilSettings
from seg_core.unbroken import unbroken

LEFT, TOP = Roi("left", shapely.box(0, 0, 200, 300)), Roi("top", shapely.box(0, 0, 400, 100))
SECTIONS = ["Overview", "Distributions", "Scatter", "Map", "Table", "Gallery", "Downloads"]


@pytest.fixture
def open_section(visit, chosen, run):
    """Open the page with the finished analysis, at one of its sections."""

    def open_at(section: str, **remembered: object):
        page = visit("nuclei", slide=chosen, **remembered)
        page.segmented_control(key="_section").set_value(section).run()
        assert not page.exception
        return page

    return open_at


def write_instead(run: Run, **columns: np.ndarray) -> None:
    """Write other values of the nuclei, and their checksum, as a run does."""
    write_nuclei([run.nuclei().assign(**columns)], run.path / NUCLEI_FILE, run.scheme)
    RunWriter(run.path).write_facts(run.facts)


def test_with_nothing_chosen_it_says_where_to_choose(visit) -> None:
    page = visit("nuclei")
    assert page.info[0].value == "Choose a slide on the Slides page first."
    assert [each.value for each in page.header] == ["Nuclei"]


def test_before_an_analysis_it_says_where_to_start_one(visit, chosen) -> None:
    page = visit("nuclei", slide=chosen)
    assert page.info[0].value.startswith("Nothing has been analysed on this slide yet")


@pytest.mark.parametrize("section", SECTIONS)
def test_a_run_without_nuclei_has_every_section(
    visit, run, store, tmp_path: Path, section: str
) -> None:
    Image.new("RGB", (300, 200), (230, 170, 200)).save(tmp_path / "blank.png")
    analysis.analyse(tmp_path / "blank.png", store, mpp=0.25)
    page = visit("nuclei", slide=state.ChosenSlide(tmp_path / "blank.png", 0.25))
    assert page.info[0].value.startswith("No nuclei were found here")
    page.segmented_control(key="_section").set_value(section).run()
    assert not page.exception


def test_a_result_is_counted_and_drawn(visit, chosen, run) -> None:
    page = visit("nuclei", slide=chosen)
    assert not page.info
    assert [metric.value for metric in page.metric] == [*("12", "0.0075", "1,600", "0", "–")]
    classes, measures = (each.value.set_index("class_name") for each in page.dataframe)
    assert classes["count"]["lymphocyte"] == measures["count"]["lymphocyte"] == 12
    assert measures["median"]["lymphocyte"] == pytest.approx(
        run.nuclei()["area_um2"].median(), rel=1e-6
    )
    assert "no interval: an interval needs at least 20 squares" in " ".join(
        caption.value for caption in page.caption
    )


def test_the_page_counts_what_was_corrected_says_so_and_shows_the_models_own(
    visit, chosen, run
) -> None:
    page = visit("nuclei", slide=chosen)
    assert counted(page) == {"lymphocyte": 12}
    assert not [each for each in page.toggle if each.key == "_as_found"]
    # as another process does
    Journal(run.path).correct([1, 2], ["lymphocyte"] * 2, "macrophage", by="ada")
    Journal(run.path).correct([3], ["lymphocyte"], None, by="ada")
    page.run()
    assert counted(page) == {"lymphocyte": 9, "macrophage": 2}
    assert "3 nuclei were corrected by hand" in " ".join(each.value for each in page.caption)
    page.toggle(key="_as_found").set_value(True).run()
    assert counted(page) == {"lymphocyte": 12}
    assert "3 nuclei were corrected by hand" in " ".join(each.value for each in page.caption)
    page.switch_page("pages/viewer.py").run().switch_page("pages/nuclei.py").run()
    assert counted(page) == {"lymphocyte": 12}
    page.toggle(key="_as_found").set_value(False).run()
    assert counted(page) == {"lymphocyte": 9, "macrophage": 2}


def test_the_page_counts_by_a_classifier_that_was_asked_meanwhile(visit, chosen, run) -> None:
    page = visit("nuclei", slide=chosen)
    own = ClassScheme((*run.scheme.classes, NucleusClass(5, "plasma cell", "#112233")))
    ids = run.nuclei()["nucleus_id"]
    named = pd.DataFrame({"nucleus_id": ids, "class_name": "plasma cell", "class_score": 0.9})
    write_answer(run.path, Answer("mine", own, own.names, named))
    page.run()
    assert counted(page) == {"plasma cell": 12}
    forget_answer(run.path)
    page.run()
    assert counted(page) == {"lymphocyte": 12}


def test_what_was_corrected_is_offered_as_data_to_train_with(open_section, run) -> None:
    def offered(page) -> bool:
        return any(each.proto.label == "Training masks" for each in page.get("download_button"))

    assert not offered(open_section("Downloads"))
    run.journal().correct([1], ["lymphocyte"], "macrophage", by="ada")
    assert offered(open_section("Downloads"))
    with ZipFile(io.BytesIO(downloads.masks_of(run))) as packed:
        folders = {Path(name).parts[0] for name in packed.namelist()}
    assert folders == {"images", "inst", "class", "ignore"}


def test_anonymous_masks_do_not_name_the_slide(open_section, run, monkeypatch) -> None:
    """Only the ZIP was called otherwise; each image in it had the name of the slide."""
    run.journal().correct([1], ["lymphocyte"], "macrophage", by="ada")
    offered = []

    def deferred(*one, **more):
        offered.append(partial(*one, **more))
        return offered[-1]

    monkeypatch.setattr(downloads, "partial", deferred)
    page = open_section("Downloads")
    offered.clear()
    page.toggle(key="_anonymous").set_value(True).run()
    assert not page.exception
    (masks,) = (each for each in offered if each.func is downloads.masks_of)
    with ZipFile(io.BytesIO(masks())) as packed:
        names = packed.namelist()
    assert f"images/slide-{run.run_id}_0_0.png" in names
    assert not [name for name in names if run.slide_path.stem in name]


def counted(page) -> dict[str, int]:
    """The classes that have nuclei, as the page shows them."""
    assert not page.exception
    counts = page.dataframe[0].value.set_index("class_name")["count"]
    return counts[counts > 0].to_dict()


def test_other_nuclei_are_counted_on_demand(visit, chosen, run) -> None:
    page = visit("nuclei", slide=chosen)
    assert OTHER not in page.dataframe[0].value["class_name"].to_list()
    page.toggle(key="_other").set_value(True).run()
    assert not page.exception
    assert OTHER in page.dataframe[0].value["class_name"].to_list()


@pytest.mark.parametrize(("others", "told"), [(3, "3 of them (25 %)"), (7, "7 of them (58 %)")])
def test_the_overview_says_how_many_nuclei_are_other_and_when_they_prevail(
    visit, chosen, run, others: int, told: str
) -> None:
    names = np.array([OTHER] * others + ["lymphocyte"] * (12 - others), object)
    write_instead(run, class_name=names)
    page = visit("nuclei", slide=chosen)
    captions = " ".join(caption.value for caption in page.caption)
    assert unbroken(f"12 nuclei were found; {told} are *other* and not counted.") in captions
    warned = [each.value for each in page.warning if "More than half" in each.value]
    assert len(warned) == (others > 6)
    page.toggle(key="_other").set_value(True).run()
    assert "counted here too" in " ".join(caption.value for caption in page.caption)


def test_a_taught_classifier_that_claims_few_nuclei_is_named_instead_of_the_model(
    visit, chosen, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve labels made most nuclei *other*, and the page blamed the model for it."""
    write_instead(run, class_name=np.array([OTHER] * 9 + ["lymphocyte"] * 3, object))
    monkeypatch.setattr(Run, "classifier", "twelve")
    page = visit("nuclei", slide=chosen)
    (warned,) = [each.value for each in page.warning if "More than half" in each.value]
    assert "no class of the taught classifier twelve claims them" in warned
    assert "the model" not in warned


def test_nuclei_below_the_threshold_are_uncertain_in_every_section(open_section, run) -> None:
    scores = np.array([0.4] * 5 + [0.9] * 7, np.float32)
    write_instead(run, class_score=scores)
    page = open_section("Overview", min_score=0.5)
    assert page.slider(key="_min_score").value == 0.5
    classes = page.dataframe[0].value.set_index("class_name")["count"]
    assert (classes["lymphocyte"], classes[UNCERTAIN]) == (7, 5)
    captions = " ".join(caption.value for caption in page.caption)
    assert unbroken("5 are *uncertain*: counted among all, and for no class.") in captions
    page.segmented_control(key="_section").set_value("Table").run()
    listed = page.dataframe[0].value
    assert listed["class_name"].tolist() == [UNCERTAIN] * 5 + ["lymphocyte"] * 7
    assert set(listed["voted_class"]) == {"lymphocyte"}
    page.segmented_control(key="_section").set_value("Gallery").run()
    assert UNCERTAIN in page.segmented_control(key="_gallery_class").options


def test_a_class_that_is_no_longer_counted_is_no_longer_chosen(open_section) -> None:
    page = open_section("Gallery", min_score=0.5)
    page.segmented_control(key="_gallery_class").set_value(UNCERTAIN).run()
    page.slider(key="_min_score").set_value(0.0).run()
    assert not page.exception
    assert UNCERTAIN not in page.segmented_control(key="_gallery_class").options


def test_the_threshold_is_remembered_for_other_pages(visit, chosen, run) -> None:
    page = visit("nuclei", slide=chosen)
    page.slider(key="_min_score").set_value(0.6).run()
    assert page.session_state[state.MIN_SCORE.name] == 0.6


def test_rois_stand_side_by_side(visit, chosen, run) -> None:
    page = visit("nuclei", slide=chosen, rois=(LEFT, TOP))
    page.multiselect(key="_where").set_value(["left", "top"]).run()
    assert not page.exception
    compared = page.table[0].value
    assert compared["Nuclei"].to_dict() == {"left": "6", "top": "4"}
    assert compared["Tissue, mm²"].to_dict() == {"left": "0.00375", "top": "0.0025"}
    page.segmented_control(key="_section").set_value("Table").run()
    assert len(page.dataframe[0].value) == 8  # two lie in both


def test_the_table_is_filtered_sorted_and_paged(open_section, run) -> None:
    page = open_section("Table")
    page.selectbox(key="_sort_by").set_value("area_um2").run()
    page.toggle(key="_descending").set_value(True).run()
    areas = page.dataframe[0].value["area_um2"]
    assert areas.is_monotonic_decreasing
    least, most = float(np.floor(areas.min() * 10) / 10), float(areas.median())
    page.slider(key="_areas").set_value((least, most)).run()
    assert not page.exception
    assert page.dataframe[0].value["area_um2"].max() <= most
    page.pills(key="_table_classes").set_value(["epithelial"]).run()
    assert len(page.dataframe[0].value) == 0


def test_a_later_page_follows_the_one_before(open_section, monkeypatch) -> None:
    monkeypatch.setattr(nucleus_table, "_PAGE_ROWS", 5)
    page = open_section("Table")
    first = page.dataframe[0].value["nucleus_id"].tolist()
    page.number_input(key="_page").set_value(3).run()
    last = page.dataframe[0].value["nucleus_id"].tolist()
    assert (len(first), len(last)) == (5, 2)
    assert max(first) < min(last)


def test_picked_nuclei_are_what_the_table_lists(open_section, run) -> None:
    ids = tuple(run.nuclei()["nucleus_id"].iloc[[2, 5]].tolist())
    page = open_section("Table", picked=ids)
    assert page.dataframe[0].value["nucleus_id"].tolist() == sorted(ids)
    page.toggle(key="_only_picked").set_value(False).run()
    assert len(page.dataframe[0].value) == 12


def test_picked_nuclei_are_shown_in_the_viewer_or_dropped(open_section, run) -> None:
    nuclei = run.nuclei().set_index("nucleus_id")
    ids = (1, 3)
    page = open_section("Scatter", picked=ids)
    assert "**2 nuclei picked**" in [each.value for each in page.markdown]
    page.button(key="_picked_drop").click().run()
    assert state.PICKED.name not in page.session_state
    (part,) = parts_of(run)
    place = distributions.place_around(Choice(run, (part,), 0.0, False), ids)
    assert (place.x, place.y) == (
        nuclei.loc[list(ids), "x"].mean(),
        nuclei.loc[list(ids), "y"].mean(),
    )


def test_a_lasso_is_read_as_a_shape_and_a_box_too() -> None:
    drawn = distributions.shape_drawn(
        {
            "lasso": [{"x": [0, 4, 0, 4], "y": [0, 0, 2, 2]}],  # crosses itself
            "box": [{"x": [10, 12], "y": [5, 3]}],
        }
    )
    assert drawn is not None
    assert drawn.is_valid
    assert drawn.area == pytest.approx(4 + 4)
    assert distributions.shape_drawn({"lasso": [], "box": []}) is None


@pytest.mark.parametrize("kind", ["Histogram", "Violins"])
def test_a_distribution_is_drawn_in_either_way(open_section, kind: str) -> None:
    page = open_section("Distributions")
    page.segmented_control(key="_kind").set_value(kind).run()
    assert not page.exception
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert {trace["name"] for trace in figure["data"]} == {"lymphocyte"}


@pytest.mark.parametrize(
    ("form", "file"), downloads.offered(), ids=[file.suffix for _, file in downloads.offered()]
)
def test_every_format_is_written_on_demand(run, form, file) -> None:
    options = ExportOptions(other=True, min_score=0.5, anonymous=True, assessed=())
    content = downloads.content_of(form, file, run, options)
    assert len(content) > 100
    assert run.slide_path.name.encode() not in content


def test_a_format_that_needs_a_package_says_which(
    open_section, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _name: None)
    page = open_section("Downloads")
    closed = [each.proto.label for each in page.get("download_button") if each.proto.disabled]
    assert closed == ["SpatialData"]
    words = " ".join(each.value for each in page.markdown)
    assert "python -m pip install -r requirements-spatialdata.txt brings it." in words


def test_reports_tell_of_til_scores_that_are_there(run, monkeypatch: pytest.MonkeyPatch) -> None:
    result = assess(run)
    request = ScoringRequest(run, parts_of(run)[0], TilSettings(), 0.0)
    there = {request.key: result}
    monkeypatch.setattr(singletons, "scorings", lambda: SimpleNamespace(find=there.get))
    assessed = downloads.scores_there(run, TilSettings(), 0.0)
    assert [(each.name, each.result) for each in assessed] == [(WHOLE, result)]
    assert downloads.scores_there(run, TilSettings(), 0.5) == []
    (report,) = (each for each in downloads.offered() if each[1].suffix == "report.html")
    for given in (assessed, []):
        content = downloads.content_of(*report, run, ExportOptions(assessed=given)).decode()
        assert ("Tumour-infiltrating lymphocytes" in content) == bool(given)


def test_every_format_is_offered_with_what_opens_it(open_section) -> None:
    page = open_section("Downloads")
    buttons = page.get("download_button")
    assert [each.proto.label for each in buttons] == [file.label for _, file in downloads.offered()]
    words = [each.value for each in page.markdown]
    assert all(file.words in words for _, file in downloads.offered())
