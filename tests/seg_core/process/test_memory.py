import os
import subprocess
import sys

import pytest

_FREED = """
import sys
import numpy as np
from seg_core.process.memory import hold_little_memory, return_memory

if sys.argv[1] != "much":
    hold_little_memory(at_work=sys.argv[1] == "at work")
np.ones(24 * 2**20, np.uint8)  # freed at once: glibc takes what is smaller for small from now on
kept = []
arrays = []
for _ in range(20):
    arrays.append(np.ones(12 * 2**20, np.uint8))
    kept.append(np.ones(2**18, np.uint8))
del arrays
if sys.argv[1] != "much":
    return_memory()
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""

_FREED_BY_A_THREAD = """
import ctypes
import threading
from seg_core.process.memory import hold_little_memory, return_memory

hold_little_memory()
malloc, free, pages = (getattr(ctypes.CDLL(None), name) for name in ("malloc", "free", "memset"))
malloc.restype, malloc.argtypes, free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
freed, over = threading.Event(), threading.Event()

def resident_mb():
    said = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS"))
    return int(said) / 1000

def work():
    held = [malloc(2**20) for _ in range(50)]
    for each in held:
        pages(ctypes.c_void_p(each), 1, 2**20)
    for each in held:
        free(each)
    freed.set()
    over.wait()

before = resident_mb()
threading.Thread(target=work).start()
freed.wait()
return_memory()
print(resident_mb() - before)
over.set()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own way with memory")
def test_what_a_thread_that_lives_on_has_freed_goes_back_too() -> None:
    """The end of its arena stayed, up to 64 MB of each thread, when all visitors had left."""
    own = {name: said for name, said in os.environ.items() if not name.startswith("MALLOC_")}
    arguments = [sys.executable, "-c", _FREED_BY_A_THREAD]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=True, env=own)
    assert float(ended.stdout) < 5


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's own way with memory")
@pytest.mark.parametrize("how", ["little", "at work"])
def test_large_arrays_go_back_to_the_system_when_they_are_freed(how: str) -> None:
    def resident_mb(how: str) -> float:
        arguments = [sys.executable, "-c", _FREED, how]
        # Dask's workers are told by the environment how malloc is to behave, and so would this be
        own = {name: said for name, said in os.environ.items() if not name.startswith("MALLOC_")}
        ended = subprocess.run(arguments, capture_output=True, text=True, check=True, env=own)
        return int(ended.stdout) / 1000

    assert resident_mb("much") - resident_mb(how) > 150
