"""Slides that ship with the program; README.md beside them tells where they come from."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from seg_core.errors import SlideError

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sample:
    """A slide that ships.

    Attributes
    ----------
    name : str
        Short name, the file's stem.
    file : str
        Name of the file beside this module.
    title : str
        What it shows.
    mpp : float or None
        Size of a pixel, µm, where the file does not say it but its source does, or else its nuclei
        (README.md); None leaves it to the file, and to the user where that is silent too.
    credit : str
        Source and licence, one line.
    note : str, optional
        What has to be known before its numbers are used, for whoever looks at it.
    """

    name: str
    file: str
    title: str
    mpp: float | None
    credit: str
    note: str | None = None


SAMPLES = (  # the first is the kind of tissue that the model is best at, the last an honest counter-example
    Sample(
        name="hgsc_nest",
        file="hgsc_nest.jpg",
        title="High-grade serous carcinoma: a tumour nest among lymphocytes",
        mpp=0.25,
        credit="histolytics 0.3.0, HautaniemiLab, University of Helsinki, BSD-3-Clause",
    ),
    Sample(
        name="brca_mosaic",
        file="brca_mosaic.tif",
        title="Breast cancer of several patients, side by side: large enough for a TIL score",
        mpp=None,
        credit=(
            "BRCA-M2C, Abousamra et al., ICCV 2021, BSD-3-Clause, with images of TCGA; 20 of them, side by side"
        ),
        note=(
            "A mosaic of images of 20 patients with breast cancer, laid side by side. No shipped model was "
            "trained on them, but they are among its validation images. Counts and scores are a "
            "demonstration: they are nobody's tumour."
        ),
    ),
    Sample(
        name="hgsc_stromal_he",
        file="hgsc_stromal_he.jpg",
        title="High-grade serous carcinoma: fibrous stroma",
        mpp=0.25,
        credit="histolytics 0.3.0, HautaniemiLab, University of Helsinki, BSD-3-Clause",
    ),
    Sample(
        name="cmu_small_region",
        file="cmu_small_region.svs",
        title="Skin, Aperio scan at 20x: unlike what the model has learnt from",
        mpp=None,
        credit="CMU-1-Small-Region of the OpenSlide test data, Carnegie Mellon University, CC0 1.0",
    ),
)


def sample_note(path: Path) -> str | None:
    """Return what has to be known of a slide that ships; None where there is nothing, or it is another.

    Examples
    --------
    >>> sample_note(sample_path("hgsc_nest")) is None
    True
    """
    sample = sample_at(path)
    return None if sample is None else sample.note


def sample_mpp(path: Path) -> float | None:
    """Return how large a pixel of a slide that ships is, µm; None where its file says so, or it is another.

    Examples
    --------
    >>> sample_mpp(sample_path("hgsc_nest"))
    0.25
    """
    sample = sample_at(path)
    return None if sample is None else sample.mpp


def sample_at(path: Path) -> Sample | None:
    """Return the sample that a file is; None where it is another.

    Examples
    --------
    >>> sample_at(sample_path("hgsc_nest")).mpp
    0.25
    """
    return _by_file().get(path.resolve())


@cache
def _by_file() -> dict[Path, Sample]:
    """Return the samples by where they lie; a page asks it of each slide of a cohort."""
    return {(_FOLDER / each.file).resolve(): each for each in SAMPLES}


def sample_path(name: str) -> Path:
    """Return the file of a sample.

    Parameters
    ----------
    name : str
        One of the names in `SAMPLES`.

    Raises
    ------
    SlideError
        If there is no such sample.

    Examples
    --------
    >>> sample_path("hgsc_nest").name
    'hgsc_nest.jpg'
    """
    for sample in SAMPLES:
        if sample.name == name:
            return _FOLDER / sample.file
    raise SlideError(
        f"there is no sample {name!r}; choose one of {', '.join(each.name for each in SAMPLES)}."
    )
