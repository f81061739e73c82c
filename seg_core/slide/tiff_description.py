"""The size of a pixel as the descriptions of OME-TIFF and ImageJ tell it."""

import math
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

_MICRO_SIGNS = ("\u00b5", "\u03bc")  # the micro sign and the Greek letter

_MICROMETRES = {
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometre"), 1.0),
    **{f"{sign}m": 1.0 for sign in _MICRO_SIGNS},
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
    **dict.fromkeys(("\u00c5", "\u212b", "angstrom"), 1e-4),
    **dict.fromkeys(("in", "inch"), 25_400.0),
}
"""Of the units that programs write, lower case where they are words."""

_NO_UNITS = ("", "pixel", "pixels", "none", "reference frame")

_Size = tuple[float, float]


def described_size(
    ome_xml: str | None, imagej: dict[str, Any] | None, resolution: _Size
) -> tuple[_Size | None, tuple[str, ...]]:
    """Return width and height of a pixel, µm, and a note where they are not understood.

    Parameters
    ----------
    ome_xml : str or None
        The description of an OME-TIFF, whose unit is µm where it names none.
    imagej : dict or None
        What ImageJ writes; its unit is that of the resolution.
    resolution : (float, float)
        Pixels per unit along x and y, 0 where not stated.

    Examples
    --------
    >>> described_size(None, {"unit": "micron"}, (2.0, 2.0))
    ((0.5, 0.5), ())
    >>> described_size(None, {"unit": "furlong"}, (2.0, 2.0))[1]
    ("it gives the size of a pixel in 'furlong', a unit that is not understood.",)
    """
    if ome_xml is not None:
        return _size_in_ome(ome_xml)
    if imagej is None:
        return None, ()
    unit = str(imagej.get("unit", "")).replace("\\u00B5", "\u00b5")
    across, down = resolution
    if unit.casefold() in _NO_UNITS or not (across > 0 and down > 0):
        return None, ()
    return _in_micrometres((1 / across, unit), (1 / down, unit))


def _size_in_ome(ome_xml: str) -> tuple[_Size | None, tuple[str, ...]]:
    try:
        root = fromstring(ome_xml)
    except (ParseError, DefusedXmlException, ValueError):
        return None, ("its OME description cannot be read.",)
    pixels = next((each for each in root.iter() if each.tag.rpartition("}")[2] == "Pixels"), None)
    if pixels is None:
        return None, ()
    sizes = []
    for axis in "XY":
        try:
            size = float(pixels.get(f"PhysicalSize{axis}", ""))
        except ValueError:
            return None, ()
        sizes.append((size, pixels.get(f"PhysicalSize{axis}Unit", "um")))
    return _in_micrometres(*sizes)


def _in_micrometres(*sizes: tuple[float, str]) -> tuple[_Size | None, tuple[str, ...]]:
    found = []
    for size, unit in sizes:
        factor = _MICROMETRES.get(unit.strip(), _MICROMETRES.get(unit.strip().casefold()))
        if factor is None:
            if unit.casefold() in _NO_UNITS:
                return None, ()
            return None, (
                f"it gives the size of a pixel in {unit[:40]!r}, a unit that is not understood.",
            )
        if not (math.isfinite(size) and size > 0):
            return None, ()
        found.append(size * factor)
    return (found[0], found[1]), ()
