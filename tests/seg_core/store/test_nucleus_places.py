"""A nucleus is known again by its place, whatever its id is in another table."""

import json
import zlib
from pathlib import Path

import numpy as np
import painted_slides
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted_slides import MPP, SMALL_TILES, PaintedEngine

from seg_core.analysis import analyse
from seg_core.errors import StoreError, TeachingError
from seg_core.store import Run, Store
from seg_core.store.answer import Answer, write_answer
from seg_core.store.journal import JOURNAL_FILE, Journal
from seg_core.store.nucleus_places import SAME_NUCLEUS_UM, NucleusPlaces
from seg_core.teaching.known import Known
from tests.stand_in import stand_in


def places_of(path: Path, ids: list[int], points: np.ndarray) -> NucleusPlaces:
    table = {"nucleus_id": ids, "x": points[:, 0], "y": points[:, 1]}
    pd.DataFrame(table).to_parquet(path)
    return NucleusPlaces(path, "", MPP)


@given(st.data())
def test_nuclei_are_known_again_when_some_come_and_go_and_all_ids_shift(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("places")
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    count = data.draw(st.integers(0, 12))
    spots = rng.permutation(36)[:count]
    points = np.column_stack([spots % 6, spots // 6]) * 5 / MPP  # 5 µm apart at least
    first = places_of(folder / "first.parquet", list(range(1, count + 1)), points)
    stays = np.flatnonzero(rng.random(count) < 0.7)
    turn = rng.uniform(0, 2 * np.pi, len(stays))
    moved = points[stays] + 0.9 / MPP * np.column_stack([np.cos(turn), np.sin(turn)])
    second = places_of(folder / "second.parquet", list(range(1, len(stays) + 1)), moved)
    ids = list(range(1, count + 1))
    assert second.nearest(dict(zip(ids, first.of(ids), strict=True))) == {
        int(old) + 1: new for new, old in enumerate(stays, 1)
    }


def test_of_two_nuclei_that_became_one_the_nearer_is_it(tmp_path: Path) -> None:
    now = places_of(tmp_path / "now.parquet", [5], np.array([[10.0, 10.0]]))
    far = SAME_NUCLEUS_UM / MPP
    assert now.nearest({1: (10 + far * 0.9, 10.0), 2: (10.0, 10.5), 3: (10 + far * 1.1, 10)}) == {
        2: 5
    }


def test_an_id_that_is_not_there_has_no_place(tmp_path: Path) -> None:
    places = places_of(tmp_path / "now.parquet", [5, 6], np.zeros((2, 2)))
    with pytest.raises(StoreError, match="has no nucleus 7; give the ids"):
        places.of([5, 7])
    empty = places_of(tmp_path / "none.parquet", [], np.zeros((0, 2)))
    with pytest.raises(StoreError, match="has no nucleus 1;"):
        empty.of([1])
    assert empty.nearest({1: (0.0, 0.0)}) == {}


@pytest.fixture
def run(painted_engines: list[PaintedEngine], painted_slide: Path, tmp_path: Path) -> Run:
    return analysed(painted_slide, tmp_path)


def analysed(slide: Path, store: Path) -> Run:
    return analyse(slide, store, mpp=MPP, settings=SMALL_TILES)


def made_anew(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The same question, after damage, by an engine that finds one nucleus fewer."""
    stand_in(monkeypatch, painted_slides.CARD, lambda *_: painted_slides.BlindInTheCorner())
    if run.path.exists():
        nuclei = run.path / "nuclei.parquet"
        nuclei.write_bytes(nuclei.read_bytes()[:-100])
    again = analysed(run.slide_path, store)
    assert again.path == run.path
    assert len(again.as_found().nuclei()) == len(run_ids(run)) - 1
    return again


def run_ids(run: Run) -> list[int]:
    return list(range(1, sum(run.facts.counts.values()) + 1))


def called(run: Run) -> dict[tuple[int, int], tuple[str, float]]:
    """Names and class scores by place."""
    columns = ["x", "y", "class_name", "class_score"]
    table = run.nuclei()[columns].itertuples(index=False)
    return {(round(x), round(y)): (name, score) for x, y, name, score in table}


def test_a_correction_stays_with_its_nucleus_when_the_slide_is_analysed_anew(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = run.nuclei().query("class_name == 'macrophage'").iloc[-1]
    run.journal().correct([row.nucleus_id], ["macrophage"], "epithelial", by="ada")
    run.journal().correct([row.nucleus_id - 1], ["?"], None, by="ada")
    before = called(run)
    again = made_anew(run, tmp_path, monkeypatch)
    after = called(again)
    assert after == {place: named for place, named in before.items() if place in after}
    assert len(after) == len(before) - 1
    assert after[round(row.x), round(row.y)] == ("epithelial", 1)
    assert list(again.journal().said()) == [row.nucleus_id - 1, row.nucleus_id - 2]
    assert again.said_since() == ["2 nuclei were corrected by hand, 1 of them taken away."]
    # what is said of it now is said of the same nucleus, and the later word counts
    again.journal().correct([row.nucleus_id - 1], ["epithelial"], "neutrophil", by="bo")
    assert called(again)[round(row.x), round(row.y)] == ("neutrophil", 1)
    again.journal().undo(by="bo")
    assert called(again) == after


def test_what_a_reader_keeps_elsewhere_follows_a_run_that_was_deleted_and_made_again(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "readers" / "one"
    mine.mkdir(parents=True)
    row = run.nuclei().query("class_name == 'macrophage'").iloc[-1]
    journal = run.corrected_in(mine).journal()
    journal.correct([row.nucleus_id], ["macrophage"], "epithelial", by="one")
    Store(tmp_path).delete(run)
    again = made_anew(run, tmp_path, monkeypatch).corrected_in(mine)
    assert called(again)[round(row.x), round(row.y)] == ("epithelial", 1)
    assert list(again.corrections()) == [row.nucleus_id - 1]


def test_what_was_said_of_a_nucleus_that_is_gone_is_kept_and_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (unseen,) = run.nuclei().query("x < 64 and y < 64")["nucleus_id"].tolist()
    run.journal().correct([unseen], ["?"], "epithelial", by="ada")
    again = made_anew(run, tmp_path, monkeypatch)
    assert again.journal().said() == {}
    assert again.journal().set_aside() == again.journal().count() == 1
    assert called(again) == called(again.as_found())
    assert again.said_since() == [
        "What people said of 1 nucleus that this analysis no longer finds does not count."
    ]
    assert again.as_found().said_since() == []
    assert again.journal().undo(by="ada")
    assert again.said_since() == []


def write_earlier_entry(folder: Path, **values: object) -> None:
    entry = {"action": "correct", "by": "ada", "at": "2025-06-01T10:22:31+00:00"}
    body = json.dumps({**entry, "name": "macrophage", **values}).encode()
    (folder / JOURNAL_FILE).write_bytes(f"{zlib.crc32(body):08x} ".encode() + body + b"\n")


def test_a_journal_of_before_is_of_the_table_that_is_there(run: Run) -> None:
    write_earlier_entry(run.path, nuclei=[2], found=["other"])
    assert run.journal().said()[2].name == "macrophage"
    assert run.journal().set_aside() == 0


def test_whoever_still_sees_the_earlier_nuclei_corrects_none_of_the_new(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = made_anew(run, tmp_path, monkeypatch)
    with pytest.raises(StoreError, match="missing or damaged"):
        run.journal().correct([9], ["?"], "epithelial", by="ada")
    assert not again.journal().exists


def test_an_entry_with_fewer_places_than_nuclei_is_of_another_version(tmp_path: Path) -> None:
    write_earlier_entry(tmp_path, nuclei=[2, 3], found=["a", "b"], places=[[1, 2]])
    with pytest.raises(StoreError, match="an entry of another version"):
        Journal(tmp_path).entries()


def test_a_classifier_s_answer_about_earlier_nuclei_names_none_of_the_new(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(of: Run) -> None:
        table = of.as_found().nuclei()[["nucleus_id"]]
        table = table.assign(class_name="macrophage", class_score=0.5)
        scheme, checksum = of.model_scheme, of.nuclei_checksum
        write_answer(of.path, Answer("mine", scheme, scheme.names, table, nuclei=checksum))

    answer(run)
    assert run.classifier == "mine"
    assert run.outdated_classifier is None
    again = made_anew(run, tmp_path, monkeypatch)
    assert again.classifier is None
    assert again.outdated_classifier == "mine"
    assert called(again) == called(again.as_found())
    (sentence,) = again.said_since()
    assert sentence.startswith(
        "The taught classifier mine named the nuclei of an earlier analysis;"
    )
    answer(again)
    assert again.classifier == "mine"
    assert {name for name, _ in called(again).values()} == {"macrophage"}


def test_a_label_of_a_nucleus_that_is_not_there_is_refused(run: Run) -> None:
    known, last = Known.of(run, ("measures",)), len(run_ids(run))
    assert len(known.rows(np.array([last, 1]))) == 2
    with pytest.raises(TeachingError, match=rf"nucleus {last + 1} that is labelled is not among"):
        known.rows(np.array([1, last + 1]))
