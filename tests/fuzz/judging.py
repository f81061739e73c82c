"""One damaged file after the other is given to a process that is watched from outside.

The process says how it went; that it ended, hangs or grows is seen from here::

    Judge                                   child
    ("png", 17) ────────────────────────►   damage a copy of a sound file, read it
                  ◄── Told("refused", …)    or nothing: it ended, or took too long
    looks at its memory, and that of
    the processes that it has started
"""

import gc
import importlib
import multiprocessing
import os
import re
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Literal, Self

from seg_core.errors import SegCoreError
from tests.fuzz.kinds import Kind
from tests.fuzz.mutations import damaged

LONGEST_CPU_S = 10.0  # of the process itself: the machine may have other work
LONGEST_S = 30.0  # without the time in which no processor was free, or the judge was halted
MOST_EXTRA_MB = 1000.0
LONGEST_SENTENCE = 600  # one that names all options of a training has 500

_READY_S = 300.0  # until torch and all else is imported, on a busy machine
_LOOK_EVERY_S = 0.05  # a gigabyte takes longer to fill
_LONGEST_LOOK_S = 1.0  # whoever looks later was halted
_MEGABYTE = 1e6

_OF_THE_PROGRAM = re.compile(
    r"Traceback|has no attribute|unhashable|unsupported operand|not subscriptable|not iterable|"
    r"truth value|to unpack|broadcast|reshape|PyTorch|\[Errno|0x[0-9a-f]{8}"
)

Outcome = Literal["opened", "refused", "fault"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it went with one damaged file.

    Attributes
    ----------
    outcome : {"opened", "refused", "fault"}
        Refused means by one sentence.
    text : str
        The sentence, or what went wrong.
    seconds : float
    extra_mb : float
        Memory beyond what the process takes when it has read nothing.
    """

    outcome: Outcome
    text: str = ""
    seconds: float = 0.0
    extra_mb: float = 0.0


class Judge:
    """Damages files of some kinds by seeds, and tells how it went; a context.

    Parameters
    ----------
    module : str
        Where the process finds ``KINDS``.
    """

    def __init__(self, module: str = "tests.fuzz.kinds") -> None:
        self._module = module
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._idle_mb = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._stop()
        self._folder.cleanup()

    def judge(self, name: str, seed: int | None) -> Verdict:
        """Damage a file of a kind and have it read; no seed: a sound one."""
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None
        assert process.pid is not None
        began = time.monotonic()
        self._connection.send((name, seed))
        children_mb, before_s = 0.0, _cpu_s(process.pid)
        patience = _Patience(process.pid)
        while not self._connection.poll(_LOOK_EVERY_S):
            children_mb = max(children_mb, _growth_of_children_mb(process.pid))
            had_s, cpu_s = patience.had_s(), _cpu_s(process.pid) - before_s
            if had_s > LONGEST_S or cpu_s > LONGEST_CPU_S:
                self._stop()
                text = f"no answer in {had_s:.1f} s, {cpu_s:.1f} s of processor time"
                return Verdict("fault", text, had_s)
        took = time.monotonic() - began
        try:
            outcome, text = self._connection.recv()
        except EOFError:
            process.join()
            self._stop()
            return Verdict("fault", f"the process ended with {process.exitcode}", took)
        extra_mb = max(0.0, _memory_mb(process.pid, "VmHWM") - self._idle_mb) + children_mb
        if extra_mb > MOST_EXTRA_MB:
            outcome, text = "fault", f"it took {extra_mb:.0f} MB ({outcome}: {text})"
            self._stop()
        return Verdict(outcome, text, took, extra_mb)

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._folder.name, self._module), daemon=True
        )
        self._process.start()
        theirs.close()
        assert self._process.pid is not None
        patience = _Patience(self._process.pid)
        while not self._connection.poll(_LONGEST_LOOK_S):
            if patience.had_s() > _READY_S:
                raise TimeoutError("the process that reads the files does not start")
        self._connection.recv()
        self._idle_mb = _memory_mb(self._process.pid, "VmRSS")

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None


class _Patience:
    """Counts the time that a process and those it has started have had for an answer.

    On a machine with other work a process of low priority may wait for minutes until it runs at
    all, and the judge may be halted from its terminal: neither says anything of a file.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._looked, self._passed_s = time.monotonic(), 0.0
        self._before: dict[int, float] | None = None  # most answers come before one looks

    def had_s(self) -> float:
        """Look, and return the time until now."""
        now = time.monotonic()
        self._passed_s += min(now - self._looked, _LONGEST_LOOK_S)
        self._looked = now
        if self._before is None:
            self._before = _waited_s(self._pid)
        if self._passed_s <= LONGEST_S:
            return self._passed_s
        waited = _waited_s(self._pid).items()
        return self._passed_s - sum(
            max(0.0, seconds - self._before.get(pid, 0.0)) for pid, seconds in waited
        )


def _waited_s(pid: int) -> dict[int, float]:
    """Return how long a process and those below it have been kept from running by others."""
    parents = dict(_parents())
    waited = {}
    for each in parents:
        above = each
        while above not in (pid, 0):
            above = parents.get(above, 0)
        if above == pid:
            with suppress(OSError):  # it has just ended, or the system does not count it
                said = Path(f"/proc/{each}/schedstat").read_text("ascii")
                waited[each] = int(said.split()[1]) / 1e9
    return waited


def _growth_of_children_mb(pid: int) -> float:
    """Return the most that a process of the nursery has taken beyond what it began with."""
    parents = dict(_parents())
    nurseries = {child for child, parent in parents.items() if parent == pid}
    return max(
        (
            _memory_mb(child, "VmHWM") - _memory_mb(parent, "VmRSS")
            for child, parent in parents.items()
            if parent in nurseries
        ),
        default=0.0,
    )


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            said = (folder / "stat").read_bytes()
            yield int(folder.name), int(said.rpartition(b")")[2].split()[1])


def _cpu_s(pid: int) -> float:
    """Return the processor time that a process has taken, without its children's."""
    with suppress(OSError):
        said = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _memory_mb(pid: int, which: Literal["VmHWM", "VmRSS"]) -> float:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines():
            if line.startswith(which):
                return int(line.split()[1]) * 1024 / _MEGABYTE
    return 0.0


def _serve(parent: Connection, folder: str, module: str) -> None:
    """Answer the judge; this is what the process runs."""
    for each in (signal.SIGINT, signal.SIGTERM):  # the judge decides
        signal.signal(each, signal.SIG_IGN)
    kinds: Mapping[str, Kind] = importlib.import_module(module).KINDS
    reader = _Reader(Path(folder), kinds)
    gc.freeze()  # an analysis collects at its end, a third of its time if all modules are gone over
    parent.send("ready")
    with suppress(EOFError):
        while True:
            name, seed = parent.recv()
            with suppress(OSError):
                Path("/proc/self/clear_refs").write_text("5")  # the most memory counts from here
            parent.send(reader.attempt(name, seed))


class _Reader:
    """Damages copies of sound files and reads them, in a folder that a later process goes on with."""

    def __init__(self, folder: Path, kinds: Mapping[str, Kind]) -> None:
        self._folder = folder
        self._kinds = kinds
        self._sound: dict[str, object] = {}
        self._noise = (folder / "noise").open("w+b")
        os.dup2(self._noise.fileno(), 2)

    def attempt(self, name: str, seed: int | None) -> tuple[Outcome, str]:
        kind = self._kinds[name]
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = self._copy(kind, Path(folder))
            if seed is not None:
                _damage(kind, path, Path(folder), Random(f"{kind.name} {seed}"))
            self._noise.truncate(0)
            try:
                content = kind.read(path)
            except SegCoreError as error:
                outcome, text = _refused(str(error))
                if not kind.agrees and folder in text:  # a store's readers say where it is
                    outcome = "fault"
            except Exception:  # noqa: BLE001 - that is what is looked for
                outcome, text = "fault", traceback.format_exc(limit=-3)
            else:
                outcome, text = self._opened(kind, content)
        if outcome != "fault" and (said := self._said_aloud()):
            return "fault", f"on the terminal: {said}"
        return outcome, text

    def _copy(self, kind: Kind, folder: Path) -> Path:
        """Copy a sound file, with what lies beside it; make it first where none was made."""
        sound, name = self._folder / kind.name, self._folder / f"{kind.name}.path"
        if not name.is_file():
            shutil.rmtree(sound, ignore_errors=True)
            sound.mkdir()
            name.write_text(kind.make(sound).relative_to(sound).as_posix(), "utf-8")
        shutil.copytree(sound, folder, dirs_exist_ok=True)
        return folder / name.read_text("utf-8")

    def _opened(self, kind: Kind, content: object) -> tuple[Outcome, str]:
        if not kind.agrees:
            return "opened", ""
        if kind.name not in self._sound:
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                self._sound[kind.name] = kind.read(self._copy(kind, Path(folder)))
        same = content == self._sound[kind.name]
        return ("opened", "") if same else ("fault", "silently other values")

    def _said_aloud(self) -> str:
        self._noise.seek(0)
        return self._noise.read(1000).decode("utf-8", "replace").strip()


def _damage(kind: Kind, path: Path, folder: Path, random: Random) -> None:
    found = folder.glob(kind.damaged) if kind.damaged else [path]
    files = sorted(each for each in found if each.is_file() and each.stat().st_size)
    victim = random.choice(files)
    victim.write_bytes(damaged(victim.read_bytes(), random))


def _refused(sentence: str) -> tuple[Outcome, str]:
    """Tell whether a refusal is one sentence for a person."""
    is_one = sentence.endswith(".") and sentence.isprintable() and len(sentence) <= LONGEST_SENTENCE
    if is_one and not _OF_THE_PROGRAM.search(sentence):
        return "refused", sentence
    return "fault", f"an odd sentence: {sentence[:300]!r}"
