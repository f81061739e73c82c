"""What faster settings cost: the same labelled images answered in fp32 and in less."""

from pathlib import Path
from typing import Any

import numpy as np

from seg_core.classes import BACKGROUND
from seg_core.errors import DataError
from seg_core.evaluation.evaluate import evaluate
from seg_core.evaluation.prediction import CLASS_MAPS, TERNARY_MAPS
from seg_core.evaluation.scan import AT_20X
from seg_core.files.temporary import temporary_folder
from seg_core.labelled.layouts import read_labels
from seg_core.model import ModelCard
from seg_core.model.int8 import MOST_LOST_MPQ_PLUS
from seg_core.process.progress import CountCallback
from seg_core.settings import AnalysisSettings

CARD_ENTRY = "faster"
"""Name of these figures among the metrics of a card."""

EXACT = AnalysisSettings(engine="openvino", precision="fp32")
"""What the others are measured against."""


def measure_fast_settings(
    data: Path,
    model: str | None,
    settings: list[AnalysisSettings],
    *,
    report: CountCallback | None = None,
) -> list[dict[str, Any]]:
    """Measure what settings lose against fp32 at tiles of 256 px.

    Parameters
    ----------
    data : Path
        Labelled images with classes, see `read_labelled`.
    model : str or None
    settings : list of AnalysisSettings
    report : callable, optional
        Called with the number of settings done and of all.

    Returns
    -------
    rows : list of dict
        One of each setting, the exact one first: ``precision``, ``tile``, figures (those ending
        in ``_20x`` on the images shown as a scan at 20x), ``mpq_plus_change`` where it is worse of
        40x and 20x, and the shares of pixels with the same class, the same ternary
        value, and the same class among those that either calls a nucleus.

    Raises
    ------
    DataError
        If the images have no classes.
    """
    rows: list[dict[str, Any]] = []
    with temporary_folder() as temporary:
        exact_folder = temporary / "exact"
        for number, each in enumerate([EXACT, *settings]):
            folder = temporary / "faster" if number else exact_folder
            result = evaluate(data, model, each, predictions=folder)
            coarse = evaluate(data, model, each, scanned=AT_20X)
            rows.append(_row(result, each.tile_px) | _agreement(exact_folder, folder, result))
            rows[-1]["mpq_plus_20x"] = coarse["instance"]["mpq_plus"]
            rows[-1] |= _changes(rows[-1], rows[0])
            if report is not None:
                report(number + 1, len(settings) + 1)
    return rows


def _changes(row: dict[str, Any], exact: dict[str, Any]) -> dict[str, float]:
    changes = {
        f"mpq_plus_change_{scan}": row[f"mpq_plus{figure}"] - exact[f"mpq_plus{figure}"]
        for scan, figure in (("40x", ""), ("20x", "_20x"))
    }
    return {**changes, "mpq_plus_change": min(changes.values())}


def _row(result: dict[str, Any], tile_px: int) -> dict[str, Any]:
    if result["instance"]["mpq_plus"] is None:
        raise DataError(
            "mPQ+ is a mean over classes, and these images have none; "
            "give a folder of labelled images with class/."
        )
    return {
        "precision": result["precision"],
        "tile": tile_px,
        "mpq_plus": result["instance"]["mpq_plus"],
        "bpq": result["instance"]["bpq"],
        "class_mean_iou": result["pixel"]["class_mean_iou"],
    }


def _agreement(exact: Path, other: Path, result: dict[str, Any]) -> dict[str, float]:
    """Return the shares of pixels on which two folders of predictions agree."""
    same = {"same_class": 0, "same_ternary": 0, "same_class_of_nuclei": 0}
    pixels = nuclei = 0
    for image in result["per_image"]:
        names = [f"{kind}/{image['name']}.png" for kind in (CLASS_MAPS, TERNARY_MAPS)]
        classes, ternary = (
            np.stack([read_labels(folder / name) for folder in (exact, other)]) for name in names
        )
        equal = np.equal(*classes)
        either = classes.max(axis=0) > BACKGROUND
        pixels += equal.size
        nuclei += int(either.sum())
        same["same_class"] += int(equal.sum())
        same["same_ternary"] += int(np.equal(*ternary).sum())
        same["same_class_of_nuclei"] += int((equal & either).sum())
    return {
        name: count / max(1, nuclei if name == "same_class_of_nuclei" else pixels)
        for name, count in same.items()
    }


def keeps_accuracy(card: ModelCard, precision: str, tile_px: int) -> bool:
    """Tell whether a setting was measured to lose at most half a point of mPQ+ against fp32, at 40x and at 20x."""
    if (precision, tile_px) == (EXACT.precision, EXACT.tile_px):
        return True
    entry = card.metrics.get(CARD_ENTRY, {})
    if entry.get("weights_sha256") != card.sha256:
        return False  # measured with other weights, or not at all
    changes = {(row["precision"], row["tile"]): row["mpq_plus_change"] for row in entry["rows"]}
    change = changes.get((precision, tile_px))
    return change is not None and change >= -MOST_LOST_MPQ_PLUS
