"""How a tile is asked for, and where it lies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pages.shared import shown_names
from pages.shared.tile_sources import AddressError, UnknownTileError
from pages.viewer_page.layers import layer_named
from seg_core.classes import PALETTES, USUAL_PALETTE
from seg_core.geometry import Region
from seg_core.picture.viewport import Viewport

TILE_PX = 256

# At the sixth a pixel of the tile is 1/64 level-0 pixel: nothing is that fine.
_MOST_EXTRA_LEVELS = 6

_QUERY = shown_names.OPTIONS | {"show", "palette"}

# No page writes a longer value than a run's id; classes are numbers in eight bits.
_LONGEST_VALUE = 100
_LONGEST_LIST = 1200
_MOST_ID = 255
_LISTS = frozenset({"show", "layers"})


@dataclass(frozen=True, slots=True)
class TileRequest:
    """What a tile's address says."""

    token: str
    layer: str
    level: int
    column: int
    row: int
    run: str | None = None
    """Id of the run that a layer shows; none for layers of the slide."""

    shown: frozenset[int] = frozenset()
    """Ids of the classes to paint."""

    palette: str = USUAL_PALETTE
    """Name of the classes' colours."""

    options: tuple[tuple[str, str], ...] = ()
    """Whatever else the layer has put into its addresses, in order."""


def tile_request(path: Mapping[str, Any], query: Mapping[str, str]) -> TileRequest:
    """Return what the parts of an address's path and its query say."""
    layer = layer_named(path["layer"])
    options = frozenset() if layer is None else layer.option_names
    place = (path["token"], path["layer"], path["level"], path["x"], path["y"])
    return TileRequest(*place, *query_of(query, options))


def query_of(
    query: Mapping[str, str], option_names: frozenset[str]
) -> tuple[str | None, frozenset[int], str, tuple[tuple[str, str], ...]]:
    """Return the run, the classes shown, the palette and the layer's own options.

    Parameters
    ----------
    query : mapping of str to str
    option_names : frozenset of str
        What a layer may have put into the address.

    Raises
    ------
    AddressError
        If the address says anything else, or says it at great length.
    UnknownTileError
        If there are no such colours.
    """
    refuse_unknown(query, _QUERY | option_names)
    palette = query.get("palette", USUAL_PALETTE)
    if palette not in PALETTES:
        raise UnknownTileError(f"There are no colours {palette!r}.")
    options = {name: value for name, value in query.items() if name in option_names}
    return query.get("run"), _ids(query.get("show", "")), palette, tuple(sorted(options.items()))


def refuse_unknown(query: Mapping[str, str], known: frozenset[str]) -> None:
    """Refuse an address with names that no page uses, or with values of any length.

    What has been drawn is kept by all that its address says: made-up options would fill that.
    """
    for name, value in query.items():
        if name not in known:
            raise AddressError(f"An address of this kind has no option {name[:40]!r}.")
        if len(value) > (_LONGEST_LIST if name in _LISTS else _LONGEST_VALUE):
            raise AddressError(
                f"The option {name!r} has {len(value):,} letters, which is too long."
            )


def _ids(text: str) -> frozenset[int]:
    found = (int(each) for each in text.split(",") if each.isascii() and each.isdecimal())
    return frozenset(each for each in found if each <= _MOST_ID)


def viewport_of_tile(
    bounds: Region, level_count: int, level: int, column: int, row: int
) -> Viewport:
    """Return where an overlay's tile lies.

    Parameters
    ----------
    bounds : Region
        What the Deep Zoom pyramid covers.
    level_count : int
        Levels of the slide's pyramid. Overlays may go on beyond: at ``level_count`` a pixel of
        the tile is half a level-0 pixel.
    level, column, row : int
    """
    if level >= level_count + _MOST_EXTRA_LEVELS:
        raise UnknownTileError(f"There is no level {level}.")
    step = 2.0 ** (level_count - 1 - level)
    width, height = -int(-bounds.width // step), -int(-bounds.height // step)
    left, top = column * TILE_PX, row * TILE_PX
    if not (0 <= left < width and 0 <= top < height):
        raise UnknownTileError(f"Level {level} has no tile at column {column}, row {row}.")
    return Viewport(
        bounds.x + left * step,
        bounds.y + top * step,
        step,
        min(TILE_PX, width - left),
        min(TILE_PX, height - top),
    )
