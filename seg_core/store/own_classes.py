"""Classes that people have named themselves for the nuclei of a run, beside those of the model."""

import json
from collections.abc import Sequence
from pathlib import Path

from seg_core.classes import ClassScheme, NucleusClass, require_showable
from seg_core.errors import ModelError, StoreError
from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors

OWN_CLASSES_FILE = "classes.json"


def read_own_classes(folder: Path) -> tuple[NucleusClass, ...]:
    """Read the classes that were named for the run in a folder; none where nobody did.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    path = folder / OWN_CLASSES_FILE
    if not path.is_file():
        return ()
    try:
        with store_errors(folder):
            return ClassScheme.from_json(json.loads(path.read_text("utf-8"))).classes
    except (
        *(ValueError, KeyError, TypeError, AttributeError),
        *(OverflowError, RecursionError, ModelError),
    ) as error:
        raise StoreError(
            f"{OWN_CLASSES_FILE} in {folder} is damaged; remove the file, and name your classes again."
        ) from error


def write_own_classes(folder: Path, classes: Sequence[NucleusClass]) -> None:
    """Keep classes in the folder of their run, in place of earlier ones.

    Raises
    ------
    ModelError
        If a class has no name or colour that can be shown.
    StoreError
        If the folder is no longer there, or the disk is full or cannot be written.
    """
    for each in classes:
        require_showable(each.name, each.colour)
    scheme = ClassScheme(()).joined_with(classes)
    with store_errors(folder), replacing(folder / OWN_CLASSES_FILE) as temporary:
        temporary.write_text(json.dumps(scheme.to_json(), ensure_ascii=False), "utf-8")
