"""How large a slide's pixels are, as somebody has said; kept beside its runs."""

from pathlib import Path

from seg_core.files.atomic import write_json
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import read_object
from seg_core.slide import PLAUSIBLE_MPP

PIXEL_FILE = "pixel_size.json"


def pixel_size_of(store: Path, slide_id: str) -> float | None:
    """Return the size of a level-0 pixel, µm, that was kept with a slide; None where none was."""
    least, most = PLAUSIBLE_MPP
    mpp = (read_object(store / slide_id / PIXEL_FILE) or {}).get("mpp")
    if isinstance(mpp, bool) or not isinstance(mpp, int | float):
        return None
    return float(mpp) if least <= mpp <= most else None


def keep_pixel_size(store: Path, slide_id: str, mpp: float | None) -> None:
    """Keep the size of a slide's pixels, µm; None forgets what was kept.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    path = store / slide_id / PIXEL_FILE
    with store_errors(path.parent):
        if mpp is None:
            path.unlink(missing_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, {"mpp": mpp})
