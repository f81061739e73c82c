"""The JSON of an evaluation as tables for people: on the page, in files and in the report."""

from typing import Any

import pandas as pd

from seg_core.evaluation.dots import MISSED
from seg_core.minus import with_minus

OVERALL = {
    ("instance", "bpq"): "PQ, whatever the class (bPQ)",
    ("instance", "detection_f1"): "Detection F1, 3 µm",
    ("instance", "detection_f1_hovernet"): "Detection F1 as HoVer-Net pairs",
    ("instance", "aji"): "AJI",
    ("instance", "aji_plus"): "AJI+",
    ("instance", "mpq_plus"): "PQ, mean over classes (mPQ+)",
    ("instance", "macro_f1"): "F1, mean over classes",
    ("pixel", "class_mean_iou"): "IoU of pixels, mean over classes",
    ("dots", "detected"): "Share of dots that were found",
    ("dots", "detection_f1"): "Detection F1, 3 µm",
}
"""Figures that are not of one class, by their place in the JSON, and how people call them."""

BY_CLASS = {
    ("instance", "f1"): "F1",
    ("instance", "class_detection_f1"): "Detection F1",
    ("instance", "pq_plus"): "PQ+",
    ("pixel", "iou"): "IoU of pixels",
    ("dots", "f1"): "F1",
    ("dots", "recall"): "Recall",
    ("dots", "precision"): "Precision",
}
"""Figures of each class."""


def overall_table(result: dict[str, Any], intervals: dict[str, Any] | None = None) -> pd.DataFrame:
    """Return a row for each figure that is not of one class.

    Parameters
    ----------
    result : dict
        As ``evaluate`` gives it, or differences of two.
    intervals : dict, optional
        Instead of those in ``result``.

    Returns
    -------
    table : DataFrame
        ``figure``, ``value``, ``low``, ``high``; NaN where it cannot be had.
    """
    intervals = result.get("interval95", {}) if intervals is None else intervals
    rows = []
    for (kind, name), words in OVERALL.items():
        if kind in result and name in result[kind]:
            low, high = _ends(intervals.get(kind, {}).get(name))
            rows.append((words, _number(result[kind][name]), low, high))
    return pd.DataFrame(rows, columns=["figure", "value", "low", "high"])


def class_table(result: dict[str, Any]) -> pd.DataFrame:
    """Return a row for each class and figure: what people ask of a class.

    Returns
    -------
    table : DataFrame
        ``class_name``, ``reference`` and ``predicted`` (nuclei), ``figure``, ``value``, ``low``,
        ``high``, ``spurious``; NaN where a figure cannot be had, as of a class that the reference
        does not have.
    """
    confusion = confusion_table(result)
    rows = []
    for (kind, figure), words in BY_CLASS.items():
        for name, value in (result.get(kind, {}).get(figure) or {}).items():
            if confusion is None or name not in confusion.index:
                continue
            low, high = _ends((result["interval95"].get(kind, {}).get(figure) or {}).get(name))
            counted = int(confusion.loc[name].sum()), _predicted(result, confusion, name)
            spurious = (result.get("instance", {}).get("spurious") or {}).get(name)
            rows.append((name, *counted, words, _number(value), low, high, spurious))
    columns = ["class_name", "reference", "predicted", "figure", "value", "low", "high", "spurious"]
    return pd.DataFrame(rows, columns=columns)


def _predicted(result: dict[str, Any], confusion: pd.DataFrame, name: str) -> int:
    of_dots = result.get("dots", {}).get("predicted")
    return int(confusion[name].sum() if of_dots is None else of_dots[name])


def confusion_table(result: dict[str, Any]) -> pd.DataFrame | None:
    """Return nuclei by what they are (rows) and what they are called; None without classes.

    Of dots the row *spurious* holds the nuclei that no dot finds.
    """
    if "dots" in result:
        dots = result["dots"]
        told = dots["called"]
        table = pd.DataFrame(told["counts"], index=told["rows"], columns=told["columns"])
        found = table.sum()
        table.loc["spurious"] = [
            0 if name == MISSED else dots["predicted"][name] - int(found[name])
            for name in table.columns
        ]
        return table
    confusion = result["instance"]["confusion"]
    if confusion is None:
        return None
    return pd.DataFrame(confusion["counts"], index=confusion["rows"], columns=confusion["columns"])


def area_table(result: dict[str, Any]) -> pd.DataFrame:
    """Return the areas, or images, with their figures, the worst first.

    Returns
    -------
    table : DataFrame
        ``name`` and figures; sorted by PQ, or by detection F1 where there are dots.
    """
    parts = result["per_image"] if "images" in result else result["per_area"]
    kept = ("name", "bpq", "aji_plus", "detection_f1", "mpq_plus", "class_mean_iou", "detected")
    rows = [{key: each[key] for key in kept if key in each} for each in parts]
    table = pd.DataFrame(rows)
    by = "bpq" if "bpq" in table else "detection_f1"
    return table.astype({name: float for name in table.columns if name != "name"}).sort_values(
        by, na_position="last", ignore_index=True
    )


def in_words(value: float, low: float, high: float, *, signed: bool = False) -> str:
    """Return a figure with its interval as it stands in a table.

    Examples
    --------
    >>> in_words(0.5, 0.25, 0.75), in_words(0.5, float("nan"), float("nan"))
    ('0.500 (0.25–0.75)', '0.500')
    >>> in_words(float("nan"), 0, 0), in_words(0.5, -0.25, 0.75, signed=True)
    ('–', '+0.500 (−0.25 to +0.75)')
    """
    sign, to = ("+", " to ") if signed else ("", "–")
    if pd.isna(value):
        return "–"
    if pd.isna(low):
        return with_minus(f"{value:{sign}.3f}")
    return with_minus(f"{value:{sign}.3f} ({low:{sign}.2f}{to}{high:{sign}.2f})")


def figures_in_words(table: pd.DataFrame, *, signed: bool = False) -> list[str]:
    """Return each row of a table with ``value``, ``low`` and ``high`` in words."""
    rows = table[["value", "low", "high"]].to_numpy(dtype=float).tolist()
    return [in_words(value, low, high, signed=signed) for value, low, high in rows]


def class_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row for each class as people read it: nuclei on both sides, then figures in words."""
    table = class_table(result)
    rows = []
    for name, figures in table.groupby("class_name", sort=False):
        first = figures.iloc[0]
        rows.append(
            {
                "Class": str(name),
                "Reference": int(first["reference"]),
                "Found": int(first["predicted"]),
                **dict(zip(figures["figure"], figures_in_words(figures), strict=True)),
            }
        )
    return rows


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _ends(interval: list[float] | None) -> tuple[float, float]:
    return (float("nan"), float("nan")) if interval is None else (interval[0], interval[1])
