"""What became of nuclei, for the tiles that show it."""

import hashlib
from pathlib import Path

import geopandas as gpd
import shapely

from seg_core.classes import ClassScheme, NucleusClass
from seg_core.evaluation.area_scores import FOUND, MISSED, NOT_ASKED, SPURIOUS, WRONG_CLASS
from seg_core.picture.nucleus_painting import NucleusPainter

_DOT_PX = 6  # radius of what is drawn around a dot, level-0 pixels

OUTCOME_SCHEME = ClassScheme(
    (
        NucleusClass(1, FOUND, "#00c853"),
        NucleusClass(2, MISSED, "#ff1744"),
        NucleusClass(3, SPURIOUS, "#ffd600"),
        NucleusClass(4, WRONG_CLASS, "#d500f9"),
    )
)
"""What becomes of nuclei, with colours that stand out on pink and violet."""


class EvaluationFiles:
    """Files of evaluations by keys that addresses of tiles may hold, and nobody can guess."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}

    def add(self, file: Path) -> str:
        """Return the key of a file as it is now."""
        said = f"{file} {file.stat().st_mtime_ns}"
        key = hashlib.sha256(said.encode()).hexdigest()[:32]
        self._files[key] = file
        return key

    def find(self, key: str) -> Path | None:
        """Return the file of a key."""
        return self._files.get(key)


def painter_of_outcomes(outcomes: gpd.GeoDataFrame) -> NucleusPainter:
    """Return what draws nuclei by what became of them; around a dot a circle is drawn."""
    asked = outcomes[outcomes["outcome"] != NOT_ASKED]
    is_dot = shapely.get_type_id(asked.geometry.to_numpy()) == shapely.GeometryType.POINT
    shapes = asked.geometry.to_numpy().copy()
    shapes[is_dot] = shapely.buffer(shapes[is_dot], _DOT_PX)
    table = asked.assign(class_name=asked["outcome"], class_score=1.0).set_geometry(shapes)
    return NucleusPainter(table.explode(ignore_index=True), OUTCOME_SCHEME)
