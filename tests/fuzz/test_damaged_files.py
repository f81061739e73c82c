from pathlib import Path

import pytest

from tests.fuzz.fuzzing import KINDS, Kind, fuzz


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(
    kind: Kind, seed: int, tmp_path: Path
) -> None:
    assert fuzz(kind, seed, tmp_path) is None
