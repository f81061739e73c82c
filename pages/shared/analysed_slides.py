"""The slides of this machine that were analysed; uploads, which go when their reader leaves, are none."""

from collections.abc import Iterator
from pathlib import Path

from pages.shared import uploads
from seg_core.store import Store


def analysed_slides() -> Iterator[Path]:
    """Give each slide that is still where it was, the one that was analysed last first."""
    for path in dict.fromkeys(run.slide_path for run in Store().runs()):
        if path.is_file() and uploads.upload_folder_of(path) is None:
            yield path
