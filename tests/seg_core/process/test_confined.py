"""What a child process may do and what becomes of one that does more."""

import os
import socket
import time
from pathlib import Path

import pytest

from seg_core.errors import RegionError
from seg_core.process.confined import CAN_CONFINE, ChildEnded, Limits, Nursery, spare_memory

pytestmark = pytest.mark.skipif(not CAN_CONFINE, reason="this system confines no process")

HERE = "tests.seg_core.process.test_confined"
LIMITS = Limits(memory_bytes=64 * 2**20, cpu_s=2, wall_s=3)


def echo(text: str) -> tuple[dict[str, str], bytes]:
    return {"text": text}, text.encode()


def read(path: str) -> tuple[dict[str, str], bytes]:
    try:
        return {"text": Path(path).read_text("utf-8")}, b""
    except OSError as error:
        return {"error": type(error).__name__}, b""


def write(path: str) -> tuple[dict[str, str], bytes]:
    try:
        Path(path).write_text("written", "utf-8")
    except OSError as error:
        return {"error": type(error).__name__}, b""
    return {}, b""


def connect(port: int) -> tuple[dict[str, str], bytes]:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError as error:
        return {"error": type(error).__name__}, b""
    return {}, b""


def start_program() -> tuple[dict[str, bool], bytes]:
    try:
        os.execv("/bin/true", ["true"])
    except OSError:
        return {"started": False}, b""


def fail() -> tuple[dict[str, str], bytes]:
    raise RegionError("the region is empty; draw another.")


def abort() -> tuple[dict[str, str], bytes]:
    os.abort()


def grow(megabytes: int) -> tuple[dict[str, int], bytes]:
    return {"bytes": len(bytearray(megabytes * 2**20))}, b""


def turn() -> tuple[dict[str, str], bytes]:
    while True:
        pass


def sleep() -> tuple[dict[str, str], bytes]:
    time.sleep(60)
    return {}, b""


@pytest.fixture(scope="module")
def nursery():
    nursery = Nursery(HERE)
    yield nursery
    nursery.close()


@pytest.fixture
def call(nursery, tmp_path):
    def ask(function, **arguments):
        return nursery.call(
            f"{HERE}:{function.__name__}", arguments, readable=[tmp_path], limits=LIMITS
        )

    return ask


def test_an_answer_is_a_header_and_bytes(call):
    assert call(echo, text="größe") == ({"text": "größe"}, bytearray("größe".encode()))


def test_an_error_of_ours_keeps_its_class_and_its_sentence(call):
    with pytest.raises(RegionError, match="the region is empty; draw another"):
        call(fail)


def test_a_child_that_aborts_takes_nobody_with_it(call):
    with pytest.raises(ChildEnded, match="crash"):
        call(abort)
    assert call(echo, text="a")[0] == {"text": "a"}


def test_a_child_cannot_grow_beyond_its_limit(call):
    assert call(grow, megabytes=32)[0] == {"bytes": 32 * 2**20}
    with pytest.raises(ChildEnded, match="memory"):
        call(grow, megabytes=4096)


@pytest.mark.parametrize("function", [turn, sleep])
def test_a_child_that_does_not_come_to_an_end_is_ended(call, function):
    with pytest.raises(ChildEnded, match="time"):
        call(function)


def has_landlock() -> bool:
    import ctypes

    return ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1


@pytest.mark.skipif(not has_landlock(), reason="the kernel has no Landlock")
def test_a_child_reads_its_own_folder_and_no_other(call, tmp_path, tmp_path_factory):
    inside, outside = tmp_path / "a.txt", tmp_path_factory.mktemp("other") / "b.txt"
    for path in (inside, outside):
        path.write_text("secret", "utf-8")
    assert call(read, path=str(inside))[0] == {"text": "secret"}
    assert call(read, path=str(outside))[0] == {"error": "PermissionError"}


def test_a_child_writes_nothing(call, tmp_path):
    assert "error" in call(write, path=str(tmp_path / "a.txt"))[0]
    assert not (tmp_path / "a.txt").exists() or (tmp_path / "a.txt").stat().st_size == 0


@pytest.mark.skipif(not has_landlock(), reason="the kernel has no Landlock")
def test_a_child_starts_no_program(call):
    assert call(start_program)[0] == {"started": False}


@pytest.mark.skipif(not has_landlock(), reason="the kernel has no Landlock")
def test_a_child_reaches_no_network(call):
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert call(connect, port=server.getsockname()[1])[0] == {"error": "PermissionError"}


def test_a_nursery_that_was_killed_is_started_anew(call, nursery):
    call(echo, text="a")
    nursery._process.kill()
    nursery._process.wait()
    assert call(echo, text="b")[0] == {"text": "b"}


def test_spare_memory_is_some_and_less_than_the_machine_has():
    assert 2**20 < spare_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
