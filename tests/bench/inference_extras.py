"""Each extra of inference on its own, against the settings as they ship.

    python -m tests.bench.inference_extras ../shared/data/monusac/val [--model NAME|FILE] [--card]

Prints a Markdown table of figures and of the time a setting takes against the default's; with
``--card`` the table also stands in the model's card. Choose nothing by it that was not chosen
before looking: eleven images of three patients tell little.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from seg_core.evaluation.card_figures import rounded, write_entry
from seg_core.evaluation.evaluate import evaluate
from seg_core.settings import AnalysisSettings

SHIPPED = AnalysisSettings(precision="fp32")
EXTRAS = {
    "as shipped": SHIPPED,
    "2 views (mirrored)": replace(SHIPPED, views=2),
    "4 views (flips)": replace(SHIPPED, views=4),
    "8 views (flips and turns)": replace(SHIPPED, views=8),
    "overlap 128": replace(SHIPPED, overlap_px=128),
    "overlap 128, 8 views": replace(SHIPPED, overlap_px=128, views=8),
    "tile 512": replace(SHIPPED, tile_px=512),
    "tile 1024": replace(SHIPPED, tile_px=1024),
    "nuclei from 4 µm²": replace(SHIPPED, min_nucleus_um2=4.0),
    "nuclei from 12 µm²": replace(SHIPPED, min_nucleus_um2=12.0),
    "seeds from 0.5 µm²": replace(SHIPPED, min_seed_um2=0.5),
    "seeds from 3 µm²": replace(SHIPPED, min_seed_um2=3.0),
    "growth 1.5 µm": replace(SHIPPED, growth_um=1.5),
    "bf16": replace(SHIPPED, precision="bf16"),
}
FIGURES = {
    "class-mean IoU": ("pixel", "class_mean_iou"),
    "bPQ": ("instance", "bpq"),
    "AJI+": ("instance", "aji_plus"),
    "detection F1": ("instance", "detection_f1"),
    "mPQ+": ("instance", "mpq_plus"),
    "macro F1": ("instance", "macro_f1"),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--card", action="store_true", help="keep the table in the model's card")
    options = parser.parse_args()
    print(f"| setting | {' | '.join(FIGURES)} | time |\n|---{'|---' * (len(FIGURES) + 1)}|")
    rows: dict[str, dict[str, object]] = {}
    first = 0.0
    for name, settings in EXTRAS.items():
        started = time.perf_counter()
        result = evaluate(options.data, options.model, settings)
        seconds = time.perf_counter() - started
        row = {figure: result[part][key] for figure, (part, key) in FIGURES.items()}
        rows[name] = rounded(row) | {"settings": settings.to_json()}
        first = first or seconds
        shown = " | ".join(f"{value:.3f}" for value in row.values())
        print(f"| {name} | {shown} | {seconds / first:.1f}x |")
        sys.stdout.flush()
    if options.card:
        write_entry("inference_extras", rows, options.model)


if __name__ == "__main__":
    main()
