"""Labelled images of a folder, whichever layout and data set they come in."""

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import overload

from seg_core.classes import MONUSAC, ClassScheme
from seg_core.errors import DataError
from seg_core.labelled.data_sets import MONUSAC_DATA, DataSet
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.labelled.layouts import (
    INSTANCES,
    Files,
    Meaning,
    challenge_files,
    dot_files,
    mask_files,
)

_EXAMPLES = 5  # names of images that are there, for who mistyped one


class LabelledImages(Sequence[LabelledImage]):
    """The labelled images of a folder, each read when it is asked for.

    Parameters
    ----------
    files : sequence
        In the order of their names.

    Raises
    ------
    DataError
        If two images have the same name.
    """

    def __init__(self, files: Sequence[Files]) -> None:
        names = [each.name for each in files]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(
                f"several images are called {twice[0]}; give each a name of its own, "
                "since results are told apart by it."
            )
        self._files = files
        self.names = names

    def __len__(self) -> int:
        return len(self._files)

    @overload
    def __getitem__(self, index: int) -> LabelledImage: ...

    @overload
    def __getitem__(self, index: slice) -> "LabelledImages": ...

    def __getitem__(self, index: int | slice) -> "LabelledImage | LabelledImages":
        if isinstance(index, slice):
            return LabelledImages(self._files[index])
        return self._files[index].read()

    def only(self, names: Collection[str]) -> "LabelledImages":
        """Return the images of these names; with a ``*`` all that fit.

        Raises
        ------
        DataError
            If there is no image of a name.
        """
        self._refuse_unknown(names)
        return LabelledImages([each for each in self._files if _fits(each.name, names)])

    def without(self, names: Collection[str]) -> "LabelledImages":
        """Return the images but those of these names; with a ``*`` all that fit.

        Raises
        ------
        DataError
            If there is no image of a name: one that was mistyped would be left in.
        """
        self._refuse_unknown(names)
        return LabelledImages([each for each in self._files if not _fits(each.name, names)])

    def _refuse_unknown(self, names: Collection[str]) -> None:
        for name in sorted(names):
            if not any(fnmatchcase(each, name) for each in self.names):
                more = " …" if len(self.names) > _EXAMPLES else "."
                raise DataError(
                    f"there is no image {name}; name some of "
                    f"{', '.join(self.names[:_EXAMPLES])}{more}"
                )

    @cached_property
    def outlines_every_nucleus(self) -> bool:
        """Whether nuclei that none of the classes names are outlined too.

        They are where no nucleus has a class at all, and where some nucleus is *other*.
        """
        return any(each.outlines_other() for each in self._files)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, each) for each in patterns)


def read_labelled(
    folder: Path,
    data_set: DataSet = MONUSAC_DATA,
    scheme: ClassScheme = MONUSAC,
    *,
    mpp: float | None = None,
) -> LabelledImages:
    """Find the labelled images of a folder, whichever of the layouts it has.

    Parameters
    ----------
    folder : Path
    data_set : DataSet
        What the labels mean.
    scheme : ClassScheme
        The ids to give to the classes.
    mpp : float, optional
        µm per pixel of the images, instead of the data set's.

    Returns
    -------
    images : LabelledImages

    Raises
    ------
    DataError
        If the folder has none of the layouts or files are missing. Reading an image may raise it
        too.
    """
    meaning = Meaning(data_set, scheme, mpp)
    files: Sequence[Files]
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder.name}; give the folder of labelled images.")
    if data_set.labels == "dots":
        files = dot_files(folder, meaning)
    elif (folder / INSTANCES).is_dir():
        files = mask_files(folder, meaning)
    else:
        files = challenge_files(folder, meaning)
    if not files:
        raise DataError(
            f"{folder.name} has no labelled images; give a folder with images/ and inst/, or one "
            "with a folder a patient and in it images (.svs or .tif), each with its .xml."
        )
    return LabelledImages(files)
