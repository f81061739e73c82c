"""Pictures of what the default model does wrong on the samples, for its card and the page Model.

    python -m tests.bench.failures [--model NAME|FILE] [--sheet FOLDER]

Places and words are those of somebody who has looked at the outlines; new weights need another look.
``--sheet`` writes each sample as a whole with its outlines, to look for them; without it the pictures of
`PLACES` go into ``weights/failures/`` and their list into the card.
"""

import argparse
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.analysis import analyse
from seg_core.evaluation.card_figures import write_entry
from seg_core.geometry import Raster, Region
from seg_core.model import find_model
from seg_core.model.card import WEIGHTS_FOLDER
from seg_core.model.measured import FAILURES_ENTRY
from seg_core.picture.encoding import encode_jpeg
from seg_core.picture.nucleus_painting import NucleusPainter
from seg_core.picture.slide_overlay import paint_nuclei
from seg_core.samples import SAMPLES, sample_path
from seg_core.settings import AnalysisSettings
from seg_core.store import Run

SIDE_PX = 420
FOLDER = WEIGHTS_FOLDER / "failures"


@dataclass(frozen=True, slots=True)
class Place:
    """A square of a sample: its middle, level-0 pixels, its side, and what is wrong there."""

    sample: str
    x: int
    y: int
    side_um: float
    words: str


PLACES = (
    Place(
        "hgsc_stromal_he",
        941,
        121,
        60,
        "The wall of a vessel and its endothelium are called epithelial.",
    ),
    Place(
        "hgsc_nest", 1359, 141, 70, "A fold out of focus: smears are outlined as epithelial nuclei."
    ),
    Place(
        *("hgsc_nest", 1379, 690, 60),
        "Some spindle-shaped nuclei of the stroma are called epithelial; most stay *other*, as they should.",
    ),
    Place(
        "cmu_small_region", 1273, 770, 70, "Green ink is outlined as one large epithelial nucleus."
    ),
    Place(
        *("cmu_small_region", 1250, 1180, 80),
        "Squamous epithelium towards the surface stays *other*, and folded keratin is outlined as an epithelial "
        "nucleus.",
    ),
    Place(
        *("brca_mosaic", 1310, 740, 80),
        "The wall of a small vessel of the breast and its endothelium are called epithelial.",
    ),
)


def main() -> None:
    """Analyse the samples, and write pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    card, _ = find_model(options.model)
    pictures = []
    with tempfile.TemporaryDirectory() as store:
        for sample in SAMPLES:
            run = analyse(
                sample_path(sample.name),
                Path(store),
                model=options.model,
                mpp=sample.mpp,
                settings=AnalysisSettings(precision="fp32"),
            )
            whole, mpp = _whole(run), run.facts.question.slide_mpp
            if options.sheet is not None:
                options.sheet.mkdir(parents=True, exist_ok=True)
                (options.sheet / f"{sample.name}.jpg").write_bytes(encode_jpeg(whole))
                continue
            own = [each for each in PLACES if each.sample == sample.name]
            for number, place in enumerate(own, start=1):
                file = f"{card.name}-{sample.name}-{number}.jpg"
                FOLDER.mkdir(exist_ok=True)
                (FOLDER / file).write_bytes(encode_jpeg(cut(whole, place, mpp)))
                pictures.append({"file": file, "words": place.words, "credit": sample.credit})
    if options.sheet is None:
        entry = {
            "command": "python -m tests.bench.failures",
            "weights_sha256": card.sha256,
            "pictures": pictures,
        }
        write_entry(FAILURES_ENTRY, entry, options.model)


def _whole(run: Run) -> npt.NDArray[np.uint8]:
    region = run.region
    return _painted(run, region, run.slide_mpp, 1.0)


def cut(whole: npt.NDArray[np.uint8], place: Place, mpp: float) -> npt.NDArray[np.uint8]:
    """Return a place out of a sample that is painted as a whole."""
    half = round(place.side_um / mpp / 2)
    part = whole[place.y - half : place.y + half, place.x - half : place.x + half]
    return np.asarray(Image.fromarray(part).resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))


def _painted(run: Run, region: Region, mpp: float, step: float) -> npt.NDArray[np.uint8]:
    table = run.nuclei()
    grid = Raster(region, mpp=step * mpp, downsample=step)
    with closing(run.open_slide()) as slide:
        painter = NucleusPainter(table, run.scheme)
        return paint_nuclei(slide, grid, painter, run.scheme.ids_of(run.scheme.names_with_other))


if __name__ == "__main__":
    main()
