"""The page Evaluate without a browser: what is kept is found again, and told everywhere."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from streamlit.testing.v1 import AppTest

from pages.shared import evaluations, resources, state
from pages.shared.evaluation_files import painter_of_outcomes
from seg_core.errors import DataError
from seg_core.evaluation.area_scores import FOUND, MISSED, SPURIOUS, WRONG_CLASS
from seg_core.evaluation.kept import (
    KeptReference,
    compare_kept,
    evaluate_kept,
    keep_reference,
    kept_evaluation,
    references_of,
)
from seg_core.export.csv import write_nuclei_csv
from seg_core.export.options import ExportOptions
from seg_core.export.report import write_report
from seg_core.picture.viewport import Viewport
from seg_core.roi import Roi
from seg_core.store import Run
from seg_core.unbroken import unbroken

SECTIONS = ["Figures", "Confusion", "Regions", "Downloads"]


@pytest.fixture(autouse=True)
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")


@pytest.fixture
def reference(run: Run, store: Path) -> KeptReference:
    """Discs of the slide: one lacks, one is called otherwise, one is where nothing is."""
    shapes = list(run.nuclei().geometry[1:])
    named = [*zip(shapes, ["Tumor"] + ["Lymphocytes"] * 10, strict=True)]
    named.append((shapely.box(90, 90, 110, 110), "Lymphocytes"))
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(shapely.to_geojson(shape)),
            "properties": {"classification": {"name": name}},
        }
        for shape, name in named
    ]
    content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    return keep_reference(store, run.slide_id, "discs.geojson", content)


@pytest.fixture
def open_section(
    visit: Callable[..., AppTest], chosen: state.ChosenSlide, reference: KeptReference
) -> Callable[[str], AppTest]:
    def open_at(section: str) -> AppTest:
        page = visit("evaluate", slide=chosen)
        page.segmented_control(key="_evaluation_section").set_value(section).run()
        assert not page.exception
        return page

    return open_at


def test_what_is_odd_about_a_reference_is_told_once_and_in_every_section(
    visit, chosen, run: Run, store: Path, tmp_path: Path
) -> None:
    """It stood above the figures and once more beside the reference."""
    path = tmp_path / "own.csv"
    write_nuclei_csv(run, path)
    content = path.read_text().replace(run.slide_path.name, "another.svs").encode()
    keep_reference(store, run.slide_id, "own.csv", content)
    page = visit("evaluate", slide=chosen)
    for section in ("Figures", "Confusion"):
        page.segmented_control(key="_evaluation_section").set_value(section).run()
        assert not page.exception
        notes = [each.value for each in page.caption if "another.svs" in each.value]
        assert len(notes) == 1, section


def test_each_of_two_references_of_one_name_can_be_chosen(
    visit, chosen, run: Run, store: Path, reference: KeptReference
) -> None:
    """Brought again with another size of its pixels, the first one was chosen all the same."""
    content = reference.file.read_bytes()
    other = keep_reference(store, run.slide_id, reference.name, content, 2 * run.slide_mpp)
    page = visit("evaluate", slide=chosen)
    titles = page.selectbox(key="_reference").options
    assert len(set(titles)) == 2
    assert any(f"{other.mpp:g} µm/px, brought" in each for each in titles)
    for each in (other, reference):
        page.selectbox(key="_reference").set_value(each.folder.name).run()
        page.run()
        assert not page.exception
        assert page.selectbox(key="_reference").value == each.folder.name


def test_without_a_reference_it_says_what_to_bring(visit, chosen, run) -> None:
    page = visit("evaluate", slide=chosen)
    assert page.info[0].value.startswith(
        "To see how good the analysis is, bring what somebody labelled"
    )


def test_the_open_section_is_told_again_after_an_error_has_stood_in_its_place(
    open_section, monkeypatch
) -> None:
    """In the browser none was marked as open, since the page took the choice for known there."""
    page = open_section("Regions")

    def refuse(*_: object) -> None:
        raise DataError("empty.geojson holds no outline.")

    with monkeypatch.context() as patch:
        patch.setattr("pages.evaluate_page.reference.choose", refuse)
        page.run()
        assert page.error
        assert "_evaluation_section" not in [each.key for each in page.segmented_control]
    page.run()
    control = page.segmented_control(key="_evaluation_section")
    assert control.value == "Regions"
    assert control.proto.set_value


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_opens(section, open_section) -> None:
    page = open_section(section)
    assert not page.error


def test_the_table_has_the_figures_and_the_class_that_the_reference_lacks(open_section) -> None:
    page = open_section("Figures")
    table = page.table[0].value.set_index("Figure")
    # 11 of 12 discs are there, and one of 12 of the reference is not
    assert table.loc[unbroken("Detection F1, 3 µm"), "Value"] == f"{22 / 24:.3f}"
    told = " ".join(each.value for each in page.caption)
    assert "One region alone allows no interval" in told
    assert "no nucleus of class neutrophil" in told


def test_what_a_class_means_is_kept_and_changes_the_figures(run, store, reference) -> None:
    first = evaluate_kept(reference, run)
    assert kept_evaluation(reference, run, ()) is not None
    changed = reference.with_mapping({"Tumor": "lymphocyte", "Lymphocytes": "lymphocyte"})
    assert references_of(store, run.slide_id)[0].mapping == changed.mapping
    assert kept_evaluation(changed, run, ()) is None
    second = evaluate_kept(changed, run)
    counted = [each.result["instance"]["confusion"]["counts"][1][1] for each in (first, second)]
    assert counted == [10, 11]


def test_an_evaluation_is_found_again_until_nuclei_are_called_otherwise(run, reference) -> None:
    made = evaluate_kept(reference, run)
    assert made.outcomes()["outcome"].value_counts().to_dict() == {
        FOUND: 10,
        WRONG_CLASS: 1,
        MISSED: 1,
        SPURIOUS: 1,
    }
    assert kept_evaluation(reference, run).result == json.loads(json.dumps(made.result))
    run.journal().correct([1], ["lymphocyte"], None, by="reader")
    assert kept_evaluation(reference, run) is None


@pytest.mark.parametrize("damaged", ["RUN.json", "RUN.parquet", "reference.json"])
@pytest.mark.parametrize("how", ["cut", "flip", "empty"])
def test_a_damaged_evaluation_counts_as_none_and_is_made_anew(
    run, store, reference, damaged: str, how: str
) -> None:
    made = evaluate_kept(reference, run)
    path = reference.folder / damaged.replace("RUN", run.run_id)
    content = bytearray(path.read_bytes())
    if how == "flip":
        content[content.index(b": ") + 3 if path.suffix == ".json" else len(content) // 2] ^= 1
    path.write_bytes(content if how == "flip" else content[: len(content) // 2 * (how == "cut")])
    if path.name == "reference.json":
        assert references_of(store, run.slide_id) == []
        return
    assert kept_evaluation(reference, run) is None
    again = evaluate_kept(reference, run)
    assert again.result == made.result
    assert kept_evaluation(reference, run) is not None


def test_the_viewer_paints_each_outcome_where_it_is(run, reference) -> None:
    outcomes = evaluate_kept(reference, run).outcomes()
    painter = painter_of_outcomes(outcomes)
    for outcome in (FOUND, MISSED, SPURIOUS, WRONG_CLASS):
        nucleus = outcomes[outcomes["outcome"] == outcome].iloc[0]
        viewport = Viewport(nucleus["x"] - 30, nucleus["y"] - 30, 1.0, 60, 60)
        painted = painter.paint(viewport, {evaluations.OUTCOME_SCHEME.id_of(outcome)})
        assert (painted[..., 3] > 0).any()
        x0, _, _, y1 = nucleus["geometry"].bounds
        rows, columns = np.nonzero(painted[..., 3] > 100)
        assert columns.min() == pytest.approx(x0 - viewport.x, abs=2)
        assert rows.max() == pytest.approx(y1 - viewport.y, abs=2)


def test_two_analyses_are_compared_where_both_have_looked(run, coarse, reference) -> None:
    rois = [Roi(str(x), shapely.box(x, 0, x + 100, 300)) for x in (0, 100)]
    both = compare_kept(reference, run, coarse, rois)
    for name in ("first", "second"):
        assert sum(both[name]["reference"].values()) < 12
    gained = both["second"]["instance"]["bpq"] - both["first"]["instance"]["bpq"]
    assert both["difference"]["instance"]["bpq"] == pytest.approx(gained)
    low, high = both["difference95"]["instance"]["bpq"]
    assert low <= gained <= high
    assert compare_kept(reference, run, coarse, rois) == json.loads(json.dumps(both))


def test_a_report_has_a_section_on_it_without_the_files_name_where_that_is_asked(
    visit, chosen, run, reference, tmp_path
) -> None:
    evaluate_kept(reference, run)
    for anonymous in (False, True):
        sections = evaluations.sections_of(run, anonymous=anonymous)
        path = tmp_path / f"report{anonymous}.html"
        options = ExportOptions(sections=sections, anonymous=anonymous, assessed=())
        write_report(run, path, options)
        text = path.read_text("utf-8")
        assert "Beside a reference" in text
        assert f"{22 / 24:.3f}" in text
        assert ("discs.geojson" in text) is not anonymous


def test_files_hold_the_figures(open_section) -> None:
    page = open_section("Downloads")
    labels = [each.label for each in page.get("download_button")]
    assert [label for label in labels if label.endswith("(JSON)")]
    assert len([label for label in labels if label.endswith("(CSV)")]) == 4


def test_outcomes_are_read_anew_when_they_are_measured_anew(run, reference) -> None:
    made = evaluate_kept(reference, run)
    before = resources.outcomes(made.outcomes_file)
    again = evaluate_kept(reference.with_mapping({"Tumor": "lymphocyte"}), run)
    after = resources.outcomes(again.outcomes_file)
    assert isinstance(after, pd.DataFrame)
    assert (before["outcome"] == WRONG_CLASS).sum() == 1
    assert (after["outcome"] == WRONG_CLASS).sum() == 0
