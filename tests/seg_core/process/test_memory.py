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
