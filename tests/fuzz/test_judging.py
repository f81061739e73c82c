"""What goes wrong with a damaged file is seen, whatever becomes of the process that reads it."""

import os
import subprocess

import pytest

from tests.fuzz import judging, misbehaving
from tests.fuzz.fuzzing import Count, State
from tests.fuzz.judging import Judge, Verdict


@pytest.fixture(scope="module")
def judge():
    with Judge(misbehaving.__name__) as judge:
        yield judge


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("aborts", "the process ended with -6"),
        ("fails", "ValueError: subsection not found"),
        ("talks", "on the terminal: libtiff"),
        ("reads other values", "silently other values"),
        ("says two lines", "an odd sentence"),
        ("says nothing", "an odd sentence"),
        ("speaks of the program", "an odd sentence"),
    ],
)
def test_a_fault_is_seen_and_the_next_file_judged(judge: Judge, kind: str, words: str) -> None:
    verdict = judge.judge(kind, 1)
    assert verdict.outcome == "fault"
    assert words in verdict.text
    assert judge.judge("opens", 1).outcome == "opened"


def test_what_does_not_end_is_ended(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "LONGEST_CPU_S", 0.2)
    assert judge.judge("hangs", 1).text.startswith("no answer in")
    assert judge.judge("opens", 1).outcome == "opened"


def test_what_waits_for_ever_is_ended(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "LONGEST_S", 0.5)
    assert judge.judge("waits", 1).text.startswith("no answer in")
    assert judge.judge("opens", 1).outcome == "opened"


def test_time_without_a_free_processor_is_no_fault_of_a_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run of low priority on a busy machine told of hangs that had taken no processor time."""
    now, waited = [0.0], {1: 5.0}
    monkeypatch.setattr(judging.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(judging, "_waited_s", lambda _pid: dict(waited))
    patience = judging._Patience(1)
    assert patience.had_s() == 0
    for _ in range(40):
        now[0] += 1
        had_s = patience.had_s()
    assert had_s == 40
    waited.update({1: 30.0, 2: 4.0})
    assert patience.had_s() == 40 - 25 - 4


def test_time_in_which_the_judge_was_halted_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(judging.time, "monotonic", lambda: now[0])
    patience = judging._Patience(os.getpid())
    now[0] += 700
    assert patience.had_s() == judging._LONGEST_LOOK_S


def test_a_process_and_those_below_it_are_asked_how_long_they_waited() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            assert {os.getpid(), child.pid} <= judging._waited_s(os.getpid()).keys()
            assert os.getpid() not in judging._waited_s(child.pid)
        finally:
            child.kill()


def test_what_grows_too_far_is_seen(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "MOST_EXTRA_MB", 150.0)
    assert "MB (opened: )" in judge.judge("grows", 1).text
    assert judge.judge("opens", 1).extra_mb < 150


def test_a_refusal_in_a_sentence_and_an_unchanged_file_are_no_fault(judge: Judge) -> None:
    assert judge.judge("refuses", 1).text == "a.txt is damaged; download it again."
    assert judge.judge("reads other values", None).outcome == "opened"


def test_a_run_goes_on_where_its_state_says(tmp_path) -> None:
    state = State(["png"], 0, 3, {"png": Count()}, [("png", 1, "it hangs")])
    state.counts["png"].add(Verdict("refused", "a sentence.", 1.26, 20.4))
    state.write(tmp_path / "state.json")
    again = State.read(tmp_path / "state.json", ["png"], 0)
    assert again.table() == state.table()
    assert "| png | 1 | 1 | 0 | 0 | 1.3 s | 20 MB |" in again.table()
    with pytest.raises(SystemExit, match="other kinds or seeds"):
        State.read(tmp_path / "state.json", ["png"], 5)
