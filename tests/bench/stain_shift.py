"""Whether normalising the stain helps a model on slides of a laboratory that stains otherwise.

    python -m tests.bench.stain_shift ../shared/data/monusac/val [--model NAME|FILE] [--precision bf16]

Shifts the stain of labelled images as strongly as laboratories differ, and prints mPQ+ and
detection F1 for each shift and each way to normalise, as a Markdown table.
"""

import argparse
import tempfile
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import numpy.typing as npt

from seg_core.evaluation.evaluate import evaluate
from seg_core.labelled.layouts import CLASSES, IGNORE, IMAGES, INSTANCES
from seg_core.settings import AnalysisSettings, Precision, StainName
from seg_core.slide import ArraySlide, open_slide
from seg_core.slide.stain import optical_density
from seg_core.training.augment import HED_FROM_STAINS, STAINS_FROM_HED

# Amounts of haematoxylin and eosin against what they were, and the light that the slide lets
# through where it is empty (red, green, blue).
SHIFTS = {
    "as they are": ((1.0, 1.0), (1.0, 1.0, 1.0)),
    "pale": ((0.4, 0.4), (1.0, 1.0, 1.0)),
    "strong": ((1.8, 1.8), (1.0, 1.0, 1.0)),
    "red (eosin 2, haematoxylin 0.5)": ((0.5, 2.0), (1.0, 1.0, 1.0)),
    "blue (eosin 0.3, haematoxylin 1.3)": ((1.3, 0.3), (1.0, 1.0, 1.0)),
    "pale under yellow light": ((0.6, 0.6), (0.98, 0.92, 0.78)),
}


def shifted(
    rgb: npt.NDArray[np.uint8], gains: tuple[float, float], light: tuple[float, float, float]
) -> npt.NDArray[np.uint8]:
    """Return an image as if its tissue had been stained otherwise.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
    gains : (float, float)
        Amounts of haematoxylin and eosin against what they were.
    light : (float, float, float)
        Share of red, green and blue light.
    """
    stains = optical_density(rgb) @ STAINS_FROM_HED * np.array([*gains, 1.0], dtype=np.float32)
    through = 255 * np.power(10.0, -(stains @ HED_FROM_STAINS)) * light
    return np.clip(np.rint(through), 0, 255).astype(np.uint8)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--precision", choices=get_args(Precision), default="auto")
    options = parser.parse_args()
    methods = get_args(StainName)
    print(f"| mPQ+ (detection F1) | {' | '.join(methods)} |\n|---{'|---' * len(methods)}|")
    for name, (gains, light) in SHIFTS.items():
        with tempfile.TemporaryDirectory() as folder:
            data = _write(options.data, Path(folder), gains, light)
            figures = []
            for method in methods:
                settings = AnalysisSettings(stain=method, precision=options.precision)
                result = evaluate(data, options.model, settings)["instance"]
                figures.append(f"{result['mpq_plus']:.3f} ({result['detection_f1']:.3f})")
        print(f"| {name} | {' | '.join(figures)} |", flush=True)


def _write(
    data: Path, folder: Path, gains: tuple[float, float], light: tuple[float, float, float]
) -> Path:
    """Lay out the shifted images beside the labels they have."""
    for labels in (INSTANCES, CLASSES, IGNORE):
        if (data / labels).is_dir():
            (folder / labels).symlink_to((data / labels).resolve())
    (folder / IMAGES).mkdir()
    for path in sorted((data / IMAGES).iterdir()):
        slide = open_slide(path, mpp=1.0)
        assert isinstance(slide, ArraySlide), f"{path.name} is no ordinary image"
        rgb = slide.read(slide.raster(1.0), slide.raster(1.0).window)
        picture = cv2.cvtColor(shifted(rgb, gains, light), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / IMAGES / f"{path.stem}.png"), picture)
    return folder


if __name__ == "__main__":
    main()
