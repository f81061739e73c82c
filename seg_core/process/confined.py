"""Calls in a process that may read some folders and can neither write, start programs nor grow.

Decoders are written in C and take files from anywhere. What such a file can do at worst is to end
the process that decodes it, so that is one of its own, with limits::

    parent                          nursery                      child
    call(function, …) ── socket ──►  fork ─────────────────────►  takes limits, calls function
                      ◄──────────────────────────────────────────  one line of JSON, then bytes

The nursery has imported what the functions need, and so a call costs some milliseconds and not the
start of an interpreter; it ends by itself when nobody has asked for a while. The answer is JSON and
bytes, never pickles: a child that was taken over can lie, but not run anything here.

Linux keeps the child from files and the network by Landlock, where the kernel has it. Where
processes cannot fork (Windows) the function is called here, without limits.
"""

import atexit
import ctypes
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

from seg_core import errors
from seg_core.errors import SegCoreError

CAN_CONFINE = hasattr(os, "fork") and hasattr(socket, "send_fds")
"""Whether this system lets a child have limits of its own."""

if sys.platform != "win32":
    import resource

# A nursery that nobody needs gives its 60 MB back.
_IDLE_S = 60.0

_MOST_HEADER_BYTES = 1 << 20

# Landlock's calls have one number on all architectures; see landlock(7) and linux/landlock.h.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _RULE_PATH_BENEATH, _NO_NEW_PRIVILEGES = 1, 1, 38
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
# From which version on the kernel knows how many rights over files; the network came with the 4th.
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
_NETWORK_VERSION, _NETWORK_RIGHTS = 4, 0b11


@dataclass(frozen=True, slots=True)
class Limits:
    """What a call may take.

    Attributes
    ----------
    memory_bytes : int
        Beyond what the nursery has.
    cpu_s : int
        Of processor time.
    wall_s : int
        Until the answer.
    """

    memory_bytes: int
    cpu_s: int = 10
    wall_s: int = 30


class ChildEnded(Exception):
    """The child ended without an answer.

    Attributes
    ----------
    reason : {"memory", "time", "crash"}
    """

    def __init__(self, reason: Literal["memory", "time", "crash"]) -> None:
        super().__init__(reason)
        self.reason = reason


class Nursery:
    """Calls functions of some modules in confined children; any number of threads may use it.

    Parameters
    ----------
    *modules : str
        Imported before the first child; a function is named ``module:function``. It takes keyword
        arguments that are JSON and returns a dictionary that is JSON, and bytes.
    """

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        atexit.register(self.close)

    def call(
        self,
        function: str,
        arguments: dict[str, Any],
        *,
        readable: Sequence[Path],
        limits: Limits,
    ) -> tuple[dict[str, Any], bytearray]:
        """Call a function in a child and return its answer.

        Parameters
        ----------
        function : str
        arguments : dict
        readable : sequence of Path
            Folders whose files the child may open, besides those of Python and of the system.
        limits : Limits

        Raises
        ------
        SegCoreError
            The one the function raised, with its class and text.
        ChildEnded
            If it ended without an answer.
        """
        if not CAN_CONFINE:
            header, payload = _function_of(function)(**arguments)
            return header, bytearray(payload)
        began = time.monotonic()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._hand_over(theirs)
            theirs.close()
            request = {
                "function": function,
                "arguments": arguments,
                "readable": [os.fsdecode(folder) for folder in readable],
                "limits": [limits.memory_bytes, limits.cpu_s, limits.wall_s],
            }
            with suppress(OSError):  # its end is seen below
                ours.sendall(json.dumps(request).encode() + b"\n")
            ours.settimeout(limits.wall_s + 5)
            try:
                return _read_answer(ours, limits.memory_bytes)
            except (OSError, EOFError, ValueError) as error:
                took = time.monotonic() - began
                # Processor time is less than what has passed, so the shorter limit tells.
                late = took >= min(limits.cpu_s, limits.wall_s) * 0.9
                raise ChildEnded("time" if late else "crash") from error

    def close(self) -> None:
        """End the nursery; the next call starts another."""
        with self._lock:
            self._stop()

    def _hand_over(self, theirs: socket.socket) -> None:
        """Give the nursery one end of a socket; start one where none is there any more."""
        with self._lock:
            for _ in range(2):
                if self._control is None or self._owner != os.getpid():
                    self._start()
                assert self._control is not None
                try:
                    socket.send_fds(self._control, [b"!"], [theirs.fileno()])
                except OSError:
                    self._stop()
                else:
                    return
        raise ChildEnded("crash")

    def _start(self) -> None:
        if self._owner != os.getpid():  # a forked process leaves its parent's nursery alone
            self._control = self._process = None
        ours, theirs = socket.socketpair()
        program = (
            f"import sys; sys.path[:] = {sys.path!r}; "
            f"from seg_core.process.confined import serve; serve({theirs.fileno()}, "
            f"{self._modules!r})"
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # One thread each: a pool of threads does not survive the fork.
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,
            )
        self._control, self._owner = ours, os.getpid()

    def _stop(self) -> None:
        if self._owner != os.getpid():
            return
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()  # it holds nothing that would be lost
            self._process.wait()
        self._control = self._process = None


def spare_memory() -> int:
    """Return how many bytes this machine, or the container, can still give; 1 GiB if unknown."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        found.append(next(int(line.split()[1]) for line in lines if "MemAvailable" in line) * 1024)
    with suppress(OSError, ValueError):
        limit = Path("/sys/fs/cgroup/memory.max").read_text("ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text("ascii")
        if limit != "max":
            found.append(max(0, int(limit) - int(used)))
    return min(found, default=1 << 30)


def _read_answer(ours: socket.socket, most_bytes: int) -> tuple[dict[str, Any], bytearray]:
    with ours.makefile("rb") as stream:
        line = stream.readline(_MOST_HEADER_BYTES)
        if not line.endswith(b"\n"):
            raise EOFError
        answer = json.loads(line)
        if "error" in answer:
            raise _error_of(*answer["error"])
        if answer.get("ended") == "memory":
            raise ChildEnded("memory")
        size = int(answer["bytes"])
        if not 0 <= size <= most_bytes:
            raise ValueError(size)
        payload = bytearray(size)
        view, got = memoryview(payload), 0
        while got < size:
            count = stream.readinto(view[got:])
            if not count:
                raise EOFError
            got += count
        return dict(answer["header"]), payload


def _error_of(name: str, text: str) -> SegCoreError:
    """Return an error of ours by its class's name; what else a child says is no class."""
    kind = getattr(errors, name, SegCoreError)
    is_ours = isinstance(kind, type) and issubclass(kind, SegCoreError)
    return kind(str(text)) if is_ours else SegCoreError(str(text))


def _function_of(name: str) -> Any:
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def serve(control_fd: int, modules: Sequence[str]) -> None:
    """Fork a child for each socket that comes; this is what the nursery runs."""
    for module in modules:
        importlib.import_module(module)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children are nobody's affair once they end
    with socket.socket(fileno=control_fd) as control:
        control.settimeout(_IDLE_S)
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            except TimeoutError:
                return
            if not message:
                return
            if os.fork() == 0:
                control.close()
                _answer(socket.socket(fileno=descriptors[0]))
            os.close(descriptors[0])


def _answer(parent: socket.socket) -> NoReturn:
    """Read a request, do it under its limits and end, whatever happens."""
    with suppress(BaseException):
        with parent.makefile("rb") as stream:
            request = json.loads(stream.readline())
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)  # libraries talk of damage; the answer says what there is to say
        _take_limits(*request["limits"])
        _leave_files([Path(folder) for folder in request["readable"]])
        payload: Any = b""
        try:
            header, payload = _function_of(request["function"])(**request["arguments"])
            answer = {"header": header, "bytes": memoryview(payload).nbytes}
        except SegCoreError as error:
            answer = {"error": [type(error).__name__, str(error)]}
        except MemoryError:
            answer = {"ended": "memory"}
        parent.sendall(json.dumps(answer).encode() + b"\n")
        if "header" in answer:
            parent.sendall(memoryview(payload).cast("B"))
    os._exit(0)


def _take_limits(memory_bytes: int, cpu_s: int, wall_s: int) -> None:
    if sys.platform == "win32":
        return
    with suppress(OSError, ValueError):  # where /proc is not, the limit is coarser
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        memory_bytes += pages * os.sysconf("SC_PAGE_SIZE")
    for which, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(OSError, ValueError):
            resource.setrlimit(which, (most, most))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, in a library's loop too
    signal.alarm(wall_s)


def _leave_files(readable: Sequence[Path]) -> None:
    """Let this process read below some folders only, write nothing and reach no network."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    if version < 1:
        return  # the kernel has no Landlock, or it is switched off
    rights = max(count for since, count in _FILE_RIGHTS.items() if since <= version)
    handled = (ctypes.c_uint64 * 2)(
        (1 << rights) - 1, _NETWORK_RIGHTS if version >= _NETWORK_VERSION else 0
    )
    size = 16 if version >= _NETWORK_VERSION else 8
    ruleset = libc.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return
    allowed = _READ_FILE | _READ_FOLDER
    own = (sys.prefix, sys.base_prefix, *sys.path, "/usr", "/lib", "/lib64", "/etc/ld.so.cache")
    for folder in {Path(each) for each in own if each} | set(readable):
        try:
            descriptor = os.open(folder, os.O_PATH)
        except OSError:
            continue
        right = allowed if folder.is_dir() else _READ_FILE
        rule = right.to_bytes(8, sys.byteorder) + descriptor.to_bytes(4, sys.byteorder)
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.c_char_p(rule), 0)
        os.close(descriptor)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    libc.syscall(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
