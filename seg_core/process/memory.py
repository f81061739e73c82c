"""How much memory this process has, and how much freed memory it keeps.

glibc holds more of it than a small host has.
"""

import ctypes
import gc
import sys
from contextlib import suppress

if sys.platform != "win32":
    import resource

# glibc's number of the option, from malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_ARENAS = 2
_LARGE_BYTES = 4 * 2**20
_LARGE_AT_WORK_BYTES = 32 * 2**20  # the most that glibc takes
_SPARE_BYTES = 2**20
_SPARE_AT_WORK_BYTES = 64 * 2**20


def hold_little_memory(*, at_work: bool = False) -> None:
    """Keep glibc from holding what this process has freed. Other systems do not.

    It gives each thread an arena of its own, up to eight a core, and what is freed in one is no use
    to another. And it learns from the first large array that is freed to put all that are not
    larger, up to 32 MB, among the small things, where one of these keeps it from the system: a
    dashboard with the model loaded held 100 MB more. What lies free at the end of an arena goes
    back at once beyond 1 MB: of other threads' arenas `return_memory` reaches all but that end, which
    was up to 64 MB of each, kept for good after many visitors had left.

    Parameters
    ----------
    at_work : bool
        For a process that analyses: arrays up to 32 MB do come from what was freed before, and up
        to 64 MB lie free at the end for the next. Having pages cleared and mapped for each of them
        took a sixth of an analysis' processor time; its peak is 80 MB higher, and `return_memory`
        gives back what the thread of the job has freed when that is done.
    """
    with suppress(AttributeError, OSError, TypeError):
        set_option = ctypes.CDLL(None).mallopt
        set_option(_M_ARENA_MAX, _ARENAS)
        set_option(_M_MMAP_THRESHOLD, _LARGE_AT_WORK_BYTES if at_work else _LARGE_BYTES)
        set_option(_M_TRIM_THRESHOLD, _SPARE_AT_WORK_BYTES if at_work else _SPARE_BYTES)


def return_memory() -> None:
    """Give the system back what this process has freed and glibc keeps for later use."""
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def peak_rss_mb() -> float | None:
    """Return the largest resident memory of this process so far, None where nobody counts it."""
    if sys.platform == "win32":
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
