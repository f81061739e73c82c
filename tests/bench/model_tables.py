"""The tables of docs/models.md, out of a model's card: the weights before, where known, and these.

    python -m tests.bench.model_tables [--model NAME | --into-card]

The card holds what ``evaluate --card-entry`` has measured; ``weights/training/first-generation.json``
what the same commands said of the default model's weights before. With ``--into-card`` the latter is kept in the
card too, where the Model page reads it.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from seg_core.evaluation.card_figures import write_entry
from seg_core.model import find_model

BEFORE = Path("weights/training/first-generation.json")
ENTRY = "first_generation"

SETS = {
    "monusac_val": "`monusac/val`, 40x",
    "monusac_val_at_20x": "… shown as 20x (`--reduce 2`)",
    "monusac_val_at_20x_jpeg_50": "… and compressed (`--jpeg 50`)",
    "consep_held_out": "CoNSeP, 40x",
    "consep_held_out_at_20x": "… shown as 20x",
    "lizard_held_out": "Lizard, 20x",
    "kumar_held_out": "Kumar, 40x, no classes",
}
FIGURES = {
    "bPQ": ("instance", "bpq"),
    "detection F1": ("instance", "detection_f1"),
    "F1 epithelial": ("instance", "f1", "epithelial"),
    "F1 lymphocyte": ("instance", "f1", "lymphocyte"),
    "F1 neutrophil": ("instance", "f1", "neutrophil"),
    "mPQ+": ("instance", "mpq_plus"),
}
DOTS = {
    "of the dots called so": "recall",
    "of the nuclei called so with such a dot (a lower bound)": "precision",
    "F1": "f1",
}
OF_DOTS = ("epithelial", "lymphocyte", "other")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into-card", action="store_true")
    parser.add_argument("--model", metavar="NAME", help="instead of the default model")
    options = parser.parse_args()
    if options.model and options.into_card:
        parser.error("only of the default model's weights are figures from before kept.")
    before = {} if options.model else json.loads(BEFORE.read_text(encoding="utf-8"))
    if options.into_card:
        write_entry(ENTRY, before, None)
    now = find_model(options.model)[0].metrics
    print(_by_class(now["monusac_val"]))
    print(_by_set(before, now))
    print(_by_dots(before.get("brca_m2c_held_out"), now["brca_m2c_held_out"]))
    print(_consep(now["consep_held_out"]["instance"]["vote_confusion"]))
    print(_stromal_dots(now["brca_m2c_held_out"]["dots"]["called"]))


def _by_class(entry: dict[str, Any]) -> str:
    classes = ("epithelial", "lymphocyte", "neutrophil", "macrophage")
    pixel, instance = entry["pixel"], entry["instance"]
    interval = entry["interval95"]
    rows = [
        ("reference nuclei", [entry["reference"].get(each) for each in classes], "", ""),
        (
            "IoU of pixels",
            [pixel["iou"][each] for each in classes],
            _three(pixel["iou"]["background"]),
            _with_interval(pixel["class_mean_iou"], interval["pixel"]["class_mean_iou"]),
        ),
        (
            "PQ+",
            [instance["pq_plus"][each] for each in classes],
            "",
            _with_interval(instance["mpq_plus"], interval["instance"]["mpq_plus"]),
        ),
        (
            "F1, found with the right class",
            [instance["f1"][each] for each in classes],
            "",
            _with_interval(instance["macro_f1"], interval["instance"]["macro_f1"]),
        ),
    ]
    lines = ["| `monusac/val` | " + " | ".join(classes) + " | background | mean |"]
    lines.append("|" + "---|" * 7)
    for name, values, background, mean in rows:
        cells = [_three(each) if isinstance(each, float) else str(each) for each in values]
        lines.append(f"| {name} | {' | '.join(cells)} | {background} | {mean} |")
    dice = pixel["ternary_dice"]
    lines.append(
        f"\nTernary Dice inside {_three(dice['inside'])}, boundary {_three(dice['boundary'])}; "
        f"AJI+ {_three(instance['aji_plus'])}; patch-wise {_three(pixel['patch_miou_macro'])}.\n"
    )
    return "\n".join(lines)


def _by_set(before: dict[str, Any], now: dict[str, Any]) -> str:
    lines = ["| set | " + " | ".join(FIGURES) + " |", "|---|" + "---|" * len(FIGURES)]
    for entry, title in SETS.items():
        cells = [_change(before.get(entry), now[entry], path) for path in FIGURES.values()]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _by_dots(before: dict[str, Any] | None, now: dict[str, Any]) -> str:
    lines = [
        "| BRCA-M2C, 20x, against dots | epithelial | lymphocyte | *other* |",
        "|---|---|---|---|",
    ]
    for title, figure in DOTS.items():
        cells = [_change(before, now, ("dots", figure, each)) for each in OF_DOTS]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _consep(confusion: dict[str, Any]) -> str:
    """Say what the nuclei of each class of CoNSeP are called, by their pixels' votes."""
    columns = confusion["columns"]
    said = []
    for name, counts in zip(confusion["rows"], confusion["counts"], strict=True):
        if total := sum(counts):
            shares = [f"{c} {n / total:.0%}" for c, n in zip(columns, counts, strict=True)]
            said.append(f"{name}: {', '.join(shares)}")
    return "CoNSeP, nuclei by the votes of their pixels: " + "; ".join(said)


def _stromal_dots(called: dict[str, Any]) -> str:
    counts = called["counts"][called["rows"].index("other")]
    total = sum(counts)
    shares = [f"{c} {n / total:.1%}" for c, n in zip(called["columns"], counts, strict=True)]
    return "BRCA-M2C, stromal dots: " + ", ".join(shares)


def _change(before: dict[str, Any] | None, now: dict[str, Any], path: tuple[str, ...]) -> str:
    old, new = _at(before, path), _at(now, path)
    if new is None and old is None:
        return ""
    interval = _at(now["interval95"], path)
    earlier = "" if old is None else f"{_three(old)} → "
    return f"{earlier}**{_three(new)}**{_interval(interval)}"


def _at(entry: dict[str, Any] | None, path: tuple[str, ...]) -> Any:
    value: Any = entry
    for each in path:
        value = value.get(each) if isinstance(value, dict) else None
    return value


def _with_interval(value: float | None, interval: list[float] | None) -> str:
    return _three(value) + _interval(interval)


def _interval(interval: list[float] | None) -> str:
    return "" if interval is None else f" ({interval[0]:.2f}–{interval[1]:.2f})"


def _three(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
