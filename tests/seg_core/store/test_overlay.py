"""Corrections and answers of classifiers over a run's table, read whole, in parts and by DuckDB."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from seg_core.classes import ClassScheme, NucleusClass
from seg_core.errors import StoreError
from seg_core.store import Run, Selection, forget_answer, open_run
from seg_core.store.answer import ANSWER_FILE, Answer, write_answer


@pytest.fixture
def run(painted_run: Run, tmp_path: Path) -> Run:
    folder = tmp_path / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    return open_run(folder)


def names_by_id(run: Run) -> list[dict[int, str]]:
    """The same from the table, from its parts, and from the catalogue."""
    table = run.nuclei()
    parts = pd.concat(run.nuclei_in_parts())
    everything = Selection(run.scheme.names_with_other)
    asked = run.nucleus_queries().columns(everything, ["nucleus_id", "class_name"])
    return [
        dict(zip(each["nucleus_id"].tolist(), each["class_name"], strict=True))
        for each in (table, parts, asked)
    ]


def test_all_readers_follow_corrections(run: Run) -> None:
    (before, *_) = names_by_id(run)
    run.journal().correct([1, 2], [before[1], before[2]], "macrophage", by="ada")
    run.journal().correct([3], [before[3]], None, by="ada")
    expected = before | {1: "macrophage", 2: "macrophage"}
    del expected[3]
    assert names_by_id(run) == [expected] * 3
    assert names_by_id(run.as_found()) == [before] * 3
    scores = run.nuclei().set_index("nucleus_id")["class_score"]
    assert scores[1] == 1
    assert "nuclei were corrected by hand, 1 of them taken away" in run.said_since()[0]
    while run.journal().undo(by="ada"):
        pass
    assert names_by_id(run) == [before] * 3
    assert run.said_since() == []


def test_all_readers_follow_a_classifier_and_corrections_over_it(run: Run) -> None:
    table = run.nuclei()
    own = NucleusClass(5, "melanocyte", "#112233")
    scheme = ClassScheme((*run.scheme.classes, own))
    answered = pd.DataFrame(
        {"nucleus_id": table["nucleus_id"], "class_name": "melanocyte", "class_score": 0.75}
    )
    write_answer(run.path, Answer("mine", scheme, scheme.names, answered))
    run.journal().correct([4], ["melanocyte"], "epithelial", by="ada")
    expected = dict.fromkeys(table["nucleus_id"].tolist(), "melanocyte") | {4: "epithelial"}
    assert names_by_id(run) == [expected] * 3
    described = run.nucleus_queries().columns(Selection(("melanocyte",)), ["class_score"])
    assert (described["class_score"] == 0.75).all()
    assert run.scheme.names[-1] == "melanocyte"
    assert run.model_scheme.names == run.as_found().scheme.names


def test_questions_about_an_answer_outlive_its_file(run: Run) -> None:
    """They said that the nuclei were missing or damaged."""
    ids = run.nuclei()["nucleus_id"]
    answered = pd.DataFrame({"nucleus_id": ids, "class_name": "macrophage", "class_score": 0.5})
    write_answer(run.path, Answer("mine", run.scheme, run.scheme.names, answered))
    queries, everything = run.nucleus_queries(), Selection(run.scheme.names_with_other)
    before = queries.counts(everything)
    assert before["macrophage"] == len(ids)
    forget_answer(run.path)
    assert queries.counts(everything) == before


def test_a_damaged_answer_is_one_sentence(run: Run) -> None:
    (run.path / ANSWER_FILE).write_bytes(b"no parquet")
    with pytest.raises(
        StoreError, match=r"answer\.parquet in .* is damaged; classify the run again"
    ):
        run.nuclei()
