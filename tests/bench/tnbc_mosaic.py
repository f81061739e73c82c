"""The sample `tnbc_mosaic.tif`: tiles of several patients, laid out as one slide.

    python -m tests.bench.tnbc_mosaic [--images FOLDER] [--out FILE]

The tiles are those of Naylor et al. (Zenodo 1175282), 512 × 512 pixels at 40x, named
``patient_number``. Left out are fourteen: eight of fat, vessels, debris or detached tissue, and six
where the model takes plasma cells or lymphocytes for epithelium (02_3, 07_1, 08_2, 08_3, 09_4, 10_1).
The others lie side by side without gaps, row by row, every second row from right to left, so that
the tiles of a patient touch. Writes a pyramid of JPEG tiles that says 0.25 µm/px, never over another
file.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from tests.browser.starting import ROOT

TILES = (
    *("01_2", "01_4", "01_1", "01_7", "01_5", "01_3"),
    *("01_6", "02_1", "02_2", "03_2", "03_1", "03_3"),
    *("03_5", "03_4", "04_6", "04_4", "04_1", "04_8"),
    *("05_2", "05_3", "05_1", "05_4", "06_1", "06_2"),
    *("06_3", "07_2", "07_3", "08_1", "08_4", "09_3"),
    *("09_1", "09_2", "09_5", "11_1", "11_3", "10_3"),
)
IMAGES = ROOT / "../shared/data/tnbc/images"
ACROSS, SIDE_PX = 6, 512
MPP = 0.25
LEVELS, FACTOR, JPEG_QUALITY = 3, 4, 88
_PX_PER_CM = 10_000 / MPP


def main() -> None:
    """Lay the tiles out and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=Path, default=IMAGES)
    parser.add_argument("--out", type=Path, default=ROOT / "seg_core/samples/tnbc_mosaic.tif")
    options = parser.parse_args()
    if options.out.exists():
        raise SystemExit(f"{options.out} is there already; remove it first.")
    write_pyramid(options.out, lay_out(options.images))
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


def lay_out(images: Path) -> npt.NDArray[np.uint8]:
    """Return the mosaic, RGB."""
    down = len(TILES) // ACROSS
    mosaic = np.empty((down * SIDE_PX, ACROSS * SIDE_PX, 3), np.uint8)
    for number, name in enumerate(TILES):
        row, column = divmod(number, ACROSS)
        column = column if row % 2 == 0 else ACROSS - 1 - column
        y, x = row * SIDE_PX, column * SIDE_PX
        with Image.open(images / f"{name}.webp") as tile:
            mosaic[y : y + SIDE_PX, x : x + SIDE_PX] = tile.convert("RGB")
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
