"""Classes that people name for the nuclei of a run."""

import shutil
from pathlib import Path

import pytest

from seg_core.classes import NucleusClass
from seg_core.errors import ModelError, StoreError
from seg_core.store import Run, Selection, open_run
from seg_core.store.answer import Answer, write_answer
from seg_core.store.own_classes import OWN_CLASSES_FILE, read_own_classes, write_own_classes
from seg_core.store.said import place_to_say

PLASMA = NucleusClass(1, "plasma cell", "#123456", given_role="lymphocyte")


@pytest.fixture
def run(painted_run: Run, tmp_path: Path) -> Run:
    folder = tmp_path / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    return open_run(folder)


def test_an_own_class_stands_behind_those_of_the_model(run: Run) -> None:
    model = run.scheme.names
    write_own_classes(run.path, [PLASMA, NucleusClass(2, "lymphocyte", "#000000")])
    assert run.scheme.names == (*model, "plasma cell")
    assert run.scheme.colours["lymphocyte"] == "#0072ff"
    assert run.scheme.names_of_role("lymphocyte") == ("lymphocyte", "plasma cell")
    assert run.as_found().scheme.names == run.model_scheme.names == model


def test_nuclei_can_be_called_so_and_are_counted(run: Run) -> None:
    write_own_classes(run.path, [PLASMA])
    run.journal().correct([1, 2], ["lymphocyte", "other"], "plasma cell", by="ada")
    counts = run.nucleus_queries().counts(Selection(run.scheme.names_with_other))
    assert counts["plasma cell"] == 2


@pytest.mark.parametrize(
    ("name", "colour", "sentence"),
    [
        ("", "#123456", "a class has no name of 1 to 60 printable characters"),
        ("a\nb", "#123456", "a class has no name of 1 to 60 printable characters"),
        ("other", "#123456", "a class cannot be called 'other'"),
        ("mitosis", "red", "the class 'mitosis' has no colour like #e69f00"),
    ],
)
def test_what_cannot_be_shown_is_refused(
    tmp_path: Path, name: str, colour: str, sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        write_own_classes(tmp_path, [NucleusClass(1, name, colour)])
    assert read_own_classes(tmp_path) == ()


def test_classes_and_answers_do_not_bring_a_deleted_run_back(run: Run, tmp_path: Path) -> None:
    """Its folder took room, and no list had it."""
    answer = Answer("mine", run.scheme, run.scheme.names, run.found_columns(["nucleus_id"]))
    answer.table["class_name"], answer.table["class_score"] = "other", 1.0
    own = run.corrected_in(tmp_path / "readers" / "abc")
    shutil.rmtree(run.path)
    for gone in (run, own):
        with pytest.raises(StoreError, match="this analysis has been deleted"):
            place_to_say(gone)
    with pytest.raises(StoreError, match="it was deleted or moved meanwhile"):
        write_own_classes(run.path, [PLASMA])
    with pytest.raises(StoreError, match="it was deleted or moved meanwhile"):
        write_answer(run.path, answer)
    assert not list(tmp_path.iterdir())


def test_what_one_reader_says_has_its_place_made(run: Run, tmp_path: Path) -> None:
    own = run.corrected_in(tmp_path / "readers" / "abc" / "corrections")
    write_own_classes(place_to_say(own), [PLASMA])
    assert own.scheme.names == (*run.scheme.names, "plasma cell")
    assert place_to_say(run) == run.path


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / OWN_CLASSES_FILE).write_text('[{"id": 1}]')
    with pytest.raises(StoreError, match=r"classes\.json in .* is damaged; remove the file"):
        read_own_classes(tmp_path)
