from pathlib import Path

import pytest

from seg_core.files.atomic import replacing, write_json


def test_a_file_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_json(path, {"old": 1})

    def break_off() -> None:
        with replacing(path) as temporary:
            temporary.write_text('{"new":')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_text() == '{\n "old": 1\n}\n'
    assert list(tmp_path.iterdir()) == [path]
