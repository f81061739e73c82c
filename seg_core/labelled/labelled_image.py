"""An image and its labelled nuclei, as training and evaluation see them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from seg_core.classes import BACKGROUND, ClassScheme
from seg_core.errors import DataError
from seg_core.labelled.data_sets import UNKNOWN, DataSet
from seg_core.labelled.nuclei import Nuclei, majority_class_ids
from seg_core.labelled.resolution import FACTOR, enlarge_image, enlarge_labels

_SAME_FACTOR = 0.05  # by so much may a pixel be larger or smaller and still count as the same


@dataclass(frozen=True)
class Dots:
    """Nuclei of which somebody told place and class, not outline.

    Attributes
    ----------
    points : (N, 2) float
        (x, y), pixels of the image.
    classes : (N,) uint8
        Our class, 0 *other*, `UNKNOWN` none known.
    """

    points: npt.NDArray[np.float64]
    classes: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class LabelledImage:
    """One labelled image.

    Attributes
    ----------
    name : str
        Stem of its files.
    image : (H, W, 3) uint8
        RGB.
    instances : (H, W) int32
        0 background, k the nucleus in row k - 1 of the following.
    classes : (N,) uint8
        Our class of each nucleus, 0 *other*, `UNKNOWN` none known.
    weights : (N,) float32
        In the loss of the classes.
    ignore : (H, W) bool or None
        Where nobody knows what is right.
    data_set : DataSet
    mpp : float
        µm per pixel at which the image is taken.
    patient : str
        Whose image it is.
    file_mpp : float or None
        µm per pixel as the files have it; recorded, not used.
    dots : Dots or None
        Where the data set has dots.
    classed : bool
        Whether somebody told the nuclei's classes at all.
    own_ids : (N,) uint8 or None
        The data set's own id of each nucleus's class, 0 none; None where it has none.
    """

    name: str
    image: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.int32]
    classes: npt.NDArray[np.uint8]
    weights: npt.NDArray[np.float32]
    ignore: npt.NDArray[np.bool_] | None
    data_set: DataSet
    mpp: float
    patient: str = ""
    file_mpp: float | None = None
    dots: Dots | None = None
    classed: bool = True
    own_ids: npt.NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        for what, array in (("label", self.instances), ("ignore", self.ignore)):
            if array is not None and array.shape != self.image.shape[:2]:
                raise DataError(
                    f"the {what} mask of {self.name} has {_size(array)} pixels, "
                    f"its image {_size(self.image)}; masks must have the size of their image."
                )

    @cached_property
    def boxes(self) -> npt.NDArray[np.int32]:
        """x0, y0, x1, y1 of each nucleus, (N, 4)."""
        return _boxes(self.instances, len(self.classes))

    @cached_property
    def nuclei(self) -> Nuclei:
        """The nuclei that are scored: those of known class, or all where nobody told classes."""
        if not self.classed:
            return Nuclei(self.instances)
        known = np.concatenate([[True], self.classes != UNKNOWN])
        class_ids = np.where(self.classes == UNKNOWN, BACKGROUND, self.classes)
        return Nuclei(np.where(known[self.instances], self.instances, 0), class_ids)

    @cached_property
    def not_scored(self) -> npt.NDArray[np.bool_] | None:
        """(H, W): `ignore`, and the nuclei of unknown class among others; None if there is none."""
        unknown = np.concatenate([[False], self.classes == UNKNOWN])
        if not self.classed or not unknown.any():
            return self.ignore
        area = unknown[self.instances]
        return area if self.ignore is None else area | self.ignore

    def is_twice(self, mpp: float) -> bool:
        """Tell whether a pixel is twice as large as one of another size, as 20x beside 40x."""
        return abs(self.mpp / (FACTOR * mpp) - 1) <= _SAME_FACTOR

    def factor_to(self, mpp: float) -> int:
        """Return how many pixels of another size lie along one of these: 1 or 2.

        Raises
        ------
        DataError
            If the image would have to be enlarged by anything else.
        """
        if self.is_twice(mpp):
            return FACTOR
        if abs(self.mpp / mpp - 1) <= _SAME_FACTOR:
            return 1
        raise DataError(
            f"{self.name} has {self.mpp:g} µm/px, the network {mpp:g}; labelled images are taken "
            "as they are or enlarged twice, so give images of one of these sizes."
        )

    def at(self, mpp: float) -> "LabelledImage":
        """Return the image and its labels with pixels of another size.

        Raises
        ------
        DataError
            If that is neither the size they have nor half of it.
        """
        if self.factor_to(mpp) == 1:
            return self
        dots = self.dots
        return replace(
            self,
            image=enlarge_image(self.image),
            instances=enlarge_labels(self.instances),
            ignore=None if self.ignore is None else enlarge_labels(self.ignore),
            mpp=self.mpp / FACTOR,
            dots=dots and replace(dots, points=dots.points * FACTOR),
        )


def labelled_image(
    name: str,
    image: npt.NDArray[np.uint8],
    instances: npt.NDArray[np.integer],
    class_map: npt.NDArray[np.integer] | None,
    ignore: npt.NDArray[np.bool_] | None,
    data_set: DataSet,
    scheme: ClassScheme,
    *,
    patient: str = "",
    mpp: float | None = None,
) -> LabelledImage:
    """Put together what is known of one image.

    Parameters
    ----------
    name : str
    image : (H, W, 3) uint8
    instances : (H, W) integer
        0 background, other numbers one a nucleus, in any order and with gaps.
    class_map : (H, W) integer, optional
        The data set's own ids; a nucleus has the class of most of its pixels.
    ignore : (H, W) bool, optional
    data_set : DataSet
    scheme : ClassScheme
        The ids to give to the classes.
    patient : str
    mpp : float, optional
        Instead of the data set's.

    Raises
    ------
    DataError
        If masks and image differ in size, or a class has an id that the data set does not name.
    """
    if class_map is not None and class_map.shape != instances.shape:
        raise DataError(
            f"the masks of {name} of instances and of classes differ in size; "
            "both must have the size of their image."
        )
    labels = consecutive(instances)
    count = int(labels.max(initial=0))
    own_ids = None if class_map is None else majority_class_ids(labels, class_map)
    if own_ids is None:
        their_names: Sequence[str | None] = [None] * count
    else:
        their_names = _their_names(name, own_ids, data_set)
    mpp = mpp or data_set.mpp
    return LabelledImage(
        name=name,
        image=image,
        instances=labels,
        classes=np.array([data_set.class_id(each, scheme) for each in their_names], np.uint8),
        weights=np.array([data_set.weight_of(each) for each in their_names], np.float32),
        ignore=with_rim(ignore, labels.shape, round(data_set.rim_um / mpp)),
        data_set=data_set,
        mpp=mpp,
        patient=patient,
        classed=class_map is not None,
        own_ids=own_ids,
    )


def with_rim(
    ignore: npt.NDArray[np.bool_] | None, shape: tuple[int, ...], rim_px: int
) -> npt.NDArray[np.bool_] | None:
    """Return the areas to ignore, the frame of an image among them.

    Examples
    --------
    >>> with_rim(None, (3, 4), 1).astype(int)
    array([[1, 1, 1, 1],
           [1, 0, 0, 1],
           [1, 1, 1, 1]])
    """
    if not rim_px or (ignore is not None and ignore.shape != shape):
        return ignore  # a mask of another size is refused where image and masks come together
    framed = np.ones(shape, dtype=bool)
    inner = np.s_[rim_px : shape[0] - rim_px, rim_px : shape[1] - rim_px]
    framed[inner] = False if ignore is None else ignore[inner]
    return framed


def consecutive(instances: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    """Return labels numbered 1, 2, 3 … in the order of their numbers.

    Examples
    --------
    >>> consecutive(np.array([[0, 7], [3, 3]]))
    array([[0, 2],
           [1, 1]], dtype=int32)
    """
    highest = int(instances.max(initial=0))
    if highest > instances.size:  # a table of all numbers may be of gigabytes, for a few nuclei
        numbers, places = np.unique(instances, return_inverse=True)
        return (places.reshape(instances.shape) + (numbers[0] > 0)).astype(np.int32)
    there = np.zeros(highest + 1, dtype=bool)
    there[instances] = True
    there[0] = False
    return np.where(there, np.cumsum(there), 0).astype(np.int32)[instances]


def _their_names(image: str, ids: npt.NDArray[np.uint8], data_set: DataSet) -> list[str | None]:
    unnamed = sorted({*ids.tolist()} - {*data_set.ids})
    if unnamed:
        raise DataError(
            f"{image} has nuclei of class {unnamed[0]}, which nobody has named; its data "
            "set may have ids of its own, see --classes."
        )
    return [data_set.ids[each] for each in ids.tolist()]


def _boxes(labels: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int32]:
    rows, columns = np.nonzero(labels)
    of = labels[rows, columns] - 1
    boxes = np.empty((count, 4), dtype=np.int32)
    for column, (values, ufunc, start) in enumerate(
        (
            (columns, np.minimum, labels.shape[1]),
            (rows, np.minimum, labels.shape[0]),
            (columns + 1, np.maximum, 0),
            (rows + 1, np.maximum, 0),
        )
    ):
        extreme = np.full(count, start, dtype=np.int32)
        ufunc.at(extreme, of, values)
        boxes[:, column] = extreme
    return boxes


def _size(array: npt.NDArray[np.generic]) -> str:
    return f"{array.shape[1]} × {array.shape[0]}"
