"""Whose corrections are seen and kept where."""

from pathlib import Path

import pytest
from visiting import visited_by

from pages.shared import own_answer, resources, sign_in, state
from pages.shared.scoring import ScoringRequest
from seg_core.scoring import parts_of
from seg_core.store import Run
from seg_core.til import TilSettings

pytestmark = pytest.mark.usefixtures("session")


def names(run: Run) -> set[str]:
    return set(own_answer.as_read(run).nuclei()["class_name"])


def correct(run: Run, name: str) -> None:
    """Correct all nuclei as a page does."""
    who = own_answer.corrector()
    assert who is not None
    read = own_answer.as_read(run)
    read.journal().path.parent.mkdir(parents=True, exist_ok=True)
    table = read.nuclei()
    read.journal().correct(table["nucleus_id"], table["class_name"], name, by=who.name)


def test_on_the_readers_own_machine_corrections_lie_beside_the_run(run, monkeypatch) -> None:
    visited_by(monkeypatch, local="1")
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    correct(run, "macrophage")
    assert names(run) == set(run.nuclei()["class_name"]) == {"macrophage"}
    assert {each.by for each in run.corrections().values()} == {"ada"}


def test_what_a_stranger_corrects_on_an_open_server_is_seen_by_nobody_else(
    run, store: Path, monkeypatch
) -> None:
    visited_by(monkeypatch, cookie="one")
    correct(run, "macrophage")
    assert names(run) == {"macrophage"}
    visited_by(monkeypatch, cookie="another")
    assert names(run) == {"lymphocyte"}
    correct(run, "epithelial")
    visited_by(monkeypatch, cookie="one")
    assert names(run) == {"macrophage"}
    assert set(run.nuclei()["class_name"]) == {"lymphocyte"}
    assert not list(store.rglob("one*"))


def test_a_browser_without_a_cookie_may_not_correct(run, monkeypatch) -> None:
    visited_by(monkeypatch)
    assert own_answer.corrector() is None
    assert own_answer.as_read(run) == run


def test_people_who_sign_in_share_their_corrections_under_their_names(run, monkeypatch) -> None:
    visited_by(monkeypatch, cookie="one")
    monkeypatch.setenv(sign_in.SIGN_IN_VARIABLE, "1")
    monkeypatch.setattr(sign_in, "signed_in_name", lambda: "Ada Lovelace")
    correct(run, "macrophage")
    monkeypatch.setattr(sign_in, "signed_in_name", lambda: "Bo")
    correct(run, "epithelial")
    assert names(run) == {"epithelial"}
    assert [each.by for each in run.journal().entries()] == ["Ada Lovelace", "Bo"]


def test_the_models_own_answer_is_seen_on_demand(run, monkeypatch) -> None:
    visited_by(monkeypatch, local="1")
    correct(run, "macrophage")
    state.AS_FOUND.set(True)
    assert names(run) == {"lymphocyte"}


def test_other_names_are_another_question_for_the_scores(run) -> None:
    def key(asked: Run) -> str:
        return ScoringRequest(asked, parts_of(asked, [])[0], TilSettings()).key

    before = key(run)
    run.journal().correct([1], ["lymphocyte"], "macrophage", by="ada")
    assert key(run) not in (before, key(run.as_found()))
    assert resources.counts(run, 0.0)["macrophage"] == 1
    assert resources.counts(run.as_found(), 0.0)["macrophage"] == 0
