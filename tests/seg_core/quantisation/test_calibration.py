from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seg_core.errors import DataError
from seg_core.quantisation.calibration import SAMPLES, calibration_tiles

TISSUE, INK = (220, 160, 200), (40, 60, 200)


def save(folder: Path, name: str, colour: tuple[int, int, int], side: int = 80) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, side, 3), colour, np.uint8)).save(folder / f"{name}.png")


@pytest.mark.parametrize("within", ["", "images"])
def test_every_image_of_tissue_and_every_sample_gives_as_many_tiles(
    tmp_path: Path, within: str
) -> None:
    save(tmp_path / within, "a", TISSUE)
    save(tmp_path / within, "blank", (255, 255, 255))
    save(tmp_path / within, "b", (200, 120, 190))
    save(tmp_path / within, "smaller than a tile", TISSUE, side=40)
    tiles = calibration_tiles([tmp_path], mpp=0.25, tile_px=64, count=4 * (2 + len(SAMPLES)))
    assert {tile.shape for tile in tiles} == {(64, 64, 3)}
    means = np.array([tile.mean(axis=(0, 1)) for tile in tiles])
    for colour in (TISSUE, (200, 120, 190)):
        assert (np.abs(means - colour).max(axis=1) < 0.5).sum() == 4
    assert not (means > 254).all(axis=1).any()


def test_the_same_tiles_come_each_time(tmp_path: Path) -> None:
    save(tmp_path, "a", TISSUE)
    one, two = (calibration_tiles([tmp_path], 0.25, 64, 6) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path.name} has no images; give a folder of images"):
        calibration_tiles([tmp_path], 0.25, 64, 1)
