"""What all sessions share is changed by one thread while another looks at it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import shapely
from cachetools import LRUCache

from pages.shared.cohort_process import CohortOrder, CohortProcess
from pages.shared.left_out import LeftOut
from pages.shared.store_limit import Visitors
from seg_core.cohort.progress import CohortProgress
from seg_core.roi import Roi
from seg_core.store import Run, Selection

_LONG_ENOUGH_S = 0.2


class Meddled:
    """Has another thread change what is looked through, while it is."""

    def __init__(self, change: Callable[[], object]) -> None:
        self._change = change
        self.threads: list[Thread] = []

    def _meddle(self) -> str:
        self.threads.append(Thread(target=self._change))
        self.threads[-1].start()
        self.threads[-1].join(_LONG_ENOUGH_S)  # one that has to wait its turn is not waited for
        return "somebody"

    @property
    def run(self) -> Path:
        return Path(self._meddle())

    @property
    def name(self) -> str:
        return self._meddle()


@pytest.mark.parametrize("look", ["runs", "present", "is_looked_at_by_others"])
def test_a_visitor_may_come_while_others_are_counted(look: str) -> None:
    visitors = Visitors()
    held: list[object] = [visitors.arrive("one"), visitors.look_at(Path("one"))]

    def change() -> None:
        held.extend([visitors.arrive("new"), visitors.look_at(Path("new"))])

    meddled = [Meddled(change) for _ in range(2)]
    for each in meddled:
        visitors._present.add(each)  # type: ignore[arg-type]
        visitors._shown.add(each)  # type: ignore[arg-type]
    arguments = (Path("none"), None) if look.startswith("is") else ()
    getattr(visitors, look)(*arguments)
    for each in meddled:
        for thread in each.threads:
            thread.join()
    assert "new" in visitors.present()
    assert Path("new") in visitors.runs()


class OneAtATime(LRUCache[str, Any]):
    """Bears no two threads, as its kind does not, and says so each time."""

    inside = 0

    def __getitem__(self, key: str) -> Any:
        with self:
            return super().__getitem__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        with self:
            super().__setitem__(key, value)

    def __enter__(self) -> None:
        self.inside += 1
        time.sleep(0.002)
        assert self.inside == 1

    def __exit__(self, *_: object) -> None:
        self.inside -= 1


def test_tiles_ask_what_is_left_out_while_regions_are_drawn() -> None:
    left_out = LeftOut()
    left_out._kept = OneAtATime(8)

    def drawn(side: int) -> None:
        query = left_out.query([Roi("necrosis", shapely.box(0, 0, side, 1), "exclude")])
        assert left_out.asked(query) is not None

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(drawn, [1, 2, 3, 4] * 4))


def test_nuclei_of_more_parts_than_are_remembered_are_asked_for_at_once(run: Run) -> None:
    """Each finds its own, though others have it forgotten meanwhile."""

    class Forgetful(dict[bytes, Any]):
        def __setitem__(self, key: bytes, value: Any) -> None:
            """Keep nothing: all was pushed out by the time that it is looked for."""

    queries = run.nucleus_queries()
    queries._held = Forgetful()
    part = shapely.box(0, 0, 400, 300)
    counts = queries.counts(Selection(run.scheme.names_with_other, part=part))
    assert sum(counts.values()) == 12


def test_the_time_left_is_asked_while_what_happened_is_read(tmp_path: Path) -> None:
    process = CohortProcess(CohortOrder(Path("s"), "s", 3), None, tmp_path, lambda: None)  # type: ignore[arg-type]

    class Reading(CohortProgress):
        def seconds_left(self, elapsed: float) -> float | None:
            assert not process._reading.acquire(blocking=False)
            return elapsed

    process._progress = Reading(3)
    assert process.seconds_left() is not None
