"""Whose answer names the nuclei of a run, where there are a person's own and one for all."""

import shutil
from pathlib import Path

import pytest

from seg_core.errors import ModelError
from seg_core.store import Run, forget_answer, open_run
from seg_core.store.answer import Answer, write_answer

OUTDATED = "0" * 64


@pytest.fixture
def run(painted_run: Run, tmp_path: Path) -> Run:
    folder = tmp_path / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    return open_run(folder)


@pytest.fixture
def own(run: Run, tmp_path: Path) -> Run:
    folder = tmp_path / "readers" / "abc"
    folder.mkdir(parents=True)
    return run.corrected_in(folder)


def answer(run: Run, name: str, *, nuclei: str | None = None) -> None:
    """Have a classifier call every nucleus a macrophage, where the run's person keeps answers."""
    table = run.found_columns(["nucleus_id"]).assign(class_name="macrophage", class_score=0.5)
    checksum = run.nuclei_checksum if nuclei is None else nuclei
    scheme = run.model_scheme
    write_answer(run.said_in, Answer(name, scheme, ("macrophage",), table, nuclei=checksum))


def names(run: Run) -> set[str]:
    return set(run.nuclei()["class_name"])


def test_an_outdated_answer_of_ones_own_does_not_hide_that_for_all(run: Run, own: Run) -> None:
    """Nuclei were called as the model found them, as if nobody had answered."""
    answer(own, "mine", nuclei=OUTDATED)
    before = own.names_version, own.kept_names_version
    assert own.classifier is None
    assert names(own) == names(run.as_found())
    answer(run, "for all")
    assert own.classifier == "for all"
    assert names(own) == {"macrophage"}
    assert own.outdated_classifier == "mine"
    assert own.names_version != before[0]
    assert own.kept_names_version != before[1]
    with pytest.raises(ModelError, match="the taught classifier for all does not tell"):
        own.require_roles(["lymphocyte"], "TIL scores")
    named, apply_again = own.said_since()
    assert named == "Nuclei are named by the taught classifier for all."
    assert apply_again.startswith("The taught classifier mine named the nuclei of an earlier")


def test_an_answer_of_ones_own_goes_before_that_for_all(run: Run, own: Run) -> None:
    answer(run, "for all")
    answer(own, "mine")
    assert (own.classifier, run.classifier) == ("mine", "for all")
    answer(run, "for all", nuclei=OUTDATED)
    assert own.outdated_classifier is None
    assert run.outdated_classifier == "for all"
    assert own.said_since() == ["Nuclei are named by the taught classifier mine."]
    forget_answer(own.said_in)
    assert own.classifier is None
    assert own.outdated_classifier == "for all"
    assert own.as_found().outdated_classifier is None
