from pathlib import Path

import pytest

from tests.fuzz.fuzzing import KINDS, Kind, fuzz, fuzz_run, made_run


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(
    kind: Kind, seed: int, tmp_path: Path
) -> None:
    assert fuzz(kind, seed, tmp_path) is None


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_run(tmp_path_factory.mktemp("run"))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_run_is_read_as_it_was_or_refused_in_a_sentence(
    finished: Path, seed: int, tmp_path: Path
) -> None:
    assert fuzz_run(finished, seed, tmp_path) is None


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_sound_file_of_each_kind_is_read(kind: Kind, tmp_path: Path) -> None:
    kind.read(kind.make(tmp_path))


@pytest.mark.parametrize(
    ("name", "seed"),
    [("mirax facts", 1071), ("mirax facts", 1206), ("mirax facts", 1251), ("dicom", 1039)],
)
def test_what_a_library_quotes_of_a_damaged_file_stays_a_sentence(
    name: str, seed: int, tmp_path: Path
) -> None:
    """Found by longer runs: OpenSlide quotes a line of any length, libdicom a line break."""
    found = [kind for kind in KINDS if kind.name == name]
    if not found:
        pytest.skip("needs the DICOM slide of the development data")
    assert fuzz(found[0], seed, tmp_path) is None
