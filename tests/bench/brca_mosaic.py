"""The sample `brca_mosaic.tif`: images of several patients, laid out as one slide.

    python -m tests.bench.brca_mosaic [--images FOLDER] [--out FILE]

The images are all of BRCA-M2C that no shipped model was trained on (`hold_out` in
`weights/training`), about 500 × 500 pixels at 20x, none left out. The middle of each, 480 × 480,
lies beside the next without gaps, row by row in the order of their names; but those of the hospital
AC, most of which show stroma alone, come first, so that the tumours lie together. Writes a pyramid
of JPEG tiles that says 0.5 µm/px, never over another file.
"""

import argparse
import tomllib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from tests.browser.starting import ROOT

IMAGES = ROOT / "../shared/data/brca_m2c/images"
RECIPES = ROOT / "weights/training"
ACROSS, SIDE_PX = 5, 480
MPP = 0.5
_STROMA_HOSPITAL = "TCGA-AC-"
LEVELS, FACTOR, JPEG_QUALITY = 3, 4, 93
_PX_PER_CM = 10_000 / MPP


def main() -> None:
    """Lay the images out and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=IMAGES)
    parser.add_argument("--out", type=Path, default=ROOT / "seg_core/samples/brca_mosaic.tif")
    options = parser.parse_args()
    if options.out.exists():
        raise SystemExit(f"{options.out} is there already; remove it first.")
    write_pyramid(options.out, lay_out(held_out(options.images)))
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


def held_out(images: Path) -> list[Path]:
    """Return the images that every recipe keeps from training, in the order they are laid."""
    kept = [
        {path for pattern in source["hold_out"] for path in images.glob(f"{pattern}.webp")}
        for recipe in sorted(RECIPES.glob("*.toml"))
        for source in tomllib.loads(recipe.read_text(encoding="utf-8"))["sources"]
        if source["name"] == "brca_m2c"
    ]
    return sorted(
        set.intersection(*kept),
        key=lambda path: (not path.name.startswith(_STROMA_HOSPITAL), path.name),
    )


def lay_out(tiles: list[Path]) -> npt.NDArray[np.uint8]:
    """Return the mosaic, RGB."""
    down = len(tiles) // ACROSS
    mosaic = np.empty((down * SIDE_PX, ACROSS * SIDE_PX, 3), np.uint8)
    for number, path in enumerate(tiles):
        row, column = divmod(number, ACROSS)
        y, x = row * SIDE_PX, column * SIDE_PX
        with Image.open(path) as tile:
            left, top = (tile.width - SIDE_PX) // 2, (tile.height - SIDE_PX) // 2
            middle = tile.convert("RGB").crop((left, top, left + SIDE_PX, top + SIDE_PX))
        mosaic[y : y + SIDE_PX, x : x + SIDE_PX] = middle
    return mosaic


def write_pyramid(path: Path, image: npt.NDArray[np.uint8]) -> None:
    """Write a tiled TIFF with smaller levels, as OpenSlide reads one."""
    height, width, _ = image.shape
    with tifffile.TiffWriter(path) as file:
        for level in range(LEVELS):
            shrink = FACTOR**level
            shown = Image.fromarray(image).resize(
                (width // shrink, height // shrink), Image.Resampling.BOX
            )
            file.write(
                np.asarray(shown),
                photometric="rgb",
                subsampling=(1, 1),
                tile=(256, 256),
                compression="jpeg",
                compressionargs={"level": JPEG_QUALITY},
                resolution=(_PX_PER_CM / shrink, _PX_PER_CM / shrink),
                resolutionunit="CENTIMETER",
                subfiletype=1 if level else 0,
                metadata=None,
                software=False,
            )


if __name__ == "__main__":
    main()
