"""How right the time left is while a slide is analysed; records what the tests replay.

    python -m tests.bench.time_left [--out tests/seg_core/process/recorded_runs.json]

Analyses a sample in several ways, each in a process's first and, where nuclei have been found
before, in a later one, and prints by how much the time that was said to be left was wrong after
the first tenth.
"""

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from seg_core import analysis
from seg_core.analysis import analyse
from seg_core.nuclei import work_by_block
from seg_core.process.progress import Progress
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.slide import find_tissue
from seg_core.subject import opened

SLIDE, MPP = "cmu_small_region", 0.499
SETTINGS = {
    "as shipped, the first of a process": AnalysisSettings(block_px=1024),
    "fast": AnalysisSettings(block_px=1024, tile_px=512, precision="int8"),
    "two looks": AnalysisSettings(block_px=1024, views=2),
    "with all of the glass": AnalysisSettings(block_px=1024, tissue_only=False, quality=False),
}


def record(name: str, settings: AnalysisSettings) -> dict[str, Any]:
    """Analyse the sample and return when which part of it was done."""
    path = sample_path(SLIDE)
    with opened(path, mpp=MPP, settings=settings) as subject:
        tissue = find_tissue(subject.slide) if settings.tissue_only else None
        raster = subject.question.raster
        work = work_by_block(
            subject.question,
            None if tissue is None else lambda core: tissue.touches(raster, core),
        )
    cost = analysis._finding_nuclei.seconds_each
    reports: list[tuple[float, Progress]] = []
    with tempfile.TemporaryDirectory() as store:
        began = time.monotonic()

        def keep(progress: Progress) -> None:
            reports.append((time.monotonic() - began, progress))

        analyse(path, Path(store), mpp=MPP, settings=settings, report=keep)
        seconds = time.monotonic() - began
    stages = {
        stage: {
            "total": next(each.total for _, each in reports if each.stage == stage),
            "reports": [(round(at, 3), each.done) for at, each in reports if each.stage == stage],
        }
        for stage in ("tiles", "nuclei")
    }
    late = [(at, each.seconds_left) for at, each in reports if at >= seconds / 10]
    wrong = [abs((left or 0.0) - (seconds - at)) / (seconds - at) for at, left in late]
    print(
        f"{name}: {seconds:.1f} s, most {max(wrong):.0%} wrong, half of the time {sorted(wrong)[len(wrong) // 2]:.0%}"
    )
    return {"name": name, "seconds": round(seconds, 3), "cost": cost, "work": work, **stages}


def main() -> None:
    """Record all of them, the shipped settings once more at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    recorded = [record(name, settings) for name, settings in SETTINGS.items()]
    again = replace(SETTINGS["as shipped, the first of a process"], min_area_um2=8.5)
    recorded.append(record("as shipped, after others", again))
    if out is not None:
        lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in recorded)
        out.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
