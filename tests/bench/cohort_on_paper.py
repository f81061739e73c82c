"""How long a cohort takes on a cluster, computed from stated inputs; nothing is measured here.

    python -m tests.bench.cohort_on_paper --seconds 11.7 --on-cores 2

``--seconds`` is what one mm² of tissue takes on so many cores: *s/mm² at 0.25 µm/px* of
``python -m seg_core bench``, or what ``python -m tests.bench.cohort_scaling`` prints. Every other
figure is an option too. Prints Markdown.
"""

import argparse
import math
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Study:
    """What is to be done, and where; each field is an option of the command.

    Attributes
    ----------
    seconds : float
        One mm² takes so long on ``on_cores`` cores.
    on_cores : int
    slides : int
    tissue_mm2 : float
        Of each slide.
    mpp : float
        At which the network looks, µm.
    machines, cores, cores_a_worker : int
        Machines, cores of each, and cores of a worker.
    split_mpx : float
        As ``cohort --split``.
    join_share : float
        What joining the ranges of a slide takes, as a share of the slide's time on one worker.
    efficiency : float
        How much a worker does beside others, of what it does alone (1: they do not slow each other
        down).
    bits_a_pixel : float
        Of the slides' files, for what the storage has to give.
    """

    seconds: float
    on_cores: int = 2
    slides: int = 1000
    tissue_mm2: float = 150.0
    mpp: float = 0.25
    machines: int = 20
    cores: int = 16
    cores_a_worker: int = 2
    split_mpx: float = 1000.0
    join_share: float = 0.05
    efficiency: float = 1.0
    bits_a_pixel: float = 1.0

    @property
    def workers(self) -> int:
        """Workers of all machines together."""
        return self.machines * (self.cores // self.cores_a_worker)

    @property
    def slide_seconds(self) -> float:
        """One slide on one worker: cores of a worker do their share of what the measured ones did."""
        return (
            self.tissue_mm2 * self.seconds * self.on_cores / self.cores_a_worker / self.efficiency
        )

    @property
    def slide_mpx(self) -> float:
        """What the network looks at of one slide."""
        return self.tissue_mm2 / self.mpp**2

    @property
    def ranges(self) -> int:
        """Ranges that a slide is cut into."""
        return max(1, math.ceil(self.slide_mpx / self.split_mpx))

    @property
    def even_seconds(self) -> float:
        """All slides, if every worker had something to do until the end."""
        return self.slides * self.slide_seconds / self.workers

    @property
    def tail_seconds(self) -> float:
        """At the end, at most: some worker has just begun the last range, and one joins it."""
        join = self.join_share if self.ranges > 1 else 0.0
        return self.slide_seconds * (1 / self.ranges + join)

    @property
    def mb_a_second(self) -> float:
        """What the storage gives all workers together."""
        pixels = self.slide_mpx / self.slide_seconds * self.workers
        return pixels * self.bits_a_pixel / 8

    def to_markdown(self) -> str:
        """Return inputs and results as a table, and the time as a sentence."""
        hours = (self.even_seconds + self.tail_seconds) / 3600
        minutes = f"{self.slide_seconds / 60:.0f} min"
        pace = self.slide_mpx / self.slide_seconds
        slide = f"{self.tissue_mm2:g} mm² × {self.seconds:g} s/mm² × {self.on_cores} / "
        slide += f"{self.cores_a_worker} cores / {self.efficiency:g}"
        rows = [
            (
                f"a slide of {self.tissue_mm2:g} mm² on a worker of {self.cores_a_worker} cores",
                slide,
                minutes,
            ),
            (
                "workers",
                f"{self.machines} machines × {self.cores} / {self.cores_a_worker} cores",
                f"{self.workers}",
            ),
            (
                "all slides, evenly",
                f"{self.slides:,} × {minutes} / {self.workers}",
                f"{self.even_seconds / 3600:.1f} h",
            ),
            (
                "a slide is cut into",
                f"{self.slide_mpx:,.0f} Mpx / {self.split_mpx:,.0f} (`--split`)",
                f"{self.ranges} ranges",
            ),
            (
                "at the end, at most",
                f"one range, and joining ({self.join_share:.0%} of a slide)",
                f"{self.tail_seconds / 60:.0f} min",
            ),
            (
                "the storage gives",
                f"{pace:.2f} Mpx/s × {self.workers} × {self.bits_a_pixel:g} bit a pixel",
                f"{self.mb_a_second:.0f} MB/s",
            ),
            ("**all together**", "", f"**{hours:.1f} h**"),
        ]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join(["| | how | |", "|---|---|---|", *lines])


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    for field in fields(Study):
        option = "--" + field.name.replace("_", "-")
        kind = float if field.type in (float, "float") else int
        if field.name == "seconds":
            parser.add_argument(option, type=kind, required=True)
        else:
            parser.add_argument(option, type=kind, default=field.default)
    print(Study(**vars(parser.parse_args())).to_markdown())


if __name__ == "__main__":
    main()
