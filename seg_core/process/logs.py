"""What is logged, in lines that a program can read, and what never is.

Names of slides, often a patient's, and pictures of labels are not logged: a run is named by its
id, what a request was by a random number, an error by its kind and the lines of code it came from.

``SEG_LOG=json`` gives a JSON object a line, ``SEG_LOG=text`` gives ``key=value`` pairs; without it
Python's own habit holds, warnings and errors as they are.
"""

import json
import logging
import os
import traceback
from datetime import UTC, datetime
from typing import Any

from seg_core.errors import SettingsError

LOG_VARIABLE = "SEG_LOG"
"""Environment variable that says how to log: json, text, or not at all."""

_FIELDS = ("run", "request", "engine", "precision", "megapixels", "seconds", "status", "nuclei")
"""What a line may say beside its message; given as ``extra``. Nothing else is written."""


def start_logging() -> None:
    """Log to stderr as ``SEG_LOG`` says; called once by each process.

    Raises
    ------
    SettingsError
        If it says something else.
    """
    said = os.environ.get(LOG_VARIABLE)
    if not said:
        return
    if said not in _FORMATTERS:
        raise SettingsError(f"{LOG_VARIABLE} is {said!r}; give json or text.")
    handler = logging.StreamHandler()
    handler.setFormatter(_FORMATTERS[said]())
    for name in ("seg_core", "pages"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        logger.handlers = [handler]
        logger.propagate = False


def code_of(error: BaseException) -> str:
    """Return an error's kind and the lines of code it came from, without its text."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([type(error).__name__, *lines])


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return json.dumps(_entries(record), ensure_ascii=False)


class KeyValues(logging.Formatter):
    """One line of ``key=value`` pairs; a value with spaces is quoted as in JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return " ".join(f"{key}={_plain(value)}" for key, value in _entries(record).items())


_FORMATTERS: dict[str, type[logging.Formatter]] = {"json": JsonLines, "text": KeyValues}


def _entries(record: logging.LogRecord) -> dict[str, Any]:
    entries: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }
    entries |= {name: vars(record)[name] for name in _FIELDS if name in vars(record)}
    if record.exc_info and record.exc_info[1]:
        entries["error"] = code_of(record.exc_info[1])
    return entries


def _plain(value: object) -> str:
    text = str(value)
    return text if text and text.isprintable() and not set(text) & set(' "=') else json.dumps(text)
