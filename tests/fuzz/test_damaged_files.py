from collections.abc import Iterator

import pytest

from tests.fuzz.judging import Judge
from tests.fuzz.kinds import KINDS


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with Judge() as judge:
        yield judge


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_file_of_each_kind_is_read(judge: Judge, kind: str) -> None:
    assert judge.judge(kind, None).outcome == "opened"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(
    judge: Judge, kind: str, seed: int
) -> None:
    verdict = judge.judge(kind, seed)
    assert verdict.outcome != "fault", verdict.text


@pytest.mark.parametrize("seed", range(4, 12))
@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if kind.agrees])
def test_a_damaged_store_gives_the_same_or_a_sentence(judge: Judge, kind: str, seed: int) -> None:
    verdict = judge.judge(kind, seed)
    assert verdict.outcome != "fault", verdict.text
