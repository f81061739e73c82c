"""What a model card says the model is worth: its figures as tables, its weaknesses as sentences."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from seg_core.model.card import ModelCard
from seg_core.settings import PRESETS, PresetName

FEW_NUCLEI = 50
"""With fewer reference nuclei of a class its figures are a hint only."""

OVERALL = {
    "bpq": "bPQ, mean over images",
    "bpq_plus": "bPQ+, pooled",
    "aji": "AJI",
    "aji_plus": "AJI+",
    "detection_f1": "Detection F1 within 3 µm, greatest matching",
    "detection_f1_hovernet": "Detection F1 within 3 µm, as HoVer-Net pairs",
    "mpq_plus": "mPQ+, mean over classes",
    "macro_f1": "Macro F1, mean over classes",
}
"""Titles of the figures of all nuclei, by their keys under ``instance``."""

_LEAST_SHARE = 0.1  # of a class's nuclei, for a weakness to be worth a sentence
_FASTER = "faster"

PRESETS_ENTRY = "presets"
"""Name of what presets cost among the metrics of a card; ``python -m tests.bench.presets`` writes it."""


def measured_sets(card: ModelCard) -> list[str]:
    """Return the data sets that the model was measured on, as the card names them."""
    return [
        name
        for name, entry in card.metrics.items()
        if isinstance(entry, dict) and isinstance(entry.get("instance"), dict)
    ]


def class_figures(card: ModelCard, data: str) -> pd.DataFrame:
    """Return a row for each class of the scheme.

    Parameters
    ----------
    card : ModelCard
    data : str
        One of `measured_sets`.

    Returns
    -------
    figures : DataFrame
        ``class_name``, ``nuclei`` in the reference, and ``pq_plus``, ``f1`` and ``iou``, each with
        ``_low`` and ``_high`` of its 95 % interval. What cannot be had is NaN: all figures of a
        class that the reference does not have, whatever an older card says of it.
    """
    entry = card.metrics[data]
    counts, intervals = entry.get("reference", {}), entry.get("interval95", {})
    rows = []
    for name in card.scheme.names:
        row: dict[str, Any] = {"class_name": name, "nuclei": counts.get(name)}
        for key, part in (("pq_plus", "instance"), ("f1", "instance"), ("iou", "pixel")):
            known = row["nuclei"] != 0
            value = _at(entry, part, key, name) if known else None
            low, high = (_at(intervals, part, key, name) if known else None) or (None, None)
            row |= {key: value, f"{key}_low": low, f"{key}_high": high}
        rows.append(row)
    table = pd.DataFrame(rows)
    return table.astype({name: np.float64 for name in table.columns if name != "class_name"})


def overall_figures(card: ModelCard, data: str) -> pd.DataFrame:
    """Return a row for each figure of `OVERALL` that the card has: title, value, low and high."""
    entry = card.metrics[data]
    rows = []
    for key, title in OVERALL.items():
        value = _at(entry, "instance", key)
        if value is not None:
            low, high = _at(entry.get("interval95", {}), "instance", key) or (None, None)
            rows.append((title, value, low, high))
    table = pd.DataFrame(rows, columns=["figure", "value", "low", "high"])
    return table.astype(dict.fromkeys(("value", "low", "high"), np.float64))


def confusion_table(card: ModelCard, data: str) -> pd.DataFrame | None:
    """Return the nuclei by what they are (rows) and what they are called; None without classes."""
    confusion = card.metrics[data]["instance"].get("confusion")
    if confusion is None:
        return None
    return pd.DataFrame(
        confusion["counts"],
        index=pd.Index(confusion["rows"], name="reference"),
        columns=pd.Index(confusion["columns"], name="predicted"),
    )


def weaknesses(card: ModelCard, data: str) -> Iterator[str]:
    """Say in words what the confusion of nuclei shows, class by class.

    Yields
    ------
    sentence : str
        On classes with few nuclei, what is missed, and what is most often taken for what.
    """
    table = confusion_table(card, data)
    if table is None:
        yield "The reference has no classes, so nothing is known of them here."
        return
    nuclei = {str(name): row for name, row in table.to_dict("index").items()}
    for name in card.scheme.names:
        total, spurious = sum(nuclei[name].values()), nuclei["spurious"][name]
        if not total:
            yield (
                f"{name.capitalize()}: none in the reference, so nothing is known; "
                f"{spurious:,} were called so where nothing is outlined."
            )
            continue
        shares = {other: count / total for other, count in nuclei[name].items() if other != name}
        said = [
            f"{share:.0%} {'are missed' if other == 'missed' else f'are called {other}'}"
            for other, share in sorted(shares.items(), key=lambda each: -each[1])
            if share >= _LEAST_SHARE
        ]
        if total < FEW_NUCLEI:
            said.append("so few that the figures are a hint only")
        if said:
            yield f"{name.capitalize()} ({total:,} nuclei): {', '.join(said)}."


def speed_table(card: ModelCard) -> pd.DataFrame | None:
    """Return what faster settings cost, a row for each; None where nobody measured it.

    ``precision``, ``tile``, ``mpq_plus``, ``mpq_plus_change`` against fp32 at tiles of 256 px, and
    ``same_class``, the share of pixels that keep their class. None also where the figures are those
    of other weights.
    """
    entry = card.metrics.get(_FASTER)
    if not entry or entry.get("weights_sha256") != card.sha256:
        return None
    columns = ["precision", "tile", "mpq_plus", "mpq_plus_change", "same_class"]
    return pd.DataFrame(entry["rows"])[columns]


def preset_table(card: ModelCard) -> pd.DataFrame | None:
    """Return what presets cost, a row for each; None where nobody measured it with these weights.

    ``title``; ``time``, as a multiple of the first preset's; ``mpq_plus`` and ``macro_f1``, and both
    on the same images shown as a scan at 20x (``_20x``).
    """
    entry = card.metrics.get(PRESETS_ENTRY)
    if not entry or entry.get("weights_sha256") != card.sha256:
        return None
    figures = ["mpq_plus", "macro_f1", "mpq_plus_20x", "macro_f1_20x"]
    rows = [row for row in entry["rows"] if row["preset"] in PRESETS]
    table = pd.DataFrame(rows, columns=["preset", "time", *figures])
    table.insert(0, "title", [PRESETS[row["preset"]].title for row in rows])
    return table.set_index("preset")


def preset_in_words(card: ModelCard | None, name: PresetName) -> str:
    """Return what a preset does, and what it costs where that was measured, as one sentence."""
    words = PRESETS[name].words.capitalize()
    table = None if card is None else preset_table(card)
    if table is None or name not in table.index:
        return f"{words}."
    row = table.loc[name]
    first = next(iter(PRESETS.values()))
    time = "" if name == first.name else f"{row['time']:.2g} times the time of {first.title}, "
    return (
        f"{words}: {time}mPQ+ {row['mpq_plus']:.3f} and macro F1 {row['macro_f1']:.3f} at 40x, "
        f"{row['mpq_plus_20x']:.3f} and {row['macro_f1_20x']:.3f} at 20x."
    )


def _at(entry: Any, *path: str) -> Any:
    for name in path:
        entry = entry.get(name) if isinstance(entry, dict) else None
    return entry
