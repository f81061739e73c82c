import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from seg_core.errors import SettingsError
from seg_core.process.logs import JsonLines, KeyValues, start_logging

ROOT = Path(__file__).parents[3]

SPEAK = """
import logging
from seg_core.process.logs import start_logging
start_logging()
logging.getLogger("seg_core.analysis").info("analysis ended", extra={"run": "ab12", "slide": "Smith"})
"""


def record(message: str, **extra: object) -> logging.LogRecord:
    return logging.getLogger("seg_core.x").makeRecord(
        "seg_core.x", logging.INFO, __file__, 1, message, (), None, extra=extra
    )


def test_a_line_is_a_json_object_with_the_run() -> None:
    line = json.loads(JsonLines().format(record("analysis ended", run="ab12", seconds=1.5)))
    assert line["time"].endswith("+00:00")
    del line["time"]
    assert line == {
        "level": "info",
        "logger": "seg_core.x",
        "message": "analysis ended",
        "run": "ab12",
        "seconds": 1.5,
    }


def test_a_line_is_pairs_that_can_be_told_apart() -> None:
    line = KeyValues().format(record('two\nlines "so"', run="ab12"))
    assert line.endswith(r'level=info logger=seg_core.x message="two\nlines \"so\"" run=ab12')


def test_an_error_is_logged_without_its_text() -> None:
    try:
        raise OSError("cannot read /slides/SMITH-1961.svs")
    except OSError:
        written = logging.LogRecord("x", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    line = json.loads(JsonLines().format(written))
    assert line["error"].startswith("OSError\n")
    assert "test_logs.py" in line["error"]
    assert "SMITH" not in str(line)


@pytest.mark.parametrize(("said", "expected"), [("json", '"run": "ab12"'), ("text", "run=ab12")])
def test_the_environment_says_how(said: str, expected: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SPEAK],
        cwd=ROOT,
        env={"SEG_LOG": said},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = ended.stderr.splitlines()
    assert expected in line
    assert "Smith" not in line, "only named fields are written"


def test_another_way_of_logging_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEG_LOG", "loud")
    with pytest.raises(SettingsError, match="give json or text"):
        start_logging()
