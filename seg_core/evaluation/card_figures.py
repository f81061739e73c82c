"""Figures that stand in a model's card, with the command that prints them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from seg_core.model.card import find_model, write_card

_DIGITS = 4
_KEPT = (
    *("images", "patients", "reference", "pixel", "instance", "dots", "interval95"),
    *("bootstrap", "protocol", "scanned", "precision", "settings"),
)
_PERSONAL = "engine"  # which runtime a machine has says nothing of the model


def keep_in_card(entry: str, command: str, result: dict[str, Any], model: str | None) -> Path:
    """Write what ``evaluate`` has measured into the model's card, in place of an older entry.

    Parameters
    ----------
    entry : str
        Name among the card's metrics.
    command : str
        What prints these figures again.
    result : dict
        As ``evaluate`` gives it.
    model : str or None
        As it was given to ``evaluate``.

    Returns
    -------
    path : Path
        Of the card.
    """
    figures = {name: rounded(result[name]) for name in _KEPT if name in result}
    figures["settings"].pop(_PERSONAL)
    return write_entry(entry, {"command": command, **figures}, model)


def write_entry(entry: str, value: Any, model: str | None) -> Path:
    """Write one entry of the metrics of a model's card; the other entries stay."""
    card, weights = find_model(model)
    path = weights.with_suffix(".json")
    write_card(replace(card, metrics={**card.metrics, entry: value}), path)
    return path


def rounded(value: Any) -> Any:
    """Return figures with four digits behind the point, whatever they are nested in.

    Examples
    --------
    >>> rounded({"bpq": 0.123456, "images": 3, "interval": [0.1, None]})
    {'bpq': 0.1235, 'images': 3, 'interval': [0.1, None]}
    """
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, _DIGITS) if isinstance(value, float) else value
