"""Learn from labelled images what the types of a model's training data differ in.

See `seg_core.teaching.directions`, which keeps it and says what it is for.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.analysis import analyse
from seg_core.errors import DataError
from seg_core.files.temporary import temporary_folder
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model.beside import in_file
from seg_core.settings import AnalysisSettings
from seg_core.teaching.centring import CENTRING
from seg_core.teaching.directions import Directions, SetDirections
from seg_core.teaching.features import features_of_run
from seg_core.teaching.fitting import fitted
from seg_core.teaching.standards import standards_of

# Chosen on the held-out images of Lizard. Each nucleus counts the same, though types differ by a hundred
# times in number: what is frequent has to be told apart finely.
_STRENGTH = 0.03


@dataclass(frozen=True)
class TypedNuclei:
    """The nuclei that a model finds on an image, and what the image's labels call them.

    Attributes
    ----------
    title : str
        Of the data set.
    features : tuple of str
    matrix : (N, F) float32
    types : (N,) int64
        The data set's own ids, 0 where no labelled nucleus lies there.
    names : mapping of int to str
        Of the ids.
    """

    title: str
    features: tuple[str, ...]
    matrix: npt.NDArray[np.float32]
    types: npt.NDArray[np.int64]
    names: Mapping[int, str]


def typed_nuclei(
    images: Sequence[LabelledImage],
    model: str | Path | None,
    *,
    report: Callable[[int, int], None] | None = None,
) -> list[TypedNuclei]:
    """Let a model find the nuclei of labelled images.

    Parameters
    ----------
    images : sequence of LabelledImage
        Those whose nuclei have no types of their own are passed over.
    model : str or Path, optional
        Name or file; see `seg_core.model.find_model`.
    report : callable, optional
        Called with the number of images done and of all.
    """
    typed = [each for each in images if each.own_ids is not None and len(_names(each)) > 1]
    found = []
    for done, image in enumerate(typed, start=1):
        found.append(_looked_at(image, model))
        if report is not None:
            report(done, len(typed))
    return found


def learn_directions(
    nuclei: Iterable[TypedNuclei], weights_sha256: str, command: str
) -> Directions:
    """Learn what tells the types of each data set apart, among themselves.

    Parameters
    ----------
    nuclei : iterable of TypedNuclei
        Of all images, found by one model.
    weights_sha256, command : str
        What stands in the file beside.

    Raises
    ------
    DataError
        If there are no two types of one data set.
    """
    sets: defaultdict[str, list[TypedNuclei]] = defaultdict(list)
    for each in nuclei:
        sets[each.title].append(each)
    told = {title: several for title, several in sets.items() if len(_types_of(several)) > 1}
    if not told:
        raise DataError(
            "no data set of the training tells two types of nuclei apart; give a configuration with "
            "one that does."
        )
    features = next(iter(told.values()))[0].features
    found = tuple(_of_one_set(title, several) for title, several in told.items())
    return Directions(weights_sha256, command, features, found)


def _of_one_set(title: str, images: Sequence[TypedNuclei]) -> SetDirections:
    standards = standards_of([each.matrix for each in images], CENTRING)
    values = np.concatenate(
        [standards.standardised(image, each.matrix) for image, each in enumerate(images)]
    )
    types = np.concatenate([each.types for each in images])
    ids = _types_of(images)
    truth = np.searchsorted(ids, types[types > 0])
    model = fitted(values[types > 0], truth, len(ids), _STRENGTH, balanced=False)
    matrix = model.coefficients / standards.scale
    names = [images[0].names[number] for number in ids.tolist()]
    return SetDirections(
        title,
        dict(zip(names, np.bincount(truth).tolist(), strict=True)),
        tuple(map(in_file, matrix)),
    )


def _looked_at(image: LabelledImage, model: str | Path | None) -> TypedNuclei:
    with temporary_folder() as folder:
        path = folder / f"{image.name}.png"
        Image.fromarray(image.image).save(path, compress_level=1)
        settings = AnalysisSettings(tissue_only=False)
        run = analyse(path, folder / "store", model=model, mpp=image.mpp, settings=settings)
        features = features_of_run(run)
        places = run.found_columns(["x", "y"])
    columns, rows = (
        np.clip(places[axis].to_numpy().astype(np.intp), 0, side - 1)
        for axis, side in zip(("x", "y"), image.instances.shape[::-1], strict=True)
    )
    own_ids = np.concatenate([[0], np.asarray(image.own_ids, np.int64)])
    types = own_ids[image.instances[rows, columns]]
    names = _names(image)
    types[~np.isin(types, list(names))] = 0
    return TypedNuclei(image.data_set.title, features.names, features.matrix, types, names)


def _names(image: LabelledImage) -> dict[int, str]:
    return {number: name for number, name in image.data_set.ids.items() if number and name}


def _types_of(images: Sequence[TypedNuclei]) -> npt.NDArray[np.int64]:
    types = np.unique(np.concatenate([each.types for each in images]))
    return types[types > 0]
