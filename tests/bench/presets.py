"""What each preset costs in time, and what it gains or loses in accuracy, at 40x and at 20x.

    python -m tests.bench.presets [--data DIR] [--model NAME|FILE] [--side PX] [--rounds N] [--card]

Time is that of whole analyses of a square of dense tissue, nuclei included, the presets in turns, as
medians and as multiples of the first preset's; leave the machine alone meanwhile. Accuracy is that of
labelled images, as they are (40x) and halved (20x). Prints a Markdown table; with ``--card`` it also
stands in the model's card, where the Viewer page and the documents read it.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from seg_core.bench.measure import timed_analysis
from seg_core.bench.region import write_region
from seg_core.evaluation.card_figures import rounded, write_entry
from seg_core.evaluation.evaluate import evaluate
from seg_core.evaluation.scan import AT_20X, SAME_SCAN
from seg_core.model import find_model, suits_int8
from seg_core.model.measured import PRESETS_ENTRY
from seg_core.settings import PRESETS, AnalysisSettings, PresetName

_DATA = Path("../shared/data/monusac/val")
_UM2_PER_MM2 = 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=_DATA)
    parser.add_argument("--model")
    parser.add_argument("--side", metavar="PX", type=int, default=4096)
    parser.add_argument("--rounds", metavar="N", type=int, default=3)
    parser.add_argument("--card", action="store_true", help="keep the table in the model's card")
    options = parser.parse_args()
    card, _ = find_model(options.model)
    settings = {
        name: preset.applied(AnalysisSettings(), int8=suits_int8(card))
        for name, preset in PRESETS.items()
    }
    seconds = _seconds(settings, options, card.mpp)
    first = next(iter(seconds.values()))
    mm2 = (options.side * card.mpp) ** 2 / _UM2_PER_MM2
    rows: list[dict[str, Any]] = []
    print("| preset | time | s/mm² | mPQ+ 40x | macro F1 40x | mPQ+ 20x | macro F1 20x |")
    print("|---|---|---|---|---|---|---|")
    for name, each in settings.items():
        figures: dict[str, float] = {}
        for suffix, scan in (("", SAME_SCAN), ("_20x", AT_20X)):
            found = evaluate(options.data, options.model, each, scanned=scan)["instance"]
            figures |= {f"{key}{suffix}": found[key] for key in ("mpq_plus", "macro_f1")}
        time = seconds[name] / first
        rows.append({"preset": name, "time": time, **figures, "settings": each.to_json()})
        shown = [f"{time:.2f}x", f"{seconds[name] / mm2:.1f}"]
        shown += [f"{value:.3f}" for value in figures.values()]
        print(f"| {PRESETS[name].title} | {' | '.join(shown)} |", flush=True)
    if options.card:
        entry = {
            "command": "python -m tests.bench.presets --card",
            "data": "/".join(options.data.resolve().parts[-2:]),
            "weights_sha256": card.sha256,
            "rows": rounded(rows),
        }
        write_entry(PRESETS_ENTRY, entry, options.model)


def _seconds(
    settings: dict[PresetName, AnalysisSettings], options: argparse.Namespace, mpp: float
) -> dict[PresetName, float]:
    """Return the median time of an analysis with each, none of them sparing glass."""
    times: dict[PresetName, list[float]] = {name: [] for name in settings}
    with tempfile.TemporaryDirectory() as temporary:
        region = write_region(Path(temporary) / "region.tif", options.side, mpp)
        for number in range(options.rounds):
            for name, each in settings.items():
                folder = Path(temporary) / f"{name}-{number}"
                timed = timed_analysis(region, options.model, each, folder)
                times[name].append(timed.maps + timed.nuclei)
    return {name: median(each) for name, each in times.items()}


if __name__ == "__main__":
    main()
