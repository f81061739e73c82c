"""The page Evaluate: corrected analyses, masks with classes and folders of images as references."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import shapely
from streamlit.testing.v1 import AppTest

from pages.shared import analysis_list, evaluations, resources, singletons
from pages.shared.folder_evaluations import FolderEvaluations
from pages.shared.page_list import EVALUATE, MODEL
from seg_core.errors import DataError, JobCancelled
from seg_core.evaluation.area_scores import FOUND, WRONG_CLASS
from seg_core.evaluation.folder_evaluation import FolderQuestion
from seg_core.evaluation.kept import (
    corrected_runs,
    evaluate_kept,
    keep_reference,
    kept_evaluation,
)
from seg_core.labelled.reference_list import in_words
from seg_core.model import available_models, find_model
from seg_core.process.progress import Progress
from seg_core.roi import Roi
from seg_core.store import Run
from seg_core.unbroken import unbroken

OF_FOLDER = "A model, on a folder of images"


@pytest.fixture(autouse=True)
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")


def test_it_offers_what_the_list_of_references_has(visit, chosen, run) -> None:
    page = visit("evaluate", slide=chosen)
    assert in_words("run") in page.info[0].value


def test_a_corrected_analysis_measures_what_the_model_found_and_needs_no_file(
    visit, chosen, run: Run, store: Path
) -> None:
    assert evaluations.references(run.slide_path, run.slide_id) == []
    run.journal().correct([1], ["lymphocyte"], "epithelial", by="reader")
    resources.run.clear()
    page = visit("evaluate", slide=chosen)
    assert [each for each in page.selectbox(key="_reference").options if "Corrected" in each]
    said = " ".join(each.value for each in page.caption)
    assert "What the model found is measured" in said
    assert "Measured against Whole slide" in said
    assert run.run_id not in said
    # one of 12 nuclei is called otherwise by then; all are where they were
    assert (
        page.table[0].value.set_index("Figure").loc[unbroken("Detection F1, 3 µm"), "Value"]
        == "1.000"
    )
    (reference,) = corrected_runs(store, [run])
    found = kept_evaluation(reference, run, ())
    assert found is not None
    outcomes = found.outcomes()["outcome"].value_counts().to_dict()
    assert outcomes == {FOUND: 11, WRONG_CLASS: 1}
    shown = evaluations.sections_of(run, anonymous=False)
    assert len(shown) == 1, "the report has a section on it"

    run.journal().correct([2], ["lymphocyte"], "epithelial", by="reader")
    assert kept_evaluation(reference, run, ()) is None, "it depends on the corrections"


def test_another_analysis_is_measured_by_a_corrected_one(
    run: Run, coarse: Run, store: Path
) -> None:
    run.journal().correct([1], ["lymphocyte"], None, by="reader")
    (reference,) = corrected_runs(store, [run, coarse])
    result = evaluate_kept(reference, coarse).result
    assert result["run"] == coarse.run_id
    assert result["reference_file"] == f"{run.run_id} (corrected by hand)"


def test_a_mask_has_its_classes_from_a_second_one(run: Run, store: Path) -> None:
    labels, classes = np.zeros((300, 400), np.uint8), np.zeros((300, 400), np.uint8)
    for number, (x, y) in enumerate(((50, 50), (150, 50)), start=1):
        cv2.circle(labels, (x, y), 15, number, -1)
        cv2.circle(classes, (x, y), 15, 3 - number, -1)
    masks = [cv2.imencode(".png", each)[1].tobytes() for each in (labels, classes)]
    kept = keep_reference(store, run.slide_id, "mask.png", masks[0], class_mask=masks[1])
    read = kept.read(run.facts.slide, 0.25)
    assert read.class_names == ["class 2", "class 1"]
    alone = keep_reference(store, run.slide_id, "mask.png", masks[0])
    assert alone.folder != kept.folder
    assert alone.read(run.facts.slide, 0.25).class_names == [""]


class Ended:
    """A job that has ended as it is told to, or goes on."""

    stopping, progress = False, Progress("images", 1, 3)

    def __init__(self, outcome: Exception | None = None, *, running: bool = False) -> None:
        self._outcome, self._running = outcome, running

    def done(self) -> bool:
        return not self._running

    def cancel(self) -> None:
        self._running, self._outcome = False, JobCancelled("stopped")

    def result(self, timeout: float | None = None) -> None:
        if self._outcome is not None:
            raise self._outcome


class OneJob:
    """Does what is asked as the job it is given."""

    def __init__(self, job: Ended) -> None:
        self.job = job
        self.asked: list[FolderQuestion] = []

    def submit(self, function: object, *, question: FolderQuestion, **_rest: object) -> Ended:
        self.asked.append(question)
        return self.job


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("images", "inst"):
        (tmp_path / "mine" / name).mkdir(parents=True)
    return tmp_path / "mine"


@pytest.fixture
def measure(
    visit: Callable[..., AppTest], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Ended], tuple[AppTest, OneJob]]:
    """Have the page measure a folder, without a slide, by a worker that is a fake."""

    def open_with(job: Ended) -> tuple[AppTest, OneJob]:
        worker = OneJob(job)
        asked = FolderEvaluations(lambda: worker)  # type: ignore[arg-type,return-value]
        monkeypatch.setattr(singletons, "folder_evaluations", lambda: asked)
        page = visit("evaluate")
        page.segmented_control(key="_evaluated").set_value(OF_FOLDER).run()
        page.text_input(key="_labelled_folder").input(str(folder)).run()
        page.button(key="_measure_folder").click().run()
        assert not page.exception
        return page, worker

    return open_with


def test_a_folder_is_measured_in_the_worker_with_progress_and_stop(measure, folder) -> None:
    job = Ended(running=True)
    page, worker = measure(job)
    assert worker.asked == [FolderQuestion(folder, "monusac", find_model()[0].name)]
    assert analysis_list.in_words(job.progress) == "Image 1 of 3"
    stop = next(each for each in page.button if each.label == "Stop")
    stop.click().run()
    assert "Stopped" in page.info[0].value


def test_what_was_asked_of_a_folder_is_there_again(measure, folder, visit) -> None:
    """After a reload, and on the way back from another page, the form was empty and the figures gone."""
    page, _ = measure(Ended(JobCancelled()))
    page.number_input(key="_labelled_edge").set_value(1.5)
    page.selectbox(key="_labelled_classes").set_value("consep")
    page.selectbox(key="_labelled_beside").set_value(_second_model()).run()
    page.button(key="_measure_folder").click().run()
    page.switch_page(MODEL.file).run()
    page.switch_page(EVALUATE.file).run()
    for here in (page, visit("evaluate")):
        assert not here.exception
        assert here.text_input(key="_labelled_folder").value == str(folder)
        assert here.number_input(key="_labelled_edge").value == 1.5
        assert here.number_input(key="_labelled_mpp").value is None
        assert here.selectbox(key="_labelled_classes").value == "consep"
        assert here.selectbox(key="_labelled_beside").value == _second_model()


def test_blanks_are_no_folder(measure, folder) -> None:
    page, worker = measure(Ended(JobCancelled()))
    page.text_input(key="_labelled_folder").input("   ").run()
    assert page.button(key="_measure_folder").disabled
    page.text_input(key="_labelled_folder").input(f" {folder} ").run()
    page.button(key="_measure_folder").click().run()
    assert {each.data for each in worker.asked} == {folder}


def test_why_a_folder_could_not_be_measured_is_a_sentence(measure, folder) -> None:
    page, _ = measure(Ended(DataError("mine has no labelled images.")))
    assert page.error[0].value == "Mine has no labelled images."


def test_what_was_measured_before_is_shown_at_once(measure, folder, store) -> None:
    question = FolderQuestion(folder, "monusac")
    result = _result()
    kept = question.kept_in(store)
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps(result))
    page, worker = measure(Ended())
    assert worker.asked == []
    assert (
        page.table[0].value.set_index("Figure").loc["Share of dots that were found", "Value"]
        == "0.500 (0.25–0.75)"
    )
    assert "Measured on 3 images of 2 patients" in page.caption[0].value
    worst = next(each.value for each in page.dataframe if "name" in each.value)
    assert worst["name"].tolist() == ["b", "a"]


def test_two_models_stand_side_by_side_with_their_difference(measure, folder, store) -> None:
    page, _ = measure(Ended())
    names = page.selectbox(key="_labelled_beside").options
    question = FolderQuestion(folder, "monusac", find_model()[0].name, beside=_second_model())
    gain = {"dots": {"detected": 0.125}}
    result = _result() | {"beside": _result() | {"model": {"name": "other one"}}}
    result |= {"difference": gain, "difference95": {"dots": {"detected": [-0.25, 0.5]}}}
    kept = question.kept_in(store)
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps(result))
    page.selectbox(key="_labelled_beside").set_value(question.beside).run()
    page.button(key="_measure_folder").click().run()
    assert not page.exception
    assert len(names) == 1, "the first model is not offered beside itself"
    found = page.table[0].value.loc["Share of dots that were found"]
    assert found["m"] == found["other one"] == "0.500 (0.25–0.75)"
    assert found["other one less m"].startswith("+0.125 (")
    assert "What follows is of m." in page.caption[0].value


def _second_model() -> str:
    return next(card.name for card in available_models() if card.name != find_model()[0].name)


def test_a_folder_is_not_named_by_whoever_sits_elsewhere(visit, monkeypatch) -> None:
    monkeypatch.setenv("SEG_LOCAL", "0")
    page = visit("evaluate")
    page.segmented_control(key="_evaluated").set_value(OF_FOLDER).run()
    assert not page.text_input
    assert "python -m seg_core evaluate --data" in page.info[0].value


def _result() -> dict[str, object]:
    by_class = {"epithelial": 0.5, "other": None}
    figures = {
        "detected": 0.5,
        "detection_f1": 0.4,
        **dict.fromkeys(("recall", "precision", "f1"), by_class),
    }
    called = {
        "rows": ["epithelial", "other"],
        "columns": ["epithelial", "other", "missed"],
        "counts": [[5, 0, 5], [0, 0, 0]],
    }
    return {
        "images": 3,
        "patients": 2,
        "mpp": 0.5,
        "model": {"name": "m"},
        "dots": {**figures, "called": called, "predicted": {"epithelial": 9, "other": 1}},
        "interval95": {
            "dots": {"detected": [0.25, 0.75], "f1": {"epithelial": [0.4, 0.6], "other": None}}
        },
        "bootstrap": {"over": "patients", "rough": True},
        "protocol": {"labels": "dots"},
        "per_image": [
            {"name": "a", "detected": 0.6, "detection_f1": 0.5},
            {"name": "b", "detected": 0.4, "detection_f1": 0.3},
        ],
    }


def test_drawn_regions_measure_by_a_corrected_analysis_too(run: Run, store: Path) -> None:
    run.journal().correct([1], ["lymphocyte"], "epithelial", by="reader")
    (reference,) = corrected_runs(store, [run])
    half = evaluate_kept(reference, run, [Roi("half", shapely.box(0, 0, 400, 110))]).result
    assert sum(half["reference"].values()) == 4
