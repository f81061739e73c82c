"""A TIL assessment as tables: the scores with their formulas, and the curves of its plots."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pandas as pd

from seg_core.til.bootstrap import Estimate
from seg_core.til.result import TilResult

TABLE_COLUMNS = ("score", "value", "low", "high", "unit", "note", "formula", "source", "inputs")
"""Of `score_table`; ``note`` is the reason where a value or its interval is missing."""


def score_table(result: TilResult) -> pd.DataFrame:
    """Return a row for each score.

    Parameters
    ----------
    result : TilResult

    Returns
    -------
    table : DataFrame
        With `TABLE_COLUMNS`; ``low`` and ``high`` are the ends of the 95 % interval, ``inputs``
        the numbers that go into the formula, as text.
    """
    return pd.DataFrame(list(_rows(result)), columns=list(TABLE_COLUMNS))


def dilation_table(result: TilResult) -> pd.DataFrame:
    """Return the area score at each dilation."""
    columns = ["dilation_um", "stil_area_pct", "epithelium_mm2", "stroma_mm2"]
    return pd.DataFrame([asdict(each) for each in result.sensitivity], columns=columns)


def cross_table(result: TilResult) -> pd.DataFrame:
    """Return cross-type L and G with their envelopes, a row for each radius."""
    names = ("radius_um", "l_um", "l_low_um", "l_high_um", "g", "g_low", "g_high")
    columns = {name: pd.Series(getattr(result.cross, name), dtype=float) for name in names}
    return pd.DataFrame(columns)


def in_digits(value: str | float | None) -> str:
    """Return a number with three digits that count, a word as it is, a dash for nothing.

    Examples
    --------
    >>> in_digits(1234.5), in_digits(0.012345), in_digits(None), in_digits("desert")
    ('1,234', '0.0123', '–', 'desert')
    """
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _rows(result: TilResult) -> Iterator[dict[str, Any]]:
    yield _row(result, "sTIL area", "stil_area_pct", result.stil_area_pct)
    yield _row(result, "TIGER-style", "tiger_til", _plain(result, result.tiger_til))
    for name, estimate in result.density_per_mm2.items():
        yield _row(result, f"Lymphocytes in {name}", "density_per_mm2", estimate)
    yield _row(result, "eTILs", "etils_pct", _plain(result, result.etils_pct))
    ratio = _plain(result, result.intraepithelial_ratio)
    yield _row(result, "Intraepithelial ratio", "intraepithelial_ratio", ratio)
    phenotype = result.phenotype
    yield {
        **_row(result, "Immune phenotype", "phenotype", Estimate(None, reason=phenotype.reason)),
        "value": phenotype.name,
        "inputs": f"valid squares {phenotype.valid_squares}, inflamed {phenotype.inflamed}, "
        f"excluded {phenotype.excluded}, desert {phenotype.desert}",
    }
    for each in result.morisita_horn:
        yield {
            **_row(
                result,
                f"Morisita-Horn, {each.square_um:g} µm",
                "morisita_horn",
                _plain(result, each.value),
            ),
            "inputs": f"squares {each.squares}, Poisson scatter would give {_number(each.expected)}",
        }
    hotspots = result.hotspots
    for label, value in (
        ("Hotspots of lymphocytes, share of squares", hotspots.lymphocyte_share),
        ("Hotspots of epithelium, share of squares", hotspots.epithelial_share),
        ("Hotspots of both, share of those of lymphocytes", hotspots.both_of_lymphocyte),
        ("Hotspots of both, share of those of epithelium", hotspots.both_of_epithelial),
    ):
        row = _row(result, label, "hotspots", Estimate(value, reason=hotspots.reason))
        yield {**row, "unit": "0 to 1", "inputs": f"squares {hotspots.squares}"}
    distances = result.distances
    yield _row(result, "Distance to epithelium, median", "distances", Estimate(distances.median_um))
    for near, share in (distances.share_within or {}).items():
        row = _row(result, f"Lymphocytes within {near} µm", "distances", Estimate(share))
        yield {**row, "unit": "0 to 1"}
    for name in sorted({"macrophage", "neutrophil"} & result.counts.keys()):
        lymphocytes = result.counts["lymphocyte"]
        per = result.counts[name] / lymphocytes if lymphocytes else None
        row = _row(result, f"{name.capitalize()}s per lymphocyte", "composition", Estimate(per))
        yield {**row, "unit": "ratio"}


def _plain(result: TilResult, value: float | None) -> Estimate:
    return Estimate(value, reason=result.reason)


def _row(result: TilResult, label: str, name: str, estimate: Estimate) -> dict[str, Any]:
    formula = result.formulas[name]
    return {
        "score": label,
        "value": estimate.value,
        "low": estimate.low,
        "high": estimate.high,
        "unit": formula.unit,
        "note": estimate.reason or "",
        "formula": formula.formula,
        "source": formula.source,
        "inputs": ", ".join(
            f"{key.replace('_', ' ')} {_number(value)}" for key, value in formula.inputs.items()
        ),
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}" if isinstance(value, float) else f"{value:,}"
