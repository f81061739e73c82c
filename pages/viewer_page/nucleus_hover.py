"""What is said of the nucleus under a pointer that rests."""

import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pages.shared import min_score, resources, shown_names
from pages.shared.tile_sources import TileSource, UnknownTileError
from pages.viewer_page.nucleus_card import is_named_by_hand
from seg_core.classes import UNCERTAIN
from seg_core.store import Run


def hover_address(run: Run | None, source: TileSource) -> str | None:
    """Return where the viewer asks, None where there are no nuclei; it adds point and classes."""
    if run is None:
        return None
    query = urlencode({**min_score.query(), **shown_names.query(run)})
    return f"{source.folder}nucleus.json?{query}"


def nucleus_at(token: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return class, score and area of the nucleus at a point, nothing where there is none.

    Parameters
    ----------
    token : str
    query : mapping
        ``run``, ``x`` and ``y`` in level-0 pixels, and ``show``: ids of the classes shown; ``min_score``
        where there is one.

    Raises
    ------
    UnknownTileError
        If no session shows such a run, or the point is none.
    """
    run = shown_names.asked_run(token, query)
    scheme = run.scheme
    try:
        x, y = float(query["x"]), float(query["y"])
        if not (math.isfinite(x) and math.isfinite(y)):
            raise ValueError("no point")
        names = [scheme.name_of(int(each)) for each in query.get("show", "").split(",") if each]
    except (KeyError, ValueError, IndexError) as error:
        raise UnknownTileError("Such a point there is not.") from error
    index = resources.nucleus_index(run, min_score.asked(query))
    nucleus_id = index.at(x, y, names)
    row = None if nucleus_id is None else index.row(nucleus_id)
    if nucleus_id is None or row is None:
        return {}
    return {
        "id": nucleus_id,
        "class": row["class_name"],
        "uncertain": index.name(nucleus_id) == UNCERTAIN,
        "score": round(float(row["class_score"]), 3),
        "by_hand": is_named_by_hand(run, nucleus_id, float(row["class_score"])),
        "area_um2": round(float(row["area_um2"]), 1),
    }
