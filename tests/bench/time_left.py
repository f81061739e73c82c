"""How right the time left is while a slide is analysed.

    python -m tests.bench.time_left

Analyses a sample in several ways, each in a process's first and, where nuclei have been found
before, in a later one, and prints by how much the time that was said to be left was wrong after
the first tenth.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from seg_core.analysis import analyse
from seg_core.process.progress import Progress
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings

SLIDE, MPP = "cmu_small_region", 0.499
SETTINGS = {
    "as shipped, the first of a process": AnalysisSettings(block_px=1024),
    "fast": AnalysisSettings(block_px=1024, tile_px=512, precision="int8"),
    "two looks": AnalysisSettings(block_px=1024, views=2),
    "with all of the glass": AnalysisSettings(block_px=1024, tissue_only=False, quality=False),
}


def measure(name: str, settings: AnalysisSettings) -> None:
    """Analyse the sample and print by how much the time that was said to be left was wrong."""
    reports: list[tuple[float, Progress]] = []
    with tempfile.TemporaryDirectory() as store:
        began = time.monotonic()

        def keep(progress: Progress) -> None:
            reports.append((time.monotonic() - began, progress))

        analyse(sample_path(SLIDE), Path(store), mpp=MPP, settings=settings, report=keep)
        seconds = time.monotonic() - began
    late = [(at, each.seconds_left) for at, each in reports if at >= seconds / 10]
    wrong = [abs((left or 0.0) - (seconds - at)) / (seconds - at) for at, left in late]
    print(
        f"{name}: {seconds:.1f} s, most {max(wrong):.0%} wrong, half of the time {sorted(wrong)[len(wrong) // 2]:.0%}"
    )


def main() -> None:
    """Measure all of them, the shipped settings once more at the end."""
    for name, settings in SETTINGS.items():
        measure(name, settings)
    again = replace(SETTINGS["as shipped, the first of a process"], min_nucleus_um2=8.5)
    measure("as shipped, after others", again)


if __name__ == "__main__":
    main()
