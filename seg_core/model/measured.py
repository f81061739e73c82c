"""What a model card says the model is worth: its figures as tables, its weaknesses as sentences."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.model.card import WEIGHTS_FOLDER, ModelCard
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

OVERALL_OF_DOTS = {
    "detected": "Share of dots that a nucleus finds",
    "detection_f1": "Detection F1 of dots and nuclei",
}
"""Titles of the figures under ``dots``."""

_LEAST_SHARE = 0.1  # of a class's nuclei, for a weakness to be worth a sentence
_FASTER, _VOTES = "faster", "votes"
_NORMAL_95 = 1.959964

FAILURES_ENTRY = "failures"
"""Name of the pictures of what a model does wrong; ``python -m tests.bench.failures`` makes them."""

PRESETS_ENTRY = "presets"
"""Name of what presets cost among the metrics of a card; ``python -m tests.bench.presets`` writes it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture of what a model does wrong.

    Attributes
    ----------
    picture : Path
    words : str
        What is wrong in it.
    credit : str
        Where it comes from, and under which licence.
    """

    picture: Path
    words: str
    credit: str


def known_failures(card: ModelCard, folder: Path | None = None) -> list[Failure]:
    """Return what somebody has found wrong by looking; nothing where that was of other weights.

    Parameters
    ----------
    card : ModelCard
    folder : Path, optional
        Of the pictures, ``weights/failures/`` by default; what is not there is left out.
    """
    entry = card.metrics.get(FAILURES_ENTRY)
    if not entry or entry.get("weights_sha256") != card.sha256:
        return []
    folder = folder or WEIGHTS_FOLDER / "failures"
    found = [
        Failure(folder / Path(each["file"]).name, each["words"], each["credit"])
        for each in entry["pictures"]
    ]
    return [each for each in found if each.picture.is_file()]


def measured_sets(card: ModelCard) -> list[str]:
    """Return the data sets with outlines that the model was measured on, as the card names them."""
    return _sets_with(card, "instance")


def dotted_sets(card: ModelCard) -> list[str]:
    """Return the data sets with dots that the model was measured on, as the card names them."""
    return _sets_with(card, "dots")


def _sets_with(card: ModelCard, part: str) -> list[str]:
    return [
        name
        for name, entry in card.metrics.items()
        if isinstance(entry, dict) and isinstance(entry.get(part), dict)
    ]


def dot_figures_of(card: ModelCard, data: str) -> pd.DataFrame:
    """Return a row for each class that has dots, *other* included.

    Parameters
    ----------
    card : ModelCard
    data : str
        One of `dotted_sets`.

    Returns
    -------
    figures : DataFrame
        ``class_name``, ``dots``, ``called`` (nuclei that the model calls so, with or without a dot),
        and ``recall``, ``precision`` and ``f1``, each with ``_low`` and ``_high``; NaN where there
        is none.
    """
    entry = card.metrics[data]
    table = confusion_table(card, data)
    rows = []
    for name, counts in table.iterrows() if table is not None else ():
        row: dict[str, Any] = {"class_name": name, "dots": int(counts.sum())}
        if not row["dots"]:
            continue
        row["called"] = _at(entry, "dots", "predicted", str(name))
        for key in ("recall", "precision", "f1"):
            low, high = _at(entry, "interval95", "dots", key, str(name)) or (None, None)
            row |= {key: _at(entry, "dots", key, str(name)), f"{key}_low": low, f"{key}_high": high}
        rows.append(row)
    figures = ("recall", "precision", "f1")
    columns = [f"{each}{end}" for each in figures for end in ("", "_low", "_high")]
    made = pd.DataFrame(rows, columns=["class_name", "dots", "called", *columns])
    return made.astype(dict.fromkeys(columns, np.float64))


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
    """Return a row for each figure that is not of one class: title, value, low and high."""
    entry = card.metrics[data]
    rows = []
    titles = [("instance", key, title) for key, title in OVERALL.items()]
    titles += [("dots", key, title) for key, title in OVERALL_OF_DOTS.items()]
    for part, key, title in titles:
        value = _at(entry, part, key)
        if value is not None:
            low, high = _at(entry, "interval95", part, key) or (None, None)
            rows.append((title, value, low, high))
    table = pd.DataFrame(rows, columns=["figure", "value", "low", "high"])
    return table.astype(dict.fromkeys(("value", "low", "high"), np.float64))


def confusion_table(card: ModelCard, data: str) -> pd.DataFrame | None:
    """Return the nuclei by what they are (rows) and what they are called; None without classes."""
    entry = card.metrics[data]
    confusion = _at(entry, "instance", "confusion") or _at(entry, "dots", "called")
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
        total = sum(nuclei[name].values())
        if not total and "spurious" not in nuclei:
            continue  # nobody set dots on such nuclei
        if not total:
            spurious = nuclei["spurious"][name]
            yield (
                f"{name.capitalize()}: none in the reference, so nothing is known; "
                f"{spurious:,} were called so where nothing is outlined."
            )
            continue
        shares = {other: count / total for other, count in nuclei[name].items() if other != name}
        said = [
            f"{100 * share:.0f} % {'are missed' if other == 'missed' else f'are called {other}'}"
            for other, share in sorted(shares.items(), key=lambda each: -each[1])
            if share >= _LEAST_SHARE
        ]
        if total < FEW_NUCLEI:
            said.append("so few that the figures are a hint only")
        if said:
            yield f"{name.capitalize()} ({total:,} nuclei): {', '.join(said)}."


def speed_table(card: ModelCard) -> pd.DataFrame | None:
    """Return what faster settings cost, a row for each; None where nobody measured it.

    ``precision``, ``tile``; ``mpq_plus`` and ``mpq_plus_change_40x`` against fp32 at tiles of 256 px,
    and both on the same images shown as a scan at 20x; ``same_class``, the share of pixels that keep
    their class. None also where the figures are those of other weights; NaN what an older card lacks.
    """
    entry = card.metrics.get(_FASTER)
    if not entry or entry.get("weights_sha256") != card.sha256:
        return None
    figures = ["mpq_plus", "mpq_plus_change_40x", "mpq_plus_20x", "mpq_plus_change_20x"]
    columns = ["precision", "tile", *figures, "same_class"]
    return pd.DataFrame(entry["rows"]).reindex(columns=columns)


def reliability(card: ModelCard, data: str) -> pd.DataFrame:
    """Return how often nuclei of a class score are called rightly, a row for a bin of the score.

    Parameters
    ----------
    card : ModelCard
    data : str
        One of `reliability_sets`.

    Returns
    -------
    bins : DataFrame
        ``from``, ``to``, ``nuclei``, their mean ``score``, the share that is ``right``, and ``low``
        and ``high`` of its 95 % interval (Wilson 1927), as if nuclei were independent.
    """
    votes = card.metrics[_VOTES][data]
    when = "before" if card.scheme.votes is None else "after"
    table = pd.DataFrame(votes[when]["reliability"])
    low, high = wilson_interval(table["right"].to_numpy(float), table["nuclei"].to_numpy(float))
    return table.assign(low=low, high=high)


def reliability_sets(card: ModelCard) -> dict[str, float]:
    """Return the data sets that scores were checked on, each with its expected calibration error.

    That is the mean distance of score and share that is right, over bins of the score (Naeini et
    al. 2015).
    """
    when = "before" if card.scheme.votes is None else "after"
    votes = card.metrics.get(_VOTES) or {}
    return {name: float(each[when]["error"]) for name, each in votes.items()}


def wilson_interval(
    share: npt.NDArray[np.float64], count: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the 95 % interval of shares of counts (Wilson 1927).

    Examples
    --------
    >>> low, high = wilson_interval(np.array([0.5]), np.array([10.0]))
    >>> f"{low[0]:.3f} {high[0]:.3f}"
    '0.237 0.763'
    """
    square = _NORMAL_95**2 / count
    middle = (share + square / 2) / (1 + square)
    reach = _NORMAL_95 / (1 + square) * np.sqrt(share * (1 - share) / count + square / (4 * count))
    return middle - reach, middle + reach


def training_log(card: ModelCard, folder: Path | None = None) -> pd.DataFrame | None:
    """Return the log of a model's training, all stages one after the other.

    Parameters
    ----------
    card : ModelCard
    folder : Path, optional
        Of the logs, each under the name of its stage.

    Returns
    -------
    log : DataFrame or None
        As the stages' CSV; ``stage`` is the name of each and ``step`` goes on from one to the next.
        None where the card names no stages, or their logs are not there.
    """
    stages = _at(card.metrics, "training", "stages") or []
    folder = folder or WEIGHTS_FOLDER / "training"
    logs, done = [], 0
    for stage in stages:
        path = folder / f"{str(stage).partition(':')[0]}.csv"
        if not path.is_file():
            return None
        log = pd.read_csv(path)
        if log.empty:
            continue
        logs.append(log.assign(stage=path.stem, step=log["step"] + done))
        done = int(logs[-1]["step"].max())
    return pd.concat(logs, ignore_index=True) if logs else None


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
