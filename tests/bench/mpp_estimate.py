"""How far an estimated pixel size is off, on labelled images that were resized by known factors.

    python -m tests.bench.mpp_estimate [--config weights/training/lite0-sixth.toml] [--most 5]
                                       [--model NAME|FILE]

Images that the model was never trained on are enlarged or reduced as a whole, so that a pixel has
another known size, and `seg_core.plausibility.estimate_pixel_size` is asked for it as for a slide whose
file is silent. The table stands in `docs/models.md`.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from seg_core.errors import ResolutionError
from seg_core.labelled.labelled_image import LabelledImage
from seg_core.model import find_model, make_engine
from seg_core.plausibility.pixel_size import PixelSizeEstimate, estimate_pixel_size
from seg_core.plausibility.profile import needed_profile
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide
from tests.bench.held_out import bench_options, held_out_images

FACTORS = (0.5, 0.8, 1.6)
"""Width of the resized image by that of the original; not what was learnt from."""


def main() -> None:
    """Measure and print a row for each set and factor."""
    options = bench_options(str(__doc__), 5)
    card, weights = find_model(options.model)
    profile, settings = needed_profile(card, weights), AnalysisSettings()
    engine = make_engine(card, weights, settings)

    def ask(image: npt.NDArray[np.uint8]) -> PixelSizeEstimate | None:
        try:
            return estimate_pixel_size(
                ArraySlide(image),
                engine,
                profile.scale,
                network_mpp=card.mpp,
                scheme=card.scheme,
                settings=settings,
            )
        except ResolutionError:
            return None

    print(
        "| set | true µm/px | images | median error | within 15 % | interval holds it | no estimate |"
    )
    print("|---|---|---|---|---|---|---|")
    every: list[tuple[float, PixelSizeEstimate | None]] = []
    for name, images in held_out_images(options.config, options.most).items():
        of_set: list[tuple[float, PixelSizeEstimate | None]] = []
        for factor in FACTORS:
            found = [
                (truth, ask(rgb))
                for truth, rgb in tqdm(
                    _resized(images, factor), f"{name} × {factor:g}", len(images), disable=None
                )
            ]
            print(_row(name, f"{found[0][0]:.3g}", found), flush=True)
            of_set += found
        every += of_set
    print(_row("**all**", "", every))


def _resized(
    images: list[LabelledImage], factor: float
) -> Iterator[tuple[float, npt.NDArray[np.uint8]]]:
    """Give each image resized, with the size that its pixels then have."""
    for each in images:
        height, width = each.image.shape[:2]
        size = (round(width * factor), round(height * factor))
        resized = Image.fromarray(each.image).resize(size, Image.Resampling.BICUBIC)
        yield each.mpp * width / size[0], np.asarray(resized)


def _row(name: str, size: str, found: list[tuple[float, PixelSizeEstimate | None]]) -> str:
    known = [(truth, each) for truth, each in found if each is not None]
    errors = np.array([abs(each.mpp / truth - 1) for truth, each in known])
    held = np.mean([each.low <= truth <= each.high for truth, each in known])
    cells = [
        *(name, size, f"{len(found)}", f"{np.median(errors):.0%}", f"{np.mean(errors < 0.15):.0%}"),
        *(f"{held:.0%}", f"{len(found) - len(known)}"),
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
