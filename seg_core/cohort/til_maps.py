"""Small TIL maps of slides: kept beside each run when it is scored, shown side by side."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors
from seg_core.picture.til_painting import draw_map
from seg_core.scoring.assessment import TIL_FILE
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

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    drawn = draw_map(result, slide, "stil", _LARGEST_PX, top=TOP_PCT)
    picture = drawn.convert("RGB")
    with store_errors(run.path), replacing(run.path / MAP_FILE) as temporary:
        picture.save(temporary, "JPEG", quality=_QUALITY)


def map_of(folder: Path, *, scored: bool) -> Path | None:
    """Return the map that is kept in the folder of a run; None where there is none that holds.

    Parameters
    ----------
    folder : Path
    scored : bool
        Whether a table of runs has its TIL scores. It has none where nuclei are called otherwise, or
        count no longer, since they were kept, and the map is of those too.
    """
    path = folder / MAP_FILE
    holds = scored or not (folder / TIL_FILE).is_file()
    return path if holds and path.is_file() else None


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
