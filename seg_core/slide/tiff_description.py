"""What the descriptions of OME-TIFF and ImageJ tell of a picture: size of a pixel, channels, bits.

An OME-TIFF may hold several pictures, an overview before the scan for instance, and describes each.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from xml.etree.ElementTree import Element, ParseError

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
    "dm": 1e5,
    "pm": 1e-6,
    **dict.fromkeys(("in", "inch", "inches"), 25_400.0),
    **dict.fromkeys(("mil", "thou"), 25.4),
}
"""Of the units that programs write, lower case where they are words."""

_COLOURS = {
    name: number for number, each in enumerate(("red", "green", "blue")) for name in (each, each[0])
}

_NO_UNITS = ("", "pixel", "pixels", "none", "reference frame")

_Size = tuple[float, float]
_Sides = tuple[int, int]


def described_size(
    ome_xml: str | None, imagej: dict[str, Any] | None, resolution: _Size, sides: _Sides
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
    sides : (int, int)
        Width and height of the picture, by which an OME-TIFF's description of it is found.

    Examples
    --------
    >>> described_size(None, {"unit": "micron"}, (2.0, 2.0), (640, 480))
    ((0.5, 0.5), ())
    >>> described_size(None, {"unit": "furlong"}, (2.0, 2.0), (640, 480))[1]
    ("it gives the size of a pixel in 'furlong', a unit that is not understood.",)
    """
    if ome_xml is not None:
        return _size_in_ome(ome_xml, sides)
    if imagej is None:
        return None, ()
    unit = str(imagej.get("unit", "")).replace("\\u00B5", "\u00b5")
    across, down = resolution
    if unit.casefold() in _NO_UNITS or not (across > 0 and down > 0):
        return None, ()
    return _in_micrometres((1 / across, unit), (1 / down, unit))


def channel_names(ome_xml: str | None, sides: _Sides) -> tuple[str, ...]:
    """Return what an OME-TIFF calls the channels of a picture; none where it says nothing."""
    names = tuple(each.get("Name", "").strip() for each in _channels_of(ome_xml, sides))
    return names if all(names) else ()


def significant_bits(ome_xml: str | None, sides: _Sides) -> int | None:
    """Return how many bits of a sample an OME-TIFF says that a picture uses.

    Examples
    --------
    >>> pixels = '<Pixels SizeX="{}" SizeY="4" SignificantBits="{}"/>'
    >>> two = f"<OME>{pixels.format(2, 16)}{pixels.format(8, 12)}</OME>"
    >>> significant_bits(two, (8, 4))
    12
    """
    described = (_pixels_of(ome_xml, sides), *_channels_of(ome_xml, sides))
    said = ("" if each is None else each.get("SignificantBits", "") for each in described)
    bits = [int(each) for each in said if each.isdecimal() and 1 <= int(each) <= 16]
    return max(bits, default=None)


def colour_order(names: Sequence[str]) -> tuple[tuple[int, int, int], tuple[str, ...]]:
    """Return which of three channels are red, green and blue, and a note where no name says it.

    Examples
    --------
    >>> colour_order(["Blue", "Green", "Red"])
    ((2, 1, 0), ())
    """
    said = [_COLOURS.get(name.casefold(), -1) for name in names]
    if sorted(said) == [0, 1, 2]:
        return (said.index(0), said.index(1), said.index(2)), ()
    called = f" ({', '.join(names)[:80]})" if names else ""
    return (0, 1, 2), (f"its three channels{called} were taken as red, green and blue.",)


def _size_in_ome(ome_xml: str, sides: _Sides) -> tuple[_Size | None, tuple[str, ...]]:
    if _root_of(ome_xml) is None:
        return None, ("its OME description cannot be read.",)
    pixels = _pixels_of(ome_xml, sides)
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


def _pixels_of(ome_xml: str | None, sides: _Sides) -> Element | None:
    """Return the description of the first picture of a size, or of the only one there is."""
    root = None if ome_xml is None else _root_of(ome_xml)
    found = [] if root is None else [each for each in root.iter() if _name_of(each) == "Pixels"]
    wanted = [str(side) for side in sides]
    alike = [each for each in found if [each.get("SizeX"), each.get("SizeY")] == wanted]
    if alike:
        return alike[0]
    return found[0] if len(found) == 1 else None


def _channels_of(ome_xml: str | None, sides: _Sides) -> list[Element]:
    pixels = _pixels_of(ome_xml, sides)
    return [] if pixels is None else [each for each in pixels if _name_of(each) == "Channel"]


def _root_of(ome_xml: str) -> Element | None:
    with suppress(ParseError, DefusedXmlException, ValueError):
        root: Element = fromstring(ome_xml)
        return root
    return None


def _name_of(element: Element) -> str:
    return element.tag.rpartition("}")[2]


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
