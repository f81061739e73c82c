"""What nuclei are called and how surely, apart from where they lie.

Corrections and classifiers change names, never outlines. What finds nuclei by their outlines takes
seconds to make for a whole slide, so it is made once and lent the names of now.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from seg_core.classes import BACKGROUND, ClassScheme


@dataclass(frozen=True, eq=False)
class Names:
    """Of the rows of a table of nuclei, in its order.

    Attributes
    ----------
    class_names : (N,) object
        str.
    class_scores : (N,) float32
    present : (N,) bool
        False for what is no nucleus after all.
    """

    class_names: npt.NDArray[Any]
    class_scores: npt.NDArray[np.float32]
    present: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """Return the names as they stand in a table; where it has no scores, all are sure."""
        scores = table.get("class_score", pd.Series(1.0, table.index))
        return cls(
            table["class_name"].to_numpy(object),
            scores.to_numpy(np.float32),
            np.ones(len(table), np.bool_),
        )


def class_ids_of(names: Names, scheme: ClassScheme) -> npt.NDArray[np.uint8]:
    """Return the ids of the classes that nuclei are called, (N,); 0 for what is no nucleus."""
    ids = {name: scheme.id_of(name) for name in scheme.colours}
    found = pd.Series(names.class_names).map(ids).fillna(BACKGROUND)
    return np.asarray(found, dtype=np.uint8)
