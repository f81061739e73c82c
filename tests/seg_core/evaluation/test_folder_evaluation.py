"""A model measured by a folder of images as the dashboard asks for it: the command's figures, kept."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from labelled_images import write_labelled_folder

from seg_core.errors import DataError, JobCancelled
from seg_core.evaluation import evaluate as evaluate_module
from seg_core.evaluation import folder_evaluation
from seg_core.evaluation.evaluate import evaluate
from seg_core.evaluation.folder_evaluation import (
    SETTINGS,
    FolderQuestion,
    evaluate_folder,
    kept_answer,
)
from seg_core.evaluation.metrics import intervals_of
from seg_core.evaluation.report_section import measured_in_words
from seg_core.evaluation.tables import area_table
from seg_core.process.progress import Progress
from tests.seg_core import painted_slides


@pytest.fixture(autouse=True)
def painted_model(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (evaluate_module, folder_evaluation):
        monkeypatch.setattr(module, "find_model", lambda _: (painted_slides.CARD, Path()))
    monkeypatch.setattr(evaluate_module, "make_engine", lambda *_: painted_slides.PaintedEngine())
    # fewer samples than the thousand of real use, which take seconds
    monkeypatch.setattr(evaluate_module, "intervals_of", partial(intervals_of, samples=20))


@pytest.fixture
def question(tmp_path: Path) -> FolderQuestion:
    return FolderQuestion(write_labelled_folder(tmp_path / "mine"), "monusac", edge_um=0.0)


def test_the_figures_are_those_of_the_command_and_are_kept(
    question: FolderQuestion, tmp_path: Path
) -> None:
    store, told = tmp_path / "store", list[Progress]()
    assert kept_answer(question, store) is None
    result = evaluate_folder(question, store, report=told.append)
    wanted = evaluate(question.data, None, SETTINGS, classes="monusac", edge_um=0.0)
    assert result == wanted
    assert kept_answer(question, store) == json.loads(json.dumps(wanted))
    assert [(each.stage, each.done, each.total) for each in told] == [
        ("images", number, 2) for number in range(3)
    ]


def test_it_is_measured_anew_when_labels_changed_or_something_else_is_asked(
    question: FolderQuestion, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    evaluate_folder(question, store)
    assert kept_answer(FolderQuestion(question.data, "monusac", edge_um=3.0), store) is None
    mask = question.data / "inst" / "case0.png"
    mask.write_bytes(mask.read_bytes() + b"\0")
    assert kept_answer(question, store) is None


def test_with_a_second_model_it_is_another_question(
    question: FolderQuestion, tmp_path: Path
) -> None:
    store, both = tmp_path / "store", replace(question, beside="painted")
    evaluate_folder(question, store)
    assert kept_answer(both, store) is None
    result = evaluate_folder(both, store)
    assert result["beside"]["instance"] == result["instance"]
    assert kept_answer(both, store) == json.loads(json.dumps(result))


def test_stopped_it_keeps_nothing(question: FolderQuestion, tmp_path: Path) -> None:
    def stop(progress: Progress) -> None:
        if progress.done == 1:
            raise JobCancelled("stopped")

    with pytest.raises(JobCancelled):
        evaluate_folder(question, tmp_path / "store", report=stop)
    assert kept_answer(question, tmp_path / "store") is None


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no folder .*nowhere"):
        kept_answer(FolderQuestion(tmp_path / "nowhere", "monusac"), tmp_path)


def test_words_and_the_table_of_images_are_of_images(
    question: FolderQuestion, tmp_path: Path
) -> None:
    result = evaluate_folder(question, tmp_path / "store")
    assert measured_in_words(result).startswith("Measured on 2 images, at 0.25 µm/px.")
    table = area_table(result)
    assert sorted(table["name"]) == ["case0", "case1"]
    assert table["bpq"].is_monotonic_increasing
