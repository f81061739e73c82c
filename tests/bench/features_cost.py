"""What the features of nuclei cost: processor time of an analysis with and without, and bytes.

    python -m tests.bench.features_cost [--precision bf16 int8] [--repeats N]

The sample slide is analysed with and without features in turns; the smallest processor time of each
counts, since whatever else runs on the machine only adds to it.
"""

import argparse
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import pyarrow.parquet as pq

from seg_core import analysis, subject
from seg_core.geometry import Region
from seg_core.model import Engine, ModelCard, make_engine
from seg_core.model.lender import EngineLender
from seg_core.nuclei.nucleus_table import FEATURES
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings

_REGION = Region(700, 600, 1024, 1400)


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", nargs="+", default=["bf16", "int8"])
    parser.add_argument("--repeats", type=int, default=4)
    options = parser.parse_args()
    print("| precision | without, s | with, s | more | bytes a nucleus |")
    print("|---|---|---|---|---|")
    for precision in options.precision:
        settings = AnalysisSettings(precision=precision)
        seconds: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(options.repeats):
            for features in (False, True):
                taken, size = _seconds(settings, features)
                seconds[features].append(taken)
        without, with_features = min(seconds[False]), min(seconds[True])
        print(
            f"| {precision} | {without:.2f} | {with_features:.2f} "
            f"| {with_features / without - 1:+.1%} | {size:.0f} |",
            flush=True,
        )


def _seconds(settings: AnalysisSettings, features: bool) -> tuple[float, float]:
    """Analyse once, the model being loaded before; return processor seconds and bytes a nucleus."""

    def make(card: ModelCard, weights: Path, asked: AnalysisSettings) -> Engine:
        engine = make_engine(card, weights, asked)
        if not features:
            engine.feature_count = 0
        return engine

    with (
        patch.object(subject, "make_engine", make),
        patch.object(subject, "_engines", EngineLender()),
        tempfile.TemporaryDirectory() as folder,
    ):
        slide, store = sample_path("cmu_small_region"), Path(folder)
        first = Region(_REGION.x, _REGION.y, 600, 600)
        analysis.analyse(slide, store, region=first, settings=settings)
        began = time.process_time()
        run = analysis.analyse(slide, store, region=_REGION, settings=settings)
        seconds = time.process_time() - began
        metadata = pq.read_metadata(run.path / "nuclei.parquet")
    columns = [
        group.column(number)
        for group in (metadata.row_group(k) for k in range(metadata.num_row_groups))
        for number in range(group.num_columns)
    ]
    size = sum(
        column.total_compressed_size
        for column in columns
        if column.path_in_schema.startswith(FEATURES)
    )
    return seconds, size / max(metadata.num_rows, 1)


if __name__ == "__main__":
    main()
