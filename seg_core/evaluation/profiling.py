"""What a model's training images are like: sizes of nuclei, and how the network sees them.

From this come the estimate of the size of a pixel (`seg_core.plausibility.pixel_size`) and the warning
that a slide is unlike all that the network has learnt (`seg_core.plausibility.familiarity`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.covariance import LedoitWolf

from seg_core.errors import DataError
from seg_core.geometry import Raster, Window
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import Engine, ModelCard
from seg_core.plausibility import doubts
from seg_core.plausibility.digest import GROUPS, Digest
from seg_core.plausibility.familiarity import Familiarity
from seg_core.plausibility.looking import LOOK_PX, look_at
from seg_core.plausibility.pixel_size import Regression, ScaleModel, coarse_entries, vote
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide

_Floats = npt.NDArray[np.float64]

DOUBLINGS = (-2.0, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 2.0)
"""By how many doublings of length the training images are shown too large."""

MOST_IMAGES = 16
"""Of one folder so many images are looked at, spread evenly over their list."""

FEWEST_NUCLEI = 8
"""Pictures with fewer nuclei teach nothing of sizes."""

FAMILIAR_UM = 192.0
"""Side of the middle of an image by which is learnt how nuclei look: most hold enough of them."""

# Of the standardised entries; chosen on the validation images with the data sets left out in turn.
_FINE_RIDGE, _COARSE_RIDGE = 0.15, 0.015

_FEWEST_IMAGES = 10

FAMILIAR_SHARE = 0.975
"""Of the validation pictures so many lie within the limit."""


@dataclass(frozen=True)
class Seen:
    """What the network finds on the middle of an image.

    Attributes
    ----------
    folder, image : str
    doublings : float
        By how many doublings of length it was shown too large.
    nuclei : Digest
    """

    folder: str
    image: str
    doublings: float
    nuclei: Digest


def look_over(
    folders: Mapping[str, Sequence[LabelledImage]],
    doublings: Sequence[float],
    engine: Engine,
    card: ModelCard,
    *,
    report: Callable[[int, int], None] | None = None,
) -> list[Seen]:
    """Look at the middle of labelled images, shown larger and smaller; labels are not used.

    Parameters
    ----------
    folders : mapping of str to sequence of LabelledImage
    doublings : sequence of float
    engine : Engine
    card : ModelCard
    report : callable, optional
        Called with the number of images done and of all.

    Returns
    -------
    seen : list of Seen
        Without pictures of few nuclei.
    """
    images = [(name, each) for name, several in folders.items() for each in _spread(several)]
    settings, seen = AnalysisSettings(), []
    for done, (folder, image) in enumerate(images):
        if report is not None:
            report(done, len(images))
        for doubling in doublings:
            rgb = middle_of(image.image, image.mpp * 2**doubling, card.mpp)
            nuclei = look_at(rgb, card.mpp, engine, card.scheme, settings, with_features=True)
            if len(nuclei) >= FEWEST_NUCLEI and nuclei.featured:
                seen.append(Seen(folder, image.name, doubling, nuclei))
    if report is not None:
        report(len(images), len(images))
    return seen


def look_closely(
    folders: Mapping[str, Sequence[LabelledImage]],
    engine: Engine,
    card: ModelCard,
    *,
    report: Callable[[int, int], None] | None = None,
) -> list[Seen]:
    """Look at the middle of labelled images, as they are, where it holds as many nuclei as a warning needs.

    The mean of few nuclei is mostly chance: a limit that is learnt from such pictures is too wide
    for a slide.

    Parameters
    ----------
    folders : mapping of str to sequence of LabelledImage
    engine : Engine
    card : ModelCard
    report : callable, optional
        Called with the number of images done and of all.
    """
    images = [(name, each) for name, several in folders.items() for each in several]
    seen = []
    for done, (folder, image) in enumerate(images, start=1):
        nuclei = look_at(
            cut_middle(image.image, round(FAMILIAR_UM / image.mpp)),
            image.mpp,
            engine,
            card.scheme,
            AnalysisSettings(),
            network_mpp=card.mpp,
            with_features=True,
        )
        if len(nuclei) >= doubts.FEWEST_NUCLEI and nuclei.featured:
            seen.append(Seen(folder, image.name, 0.0, nuclei))
        if report is not None:
            report(done, len(images))
    return seen


def cut_middle(rgb: npt.NDArray[np.uint8], side_px: int) -> npt.NDArray[np.uint8]:
    """Return the middle of an image, at most so many pixels a side.

    Examples
    --------
    >>> cut_middle(np.zeros((10, 3, 3), np.uint8), 4).shape
    (4, 3, 3)
    """
    top, left = (max(0, (length - side_px) // 2) for length in rgb.shape[:2])
    return rgb[top : top + side_px, left : left + side_px]


def middle_of(rgb: npt.NDArray[np.uint8], image_mpp: float, mpp: float) -> npt.NDArray[np.uint8]:
    """Return the middle of an image, resampled from one pixel size to another."""
    slide = ArraySlide(rgb, mpp=image_mpp)
    raster = Raster(slide.info.bounds, mpp, mpp / image_mpp)
    width, height = min(LOOK_PX, raster.width), min(LOOK_PX, raster.height)
    corner = ((raster.width - width) // 2, (raster.height - height) // 2)
    return slide.read(raster, Window(*corner, width, height))


def learn_scale(seen: Sequence[Seen]) -> ScaleModel:
    """Fit both regressions; their errors are from folders that were left out of them in turn.

    Raises
    ------
    DataError
        If there are not two folders with nuclei.
    """
    folders = sorted({each.folder for each in seen})
    if len(folders) < 2:
        raise DataError(
            "the error of an estimated pixel size is measured on a folder left out of learning, so at "
            "least two folders of training images are needed; give a configuration with more."
        )
    errors: list[float] = []
    at_the_right_size: list[float] = []
    for left in folders:
        model = _fitted([each for each in seen if each.folder != left])
        own = [each for each in seen if each.folder == left]
        errors += errors_of(model, own)
        at_the_right_size += [
            model.doublings(each.nuclei) or 0.0 for each in own if not each.doublings
        ]
    # such that 95 of 100 lie within 1.96 of it, whatever their distribution
    spread = float(np.quantile(np.abs(errors), 0.95)) / 1.96
    limit = float(np.quantile(np.abs(at_the_right_size), 0.95))
    return replace(_fitted(seen), spread=round(spread, 4), limit=round(limit, 4))


def errors_of(model: ScaleModel, seen: Sequence[Seen]) -> Iterator[float]:
    """Give, for each image, by how many doublings its estimated pixel size is off."""
    for image in sorted({each.image for each in seen}):
        of_image = [each for each in seen if each.image == image]
        found = vote(
            [[each.nuclei] for each in of_image],
            [2**each.doublings for each in of_image],
            model,
            fewest=FEWEST_NUCLEI,
        )
        if found is not None:
            yield float(np.log2(found))


def learn_familiarity(training: Sequence[Seen]) -> Familiarity:
    """Describe the cloud of the training images; `limit_of` says where it ends.

    Raises
    ------
    DataError
        If there are too few images.
    """
    cloud = _looks(training, "training")
    # what hardly varies would else be divided by nearly nothing
    deviations = np.maximum(cloud.std(axis=0), 0.05 * cloud.std(axis=0).mean())
    middle = cloud.mean(axis=0)
    covariance = LedoitWolf(assume_centered=True).fit((cloud - middle) / deviations).covariance_
    whitening = np.linalg.cholesky(np.linalg.inv(covariance))
    return Familiarity(
        _rounded(middle),
        _rounded(deviations),
        _rounded(whitening[np.tril_indices(len(middle))]),
        limit=np.inf,
    )


def limit_of(cloud: Familiarity, validation: Sequence[Seen]) -> float:
    """Return the distance that one validation image in forty exceeds.

    Raises
    ------
    DataError
        If there are too few images.
    """
    distances = [cloud.distance(each) for each in _looks(validation, "validation")]
    return round(float(np.quantile(distances, FAMILIAR_SHARE)), 3)


def _looks(seen: Sequence[Seen], what: str) -> _Floats:
    looks = [look for each in seen if (look := each.nuclei.look()) is not None]
    if len(looks) < _FEWEST_IMAGES:
        raise DataError(
            f"{len(looks)} {what} images hold enough nuclei; give a configuration with at least "
            f"{_FEWEST_IMAGES} of them."
        )
    return np.array(looks)


def areas_of(seen: Sequence[Seen]) -> dict[str, tuple[float, ...]]:
    """Return the range of the images' median nuclear areas, by group, µm²."""
    areas = {}
    for group in GROUPS[:-1]:
        medians = [each.nuclei.median_um2(group) for each in seen]
        known = [each for each in medians if each is not None]
        if known:
            areas[group] = tuple(np.percentile(known, [2.5, 50, 97.5]).round(1).tolist())
    return areas


def _fitted(seen: Sequence[Seen]) -> ScaleModel:
    """Fit by ridge regression; each folder counts alike."""
    doublings = np.array([each.doublings for each in seen])
    folders = np.array([each.folder for each in seen])
    weights = np.array([1 / np.count_nonzero(folders == each) for each in folders])
    fine = np.array([each.nuclei.sizes() for each in seen])
    coarse = np.array([coarse_entries(each.nuclei) for each in seen])
    return ScaleModel(
        # what is nearly right counts most
        _ridge(fine, doublings, weights / (1 + 4 * doublings**2), _FINE_RIDGE),
        _ridge(coarse, doublings, weights, _COARSE_RIDGE),
        spread=0.0,
        limit=0.0,
    )


def _ridge(entries: _Floats, wanted: _Floats, weights: _Floats, ridge: float) -> Regression:
    shares = weights / weights.sum()
    means = shares @ entries
    deviations = np.maximum(np.sqrt(shares @ (entries - means) ** 2), 1e-6)
    standard = (entries - means) / deviations
    intercept = float(shares @ wanted)
    matrix = (standard * shares[:, None]).T @ standard + ridge * np.eye(entries.shape[1])
    found = np.linalg.solve(matrix, (standard * shares[:, None]).T @ (wanted - intercept))
    return Regression(_rounded(means), _rounded(deviations), _rounded(found), round(intercept, 5))


def _spread(images: Sequence[LabelledImage]) -> list[LabelledImage]:
    count = min(MOST_IMAGES, len(images))
    return [images[i] for i in np.linspace(0, len(images) - 1, count).astype(int)]


def _rounded(values: npt.NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(float(f"{each:.5g}") for each in values)
