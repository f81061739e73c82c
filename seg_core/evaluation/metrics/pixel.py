"""Figures of class maps and ternary maps, pixel by pixel."""

import numpy as np
import numpy.typing as npt

from seg_core.errors import DataError

PATCH_PX, PATCH_STRIDE_PX, PATCH_MIN_FOREGROUND = 256, 128, 0.01
"""The patches of the original project, over which its "mIoU macro" is a mean."""


def pixel_confusion(
    reference: npt.NDArray[np.integer],
    predicted: npt.NDArray[np.integer],
    kinds: int,
    ignore: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.int64]:
    """Count the pixels by what they are and what they are called.

    Confusions of several images may be added up; `iou_of` and `dice_of` of the sum are the pooled
    figures.

    Parameters
    ----------
    reference, predicted : (H, W) integer
        Values 0 to ``kinds`` - 1.
    kinds : int
        Number of values, background included.
    ignore : (H, W) bool, optional
        Pixels to leave out.

    Returns
    -------
    confusion : (kinds, kinds) int64
        Rows are the reference's values, columns the predicted ones.

    Raises
    ------
    DataError
        If the shapes differ or a value is not one of ``kinds``.

    Examples
    --------
    >>> pixel_confusion(np.array([[0, 1, 1]]), np.array([[0, 1, 0]]), kinds=2)
    array([[1, 0],
           [1, 1]])
    """
    if reference.shape != predicted.shape or (
        ignore is not None and ignore.shape != reference.shape
    ):
        raise DataError(
            f"a reference of shape {reference.shape} and a prediction of shape {predicted.shape} "
            "cannot be compared; both, and the ignore mask, must have the image's shape."
        )
    for name, values in (("reference", reference), ("prediction", predicted)):
        if values.size and not 0 <= int(values.min()) <= int(values.max()) < kinds:
            raise DataError(
                f"the {name} has values {int(values.min())} to {int(values.max())}; "
                f"it may have 0 to {kinds - 1} only."
            )
    if ignore is not None:
        reference, predicted = reference[~ignore], predicted[~ignore]
    codes = reference.astype(np.int64).ravel() * kinds + predicted.ravel()
    return np.bincount(codes, minlength=kinds * kinds).reshape(kinds, kinds)


def iou_of(confusion: npt.NDArray[np.number]) -> npt.NDArray[np.float64]:
    """Return intersection over union of each value; NaN where it occurs on neither side.

    Examples
    --------
    >>> iou_of(np.array([[1, 0], [1, 1]]))
    array([0.5, 0.5])
    """
    both = np.diagonal(confusion).astype(np.float64)
    return divide(both, confusion.sum(axis=0) + confusion.sum(axis=1) - both)


def dice_of(confusion: npt.NDArray[np.number]) -> npt.NDArray[np.float64]:
    """Return the Dice coefficient of each value; NaN where it occurs on neither side.

    Examples
    --------
    >>> dice_of(np.array([[2, 0], [1, 1]]))
    array([0.8       , 0.66666667])
    """
    both = np.diagonal(confusion).astype(np.float64)
    return divide(2 * both, confusion.sum(axis=0) + confusion.sum(axis=1))


def patch_mious(
    reference: npt.NDArray[np.integer],
    predicted: npt.NDArray[np.integer],
    kinds: int,
    ignore: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[np.float64]:
    """Return the original project's mean IoU of each patch of an image.

    Patches of 256 px lie 128 px apart from the upper left corner on; one that would reach past the
    image is not taken, but a side shorter than a patch is taken whole. Patches with less than 1 %
    of foreground in the reference are left out. The mean is over the classes *present in the
    patch's reference*, background included: false positives of absent classes cost nothing, which
    is why this figure flatters.

    Parameters
    ----------
    reference, predicted, kinds, ignore
        As in `pixel_confusion`.

    Returns
    -------
    mious : (N,) float64
        One value a patch; the project's "mIoU macro" is the mean over the patches of all images.
    """
    mious = []
    height, width = reference.shape
    for y in range(0, max(height - PATCH_PX, 0) + 1, PATCH_STRIDE_PX):
        for x in range(0, max(width - PATCH_PX, 0) + 1, PATCH_STRIDE_PX):
            patch = np.s_[y : y + PATCH_PX, x : x + PATCH_PX]
            confusion = pixel_confusion(
                reference[patch], predicted[patch], kinds, None if ignore is None else ignore[patch]
            )
            of_reference = confusion.sum(axis=1)
            foreground = of_reference[1:].sum()
            if foreground > 0 and foreground >= PATCH_MIN_FOREGROUND * of_reference.sum():
                mious.append(iou_of(confusion)[of_reference > 0].mean())
    return np.array(mious, dtype=np.float64)


def divide(
    parts: npt.NDArray[np.float64], wholes: npt.NDArray[np.number]
) -> npt.NDArray[np.float64]:
    """Divide element by element; nothing divided by nothing is NaN, not a warning."""
    return np.divide(parts, wholes, out=np.full(np.shape(parts), np.nan), where=wholes > 0)


def mean_known(values: npt.NDArray[np.float64]) -> float:
    """Return the mean of the values that are not NaN; NaN where all are.

    Examples
    --------
    >>> mean_known(np.array([0.5, np.nan, 1.0]))
    0.75
    """
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def weighted_mean(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    """Return the weighted mean of the values that are not NaN; NaN where there is none.

    Examples
    --------
    >>> weighted_mean(np.array([0.5, np.nan, 1.0]), np.array([3.0, 1.0, 1.0]))
    0.625
    """
    known = ~np.isnan(values) & (weights > 0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else float("nan")
