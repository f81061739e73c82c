"""What commands say: sentences, JSON, failures and progress."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, TextIO, TypeAlias, cast

from tqdm import tqdm

from seg_core.files.atomic import new_text_file
from seg_core.files.names import printable
from seg_core.files.outputs import check_figures
from seg_core.process.progress import Progress

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

PROGRAM = "python -m seg_core"
_STDOUT = "-"


def add_config_and_model(parser: argparse.ArgumentParser) -> None:
    """Add ``--config`` and ``--model``, for what goes by the labelled images of a training."""
    parser.add_argument(
        "--config", metavar="FILE", type=Path, required=True, help="TOML, see weights/training/"
    )
    parser.add_argument("--model", metavar="NAME|FILE", help="instead of the default model")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``, which `write_json` answers."""
    parser.add_argument(
        "--json",
        metavar="FILE",
        nargs="?",
        const=_STDOUT,
        help="figures as JSON; without FILE, which ends in .json, on the last line of stdout",
    )


def refuse_ignored(options: argparse.Namespace, names: Iterable[str], reason: str) -> None:
    """End the process with 2 where an option is given that would do nothing.

    Parameters
    ----------
    options : argparse.Namespace
        With ``parser``.
    names : iterable of str
        Of the options that do nothing with the others, as in ``options``.
    reason : str
        Ends the sentence: why they do nothing.
    """
    parser = cast("argparse.ArgumentParser", options.parser)
    given = [
        "--" + name.replace("_", "-")
        for name in names
        if getattr(options, name) != parser.get_default(name)
    ]
    if given:
        parser.error(f"{', '.join(given)} would do nothing: {reason}")


def write_json(content: dict[str, Any], target: str, *, indent: int | None = None) -> None:
    """Write figures where ``--json`` says: the last line of stdout, or a file.

    Parameters
    ----------
    content : dict
    target : str
        Of the option.
    indent : int, optional
        Of a file's lines; stdout always gets one line.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    if target == _STDOUT:
        sys.stdout.write(json_line(content, sys.stdout))
        sys.stdout.flush()
    else:
        check_figures(Path(target))
        with new_text_file(Path(target), force=True) as file:
            file.write(json_line(content, file, indent=indent))


def say(sentence: str) -> None:
    """Write a sentence to stdout at once."""
    sys.stdout.write(shown(sentence, sys.stdout) + "\n")
    sys.stdout.flush()


def fail(reason: object) -> int:
    """Write why something failed to stderr, and return the exit status."""
    sys.stderr.write(shown(f"{PROGRAM}: {reason}", sys.stderr) + "\n")
    return 1


def shown(sentence: object, stream: TextIO) -> str:
    """Return a sentence that a terminal takes, and that has it do nothing.

    The name of a file may be of bytes that are no letters, and of signs that a terminal obeys.
    """
    text = "\n".join(map(printable, str(sentence).split("\n")))
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def json_line(content: dict[str, Any], stream: TextIO, *, indent: int | None = None) -> str:
    """Return an object as JSON that a stream takes, with its end; on one line without ``indent``."""
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(content, indent=indent)
    return f"{text}\n"


@contextmanager
def counting_bar(name: str, unit: str = "it") -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr, where that is a terminal; gives what is called with (done, total)."""
    with tqdm(desc=shown(name, sys.stderr), unit=unit, disable=None) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield report


class StageBars:
    """Shows each stage of an analysis as a bar on stderr, where that is a terminal."""

    def __init__(self, name: str) -> None:
        self._name = shown(name, sys.stderr)
        self._stage: str | None = None
        self._bar: tqdm[NoReturn] | None = None

    def __call__(self, progress: Progress) -> None:
        """Show how far a stage has come."""
        if progress.stage != self._stage:
            self._close()
            self._stage = progress.stage
            self._bar = tqdm(desc=f"{self._name} {progress.stage}", disable=None)
        assert self._bar is not None
        self._bar.total = progress.total
        self._bar.update(progress.done - self._bar.n)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
