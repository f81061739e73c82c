"""Corrections that a reader makes in the viewer: looked through, written down, taken back.

The browser sends each to an address of its own and is answered when it is on the disk; no page has
to run for it. What is sent twice, since an answer was lost, is done once.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import shapely

from pages.shared import min_score, own_answer, palettes, resources, shown_names, singletons
from pages.shared.class_keys import class_keys
from pages.shared.tile_sources import TileSource
from pages.viewer_page.nucleus_card import ring_of
from seg_core.errors import CorrectionError
from seg_core.store import Run, Selection
from seg_core.store.said import place_to_say

MOST_NUCLEI = 20_000
"""Corrected at a time: more are a classifier's affair."""

MOST_BYTES = 1024 * 1024
"""Of what a browser sends at a time."""

_MOST_CORNERS = 20_000
_FAR_PX = 1e9

# Outlined as selected; of more a browser is told the number.
_MOST_OUTLINED = 2000

# What was sent twice is known again among so many.
_REMEMBERED = 64


def describe(run: Run | None, source: TileSource) -> dict[str, Any] | None:
    """Return what the viewer is told of correcting, and let the session's token do it.

    Returns
    -------
    dict or None
        ``url`` takes corrections, ``names`` is the version of the names that is shown, ``classes``
        may be given, each by its key where it has one, and ``refused`` is a sentence where this reader cannot correct. None where
        there is nothing to correct.
    """
    who = own_answer.corrector()
    source.corrector = None if who is None or run is None or run.only_found else who.name
    if run is None:
        return None
    scheme = palettes.scheme_of(run)
    return {
        "url": f"{source.folder}corrections.json?{_query(run)}",
        "names": run.names_version,
        "classes": [
            {"name": name, "colour": scheme.colours[name], "key": key}
            for name, key in class_keys(scheme).items()
        ],
        "refused": _refusal(run, who),
    }


def version_of(token: str, query: Mapping[str, str]) -> dict[str, str]:
    """Return the version of the names of a run as it is now.

    Raises
    ------
    UnknownTileError
        If no session shows such a run.
    """
    return {"names": shown_names.asked_run(token, query).names_version}


def take(token: str, query: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """Do what a browser asks, once, and answer what has come of it.

    Parameters
    ----------
    token : str
    query : mapping
        ``run``, and ``min_score`` where there is one.
    content : bytes
        JSON: ``id``, a word that no other request has, and ``action`` with what it needs.

        - *select*: ``ring`` or ``point`` in level-0 pixels, and ``classes``, ids of those shown.
          Answers ``nuclei``: ``id``, ``name``, and ``ring``, which is null but for the first ones.
        - *correct*: ``nuclei``, ids, and ``name``, null for *not a nucleus*.
        - *undo*, *redo*.

        The last three answer ``done``, and the ``names``' version since.

    Raises
    ------
    UnknownTileError
        If no session shows such a run.
    CorrectionError
        If the reader may not correct, or what was sent makes no sense.
    StoreError
        If the disk is full or cannot be written.
    """
    source = singletons.tile_sources().find(token)
    run = source.run_of(query.get("run"))
    asked = _read(content)
    number, action = asked.get("id"), asked.get("action")
    if not isinstance(number, str) or not 0 < len(number) <= 64:
        raise CorrectionError("a correction has no id; reload the page.")
    if action == "select":
        return _select(run, min_score.asked(query), asked)
    if source.corrector is None:
        raise CorrectionError("you cannot correct here; reload the page.")
    with source.correcting:
        done = source.corrected.get(number)
        if done is None:
            done = {"done": _do(run, action, asked, source.corrector)}
            source.corrected[number] = done
            while len(source.corrected) > _REMEMBERED:
                source.corrected.pop(next(iter(source.corrected)))
    return {**done, "names": run.names_version}


def _query(run: Run) -> str:
    return "&".join([f"run={run.run_id}", *(f"{k}={v}" for k, v in min_score.query().items())])


def _refusal(run: Run, who: own_answer.Corrector | None) -> str | None:
    if who is None:
        return "Corrections need a browser that keeps cookies, to know whose they are."
    if run.only_found:
        return "This is the model's own answer; switch that off in the sidebar to correct it."
    return None


def _read(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise CorrectionError("that is too much at a time; select fewer nuclei.")
    try:
        asked = json.loads(content)
    except (ValueError, RecursionError):
        asked = None
    if not isinstance(asked, dict):
        raise CorrectionError("what was sent is no correction; reload the page.")
    return asked


def _do(run: Run, action: object, asked: Mapping[str, Any], who: str) -> bool:
    journal = run.journal()
    if action == "correct":
        ids, name = _ids(asked.get("nuclei")), asked.get("name")
        if name is not None and name not in run.scheme.names_with_other:
            raise CorrectionError(
                f"there is no class {str(name)[:60]!r}; choose one of "
                f"{', '.join(run.scheme.names_with_other)}."
            )
        called = _called(run, ids)
        place_to_say(run)
        journal.correct(ids, [called[each] for each in ids], name, by=who)
        return True
    if action in ("undo", "redo"):
        turn = journal.undo if action == "undo" else journal.redo
        return journal.exists and turn(by=who)
    raise CorrectionError("what was sent is no correction; reload the page.")


def _ids(given: object) -> list[int]:
    if not isinstance(given, list) or not given or not all(type(each) is int for each in given):
        raise CorrectionError("no nuclei are selected; click one first.")
    ids = list(dict.fromkeys(given))
    if len(ids) > MOST_NUCLEI:
        raise CorrectionError(
            f"{len(ids):,} nuclei are selected, and at most {MOST_NUCLEI:,} can be corrected at a "
            "time; select fewer, or teach a classifier."
        )
    return ids


def _called(run: Run, ids: Sequence[int]) -> dict[int, str]:
    """Return what nuclei are called now."""
    unknown = CorrectionError("a selected nucleus is no longer there; select again.")
    if not all(0 <= each < 2**63 for each in ids):
        raise unknown
    selection = Selection(run.scheme.names_with_other, ids=tuple(ids))
    table = resources.nucleus_queries(run).columns(selection, ["nucleus_id", "class_name"])
    called = dict(zip(table["nucleus_id"].tolist(), table["class_name"], strict=True))
    if len(called) < len(ids):
        raise unknown
    return called


def _select(run: Run, least: float, asked: Mapping[str, Any]) -> dict[str, Any]:
    names = _names(run, asked.get("classes"))
    if "point" in asked:
        (point,) = _corners([asked["point"]])
        found = resources.nucleus_index(run, least).at(*point, names)
        chosen = Selection(names, least, ids=() if found is None else (found,))
    else:
        chosen = Selection(names, least, part=_polygon(asked.get("ring")))
    queries = resources.nucleus_queries(run)
    table = queries.columns(chosen, ["nucleus_id", "class_name"])
    ids = table["nucleus_id"].tolist()
    outlines = queries.outlines(ids[:_MOST_OUTLINED])
    rings = {number: ring_of(outline) for number, outline in outlines.items()}
    return {
        "nuclei": [
            {"id": number, "name": name, "ring": rings.get(number)}
            for number, name in zip(ids, table["class_name"], strict=True)
        ]
    }


def _names(run: Run, given: object) -> tuple[str, ...]:
    known = run.scheme.counted_names(other=True, uncertain=True)
    ids = given if isinstance(given, list) else []
    return tuple(name for name in known if run.scheme.id_of(name) in ids)


def _polygon(given: object) -> shapely.Polygon:
    ring = given if isinstance(given, list) else []
    if not 3 <= len(ring) <= _MOST_CORNERS:
        raise CorrectionError(
            f"an outline of {len(ring):,} corners selects nothing; draw one of 3 to "
            f"{_MOST_CORNERS:,}."
        )
    polygon = shapely.Polygon(_corners(ring))
    if not polygon.is_valid:
        raise CorrectionError("the outline crosses itself; draw it again without a crossing.")
    return polygon


def _corners(given: Sequence[object]) -> list[tuple[float, float]]:
    corners = []
    for each in given:
        match each:
            case [int() | float() as x, int() | float() as y] if (
                -_FAR_PX < x < _FAR_PX and -_FAR_PX < y < _FAR_PX
            ):
                corners.append((float(x), float(y)))
            case _:
                raise CorrectionError("a corner of the outline is no point; draw it again.")
    return corners
