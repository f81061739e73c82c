"""A report as sections and blocks, before anybody has decided what it is written as.

Each way of writing (`seg_core.report.html`, `seg_core.report.pdf`) knows every kind
of block, and no more than that: what a report says stands in `seg_core.report.content` once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import plotly.graph_objects as go

RGB: TypeAlias = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph; what is ``strong`` comes first, in bold letters."""

    kind: ClassVar = "words"
    text: str
    tone: Literal["plain", "note", "warning"] = "note"
    strong: str = ""


@dataclass(frozen=True, slots=True)
class Heading:
    """A smaller heading inside a section, perhaps with the colour of a class before it."""

    kind: ClassVar = "heading"
    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values."""

    kind: ClassVar = "facts"
    rows: Sequence[tuple[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under titles; ``colours`` has one for each row, or nothing at all."""

    kind: ClassVar = "table"
    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[bool]
    """Which columns are numbers, ranged right."""

    widths: Sequence[float]
    """Of the columns, in relation to one another, where they do not find their own."""

    colours: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with what it shows; the legend is words and colours."""

    kind: ClassVar = "picture"
    rgb: RGB
    alt: str
    caption: str
    legend: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """A picture and facts side by side."""

    kind: ClassVar = "beside"
    picture: Picture
    facts: Facts


@dataclass(frozen=True, slots=True)
class Plots:
    """Figures two by two, each with its title."""

    kind: ClassVar = "plots"
    figures: Sequence[tuple[str, "go.Figure"]]


@dataclass(frozen=True, slots=True)
class Crop:
    """A nucleus, cut out."""

    nucleus_id: int
    score: str
    rgb: RGB


@dataclass(frozen=True, slots=True)
class Crops:
    """A row of nuclei."""

    kind: ClassVar = "crops"
    crops: Sequence[Crop]


Block: TypeAlias = Words | Heading | Facts | Table | Picture | Beside | Plots | Crops


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes
    ----------
    title, subtitle : str
    warnings : sequence of str
        Shown before everything else.
    finished : str or None
        When the run was done, ISO 8601.
    sections : sequence of Section
    """

    title: str
    subtitle: str
    warnings: Sequence[str]
    finished: str | None
    sections: Sequence[Section]
