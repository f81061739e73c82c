"""What is measured of a nucleus: name, unit and formula of each measure, for readers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of the nucleus table, as a reader sees it.

    Attributes
    ----------
    column : str
        Its name in the table.
    name : str
    unit : str
        Empty for a plain number.
    meaning : str
        How it is computed, in Markdown.
    digits : int
        Decimals that mean something.
    """

    column: str
    name: str
    unit: str
    meaning: str
    digits: int = 2

    @property
    def title(self) -> str:
        """Name and unit.

        Examples
        --------
        >>> MEASURES["area_um2"].title, MEASURES["solidity"].title
        ('Area, µm²', 'Solidity')
        """
        return f"{self.name}, {self.unit}" if self.unit else self.name


_MEASURES = (
    Measure(
        "class_score",
        "Class score",
        "",
        "how sure the class is, 0 to 1: its probability by the model's context head or by the taught "
        "classifier that named the nucleus; by a model without such a head the share of the class in the "
        "vote of the nucleus' pixels, each weighted with the network's certainty; 1 where somebody named it",
    ),
    Measure("area_um2", "Area", "µm²", "number of pixels × (µm per pixel)²", 1),
    Measure("perimeter_um", "Perimeter", "µm", "length of the outline, by Crofton's formula", 1),
    Measure(
        "major_um", "Long axis", "µm", "major axis of the ellipse with the same second moments", 1
    ),
    Measure("minor_um", "Short axis", "µm", "minor axis of that ellipse", 1),
    Measure("eccentricity", "Eccentricity", "", "√(1 − (short axis / long axis)²), 0 if round"),
    Measure("solidity", "Solidity", "", "area of the outline / area of its convex hull"),
    Measure("circularity", "Circularity", "", "4 π area / perimeter², at most 1"),
    Measure(
        "haematoxylin_od",
        "Haematoxylin",
        "OD",
        "mean optical density of haematoxylin over the pixels, by colour deconvolution with the "
        "standard H&E vectors (Ruifrok and Johnston 2001)",
    ),
    Measure("eosin_od", "Eosin", "OD", "the same for eosin"),
)

MEASURES = {each.column: each for each in _MEASURES}
"""By column of the table."""
