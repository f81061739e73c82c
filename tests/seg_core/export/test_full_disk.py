"""A disk that takes no more costs the file that is written, in one sentence, and leaves nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from seg_core.export.formats import FORMATS
from seg_core.files.atomic import new_file, new_folder
from seg_core.store import Run

# In a process of its own: HDF5 ends the one in which it cannot write.
PROGRAM = """
import resource, sys
from pathlib import Path
from seg_core.errors import SegCoreError
from seg_core.export.formats import FORMATS
from seg_core.export.options import ExportOptions
from seg_core.store import open_run

run, path, name = open_run(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
(kind,) = (each for each in FORMATS if each.name == name)
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
try:
    kind.write(run, path, ExportOptions(other=True))
except SegCoreError as error:
    print(f"{type(error).__name__}: {error}")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits there")
@pytest.mark.parametrize("name", [each.name for each in FORMATS])
def test_every_format_says_that_the_disk_is_full_and_leaves_nothing(
    painted_run: Run, tmp_path: Path, name: str
) -> None:
    (kind,) = (each for each in FORMATS if each.name == name)
    if kind.missing:
        pytest.skip(kind.missing)
    path = tmp_path / f"file.{'zarr' if kind.metavar == 'DIR' else name.split('-')[0]}"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(painted_run.path), str(path), name],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == (
        f"ExportError: {path} cannot be written (File too large); choose another place."
    )
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_was_writing_goes_when_the_file_is_written_again(
    tmp_path: Path,
) -> None:
    path, folder = tmp_path / "a [1].csv", tmp_path / "a.zarr"
    program = (
        "import os; from pathlib import Path; from seg_core.files.atomic import new_file, new_folder\n"
        f"with new_file(Path({str(path)!r}), force=False) as file, "
        f"new_folder(Path({str(folder)!r}), replaceable=bool, force=False) as made:\n"
        "    file.write_text('half'); made.mkdir(); (made / 'half').touch(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 9
    assert len(list(tmp_path.iterdir())) == 2
    with new_file(path, force=False) as mine, new_file(path, force=False) as other:
        assert mine != other
        mine.write_text("mine")
        other.write_text("other")
        assert sorted(each.suffix for each in tmp_path.iterdir()) == [".tmp"] * 3
    with new_folder(folder, replaceable=lambda _: True, force=False) as made:
        made.mkdir()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a [1].csv", "a.zarr"]
