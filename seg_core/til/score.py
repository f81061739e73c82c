"""A score: what it is called, its value with its interval, and how it is computed."""

from dataclasses import asdict, dataclass
from typing import Any

from seg_core.digits import in_digits
from seg_core.til.interval import Estimate


@dataclass(frozen=True, slots=True)
class Formula:
    """How one or more scores are computed.

    Attributes
    ----------
    id : str
        Its key among the ``formulas`` of ``til.json``.
    formula, unit, source : str
        In the reader's words; the unit is that of the first of its scores.
    inputs : dict of float or int or None
        The numbers that go in, by name.
    """

    id: str
    formula: str
    unit: str
    source: str
    inputs: dict[str, float | int | None]

    def to_json(self) -> dict[str, Any]:
        """Return it as it stands in ``til.json``."""
        entries = asdict(self)
        del entries["id"]
        return entries


@dataclass(frozen=True, slots=True)
class Score:
    """One score of an assessment; tables, pages and reports show it as it stands here.

    It has a value or the reason why it has none.

    Attributes
    ----------
    id : str
        Names the score in programs and tables of many slides; does not change with its label.
    label : str
        What the reader calls it.
    estimate : Estimate
        Its value with the 95 % interval, or the reason why either is missing.
    method : Formula
    category : str or None
        The value of a score that is no number.
    other_unit : str or None
        Where it is not that of the formula.
    other_inputs : str or None
        What goes in, in words, where it is not the inputs of the formula.
    """

    id: str
    label: str
    estimate: Estimate
    method: Formula
    category: str | None = None
    other_unit: str | None = None
    other_inputs: str | None = None

    def __post_init__(self) -> None:
        if self.value is None and not self.estimate.reason:
            raise ValueError(
                f"the score {self.id} has neither a value nor a reason why it has none."
            )

    @property
    def value(self) -> float | str | None:
        """The number, or the category; None where it cannot be had."""
        return self.category or self.estimate.value

    @property
    def unit(self) -> str:
        """The unit of the value."""
        return self.method.unit if self.other_unit is None else self.other_unit

    @property
    def formula(self) -> str:
        """How it is computed."""
        return self.method.formula

    @property
    def source(self) -> str:
        """Who has published the formula."""
        return self.method.source

    @property
    def inputs(self) -> str:
        """What goes into the formula, in words."""
        if self.other_inputs is not None:
            return self.other_inputs
        return ", ".join(_in_words(*each) for each in self.method.inputs.items())


_UNITS = {"_mm2": "mm²", "_um": "µm"}


def _in_words(name: str, value: float | None) -> str:
    """Return an input by what it is, with its unit behind the number.

    Examples
    --------
    >>> _in_words("stroma_mm2", 0.5), _in_words("lymphocytes_in_stroma", 12)
    ('stroma 0.5 mm²', 'lymphocytes in stroma 12')
    """
    unit = next((each for each in _UNITS if name.endswith(each)), "")
    what = name.removesuffix(unit).replace("_", " ")
    return f"{what} {in_digits(value, 4)} {_UNITS.get(unit, '')}".rstrip()
