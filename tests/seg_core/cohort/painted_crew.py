"""Workers in processes of their own whose network reads paintings, and a cohort to work off."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import painted_slides
from distributed import Client, WorkerPlugin
from painted_slides import MPP, PaintedEngine

from seg_core import subject
from seg_core.cohort import task, work
from seg_core.cohort.cluster import local_workers
from seg_core.cohort.journal import Journal
from seg_core.cohort.plan import read_plan
from seg_core.cohort.work import CohortOptions
from seg_core.model.features import DescribedTile

OPTIONS = CohortOptions(
    mpp=MPP,
    settings=painted_slides.SMALL_TILES,
    split_mpx=0.2,
)
LARGE = "slide0.png"
GOOD, BROKEN = 6, ("broken.png", "empty.svs")


class SlowEngine(PaintedEngine):
    """Takes its time for each tile, so that a worker can be ended in the middle of a slide."""

    seconds = 0.0

    def describe(
        self, tiles: Iterable[tuple[int, npt.NDArray[np.uint8]]]
    ) -> Iterator[DescribedTile]:
        for answer in super().describe(tiles):
            time.sleep(self.seconds)
            yield answer


class Paintings(WorkerPlugin):
    """Lets a worker's analyses run on paintings."""

    def __init__(self, seconds_a_tile: float) -> None:
        self._seconds = seconds_a_tile

    def setup(self, worker: object) -> None:
        use_paintings()
        SlowEngine.seconds = self._seconds


def use_paintings() -> None:
    for module in (subject, task, work):
        module.find_model = painted_slides.find_painted_model
    subject.make_engine = lambda *_: SlowEngine()


def let_paint(client: Client, seconds_a_tile: float = 0.0) -> None:
    client.register_plugin(Paintings(seconds_a_tile), name="paintings")


def write_cohort(folder: Path, *, good: int = GOOD, size: tuple[int, int] = (220, 260)) -> Path:
    """Paint slides, the first of them large enough to be shared, damage two and write their table."""
    folder.mkdir(parents=True)
    rows = ["slide;patient;group;Stage"]
    for number in range(good):
        its_size = (260, 1100) if f"slide{number}.png" == LARGE else size
        painted_slides.paint(*its_size, seed=number).save(folder / f"slide{number}.png")
        rows.append(f"slide{number}.png;P{number // 2};{'AB'[number % 2]};T{number}")
    (folder / BROKEN[0]).write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (folder / BROKEN[1]).write_bytes(b"")
    rows += [f"{name};P9;B;" for name in BROKEN]
    table = folder / "table.csv"
    table.write_text("\n".join(rows), encoding="utf-8")
    return table


def main() -> None:
    """Work off a table on two workers until somebody kills it: TABLE STORE SECONDS_A_TILE."""
    table, store, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    use_paintings()
    with local_workers(2, memory_gb=4) as client:
        let_paint(client, seconds)
        for event in work.work_off(read_plan([table]), Journal(store, "cohort"), OPTIONS, client):
            sys.stdout.write(json.dumps(event.to_json()) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
