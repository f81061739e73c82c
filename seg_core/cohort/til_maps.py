"""Small TIL maps of slides: kept beside each run when it is scored, shown side by side."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import read_sealed
from seg_core.picture.til_painting import draw_map
from seg_core.scoring.assessment import TIL_FILE
from seg_core.scoring.counted import FiguresVersion
from seg_core.slide import Slide
from seg_core.store import Run
from seg_core.til import TilResult

MAP_FILE = "til-map.jpg"
"""Name of the small map in the folder of a run."""

TOP_PCT = 50.0
"""Share of the stroma, %, from which squares have the last colour: the same in all maps, so that they
can be compared. The few squares above are dense infiltrates, whichever slide they are on."""

MAP_WORDS = (
    "Squares over each slide: lymphocytes' share of the area of stroma, from dark (none) to yellow "
    f"({TOP_PCT:g} % and more), the same on every slide."
)
"""What the maps show, for a reader."""

_LARGEST_PX = 480
_QUALITY = 85

_COLUMNS, _ROWS = 4, 5
_CELL_PX, _WORDS_PX, _GAP_PX = 330, 26, 12


def keep_map(run: Run, slide: Slide, result: TilResult) -> None:
    """Draw the squares of a run's TIL score over its slide, and keep that.

    The picture tells in its comment which names and ROIs it is of, as the file of the scores does.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    drawn = draw_map(result, slide, "stil", _LARGEST_PX, top=TOP_PCT)
    picture = drawn.convert("RGB")
    comment = json.dumps(dict(result.version or {})).encode()
    with store_errors(run.path), replacing(run.path / MAP_FILE) as temporary:
        picture.save(temporary, "JPEG", quality=_QUALITY, comment=comment)


def map_of(folder: Path, *, scored: bool) -> Path | None:
    """Return the map that is kept in the folder of a run; None where there is none that holds.

    Parameters
    ----------
    folder : Path
    scored : bool
        Whether a table of runs has its TIL scores. It has none where nuclei are called otherwise, or
        count no longer, since they were kept, and the map is of those too.
    """
    path, scores = folder / MAP_FILE, folder / TIL_FILE
    if not path.is_file():
        return None
    if not scores.is_file():
        return path
    return path if scored and is_of_scores(folder) else None


def is_of_scores(folder: Path) -> bool:
    """Tell whether the map in a folder is of the names and ROIs that the scores beside it are of.

    Who scores a single run draws no map, or leaves an older one.
    """
    drawn, scored = folder / MAP_FILE, folder / TIL_FILE
    try:
        of_map = _version_of_map(drawn, drawn.stat().st_mtime_ns)
        return of_map.agrees_with(_version_of_scores(scored, scored.stat().st_mtime_ns))
    except (OSError, ValueError, TypeError):  # either is gone or damaged
        return False


# A page of many slides asks each time that it is drawn, and reading them all takes a second.
@lru_cache(maxsize=4096)
def _version_of_map(path: Path, _written_ns: int) -> FiguresVersion:
    with Image.open(path, formats=("JPEG",)) as picture:
        comment = picture.info.get("comment", b"")
    told = json.loads(comment or b"{}")
    if not isinstance(told, dict):
        raise TypeError(f"{path.name} does not tell what it is of.")
    return FiguresVersion.told_by(told)


@lru_cache(maxsize=4096)
def _version_of_scores(path: Path, _written_ns: int) -> FiguresVersion:
    return FiguresVersion.told_by(read_sealed(path) or {})


def mosaic(maps: Sequence[tuple[str, Path]]) -> Iterator[Image.Image]:
    """Give pictures of up to twenty maps each, with the name of the slide under each.

    Parameters
    ----------
    maps : sequence of (str, Path)
        What a slide is called, and its kept map.
    """
    font = ImageFont.load_default(15)
    for start in range(0, len(maps), _COLUMNS * _ROWS):
        some = maps[start : start + _COLUMNS * _ROWS]
        columns, rows = min(_COLUMNS, len(some)), -(-len(some) // _COLUMNS)
        step_x, step_y = _CELL_PX + _GAP_PX, _CELL_PX + _WORDS_PX + _GAP_PX
        sheet = Image.new("RGB", (columns * step_x, rows * step_y), "white")
        draw = ImageDraw.Draw(sheet)
        for number, (name, path) in enumerate(some):
            left, top = number % _COLUMNS * step_x, number // _COLUMNS * step_y
            with Image.open(path, formats=("JPEG",)) as picture:
                small = ImageOps.contain(picture, (_CELL_PX, _CELL_PX))
            sheet.paste(small, (left, top))
            words = name if len(name) <= 38 else f"{name[:37]}…"
            draw.text((left, top + small.height + 4), words, fill="#1c1c1c", font=font)
        yield sheet
