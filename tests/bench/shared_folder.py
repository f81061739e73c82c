"""Whether a shared folder keeps workers apart: tried on your own drive, with leases alone.

    python -m tests.bench.shared_folder FOLDER [SAME_FOLDER_SEEN_ELSEWHERE ...] [--seconds 60]

Processes that each claim to be another machine, and to have no locks of the operating system, want
to work in one folder all the time, each by one of the paths; some vanish in the middle, as machines
do. Prints how often somebody worked there, and whether ever two at a time. To try two machines,
mount the drive twice on one, by two clients, and give both paths: the times of all are compared by
one clock.
"""

import argparse
import errno
import multiprocessing
import os
import random
import shutil
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from seg_core.errors import BusyError
from seg_core.files import lease, locks
from seg_core.files.lease import held

_VANISHES = 0.02
_LONGEST_WORK_S = 0.4


def main() -> None:
    """Try and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--machines", type=int, default=4, help="processes that claim to be one")
    parser.add_argument("--beat", type=float, default=lease.BEAT_S, help="of a lease, s")
    parser.add_argument("--expiry", type=float, default=lease.EXPIRY_S, help="of a lease, s")
    options = parser.parse_args()
    name = f"lease-trial-{os.getpid()}"
    lease.BEAT_S, lease.EXPIRY_S = options.beat, options.expiry
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as told:
        until = time.monotonic() + options.seconds
        crew = [
            fork.Process(
                target=_machine,
                args=(number, options.folders[number % len(options.folders)] / name, told, until),
            )
            for number in range(options.machines)
        ]
        for each in crew:
            each.start()
        for each in crew:
            each.join()
        spans = sorted(
            tuple(map(float, line.split()))
            for file in Path(told).iterdir()
            for line in file.read_text().splitlines()
        )
    shutil.rmtree(options.folders[0] / name)
    together = sum(later[0] < earlier[1] for earlier, later in pairwise(spans))
    print(f"{len(spans)} times somebody worked there, {together} times two at once.")
    raise SystemExit(bool(together) or not spans)


def _machine(number: int, folder: Path, told: str, until: float) -> None:
    """Work in the folder again and again, and now and then vanish and come back as another one."""
    lease.this_host = lambda: f"machine {number} of process {os.getpid()}"
    locks._try_lock = _refuse
    rng = random.Random(number)
    while time.monotonic() < until:
        child = os.fork()
        if child == 0:
            _work(folder, Path(told) / f"{os.getpid()}", until, rng)
            os._exit(0)
        os.waitpid(child, 0)
        rng.random()


def _work(folder: Path, told: Path, until: float, rng: random.Random) -> None:
    lease.this_host = lambda: f"process {os.getpid()}"
    while time.monotonic() < until:
        try:
            with held(folder):
                began = time.monotonic()
                time.sleep(rng.uniform(0, _LONGEST_WORK_S))
                with told.open("a") as file:
                    file.write(f"{began} {time.monotonic()}\n")
                if rng.random() < _VANISHES:
                    os._exit(1)
        except BusyError:
            time.sleep(rng.uniform(0, 0.05))


def _refuse(*_arguments: object, **_options: object) -> bool:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


if __name__ == "__main__":
    main()
