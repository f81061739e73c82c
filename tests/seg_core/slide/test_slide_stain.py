import numpy as np
import pytest

from seg_core.slide import stain_densities
from seg_core.slide.stain import optical_density

HAEMATOXYLIN = np.array([0.650, 0.704, 0.286])
EOSIN = np.array([0.072, 0.990, 0.105])


def stained(haematoxylin, eosin):
    """Paint a pixel that holds so much of each stain, by the law of Beer and Lambert."""
    unit = [each / np.linalg.norm(each) for each in (HAEMATOXYLIN, EOSIN)]
    density = haematoxylin * unit[0] + eosin * unit[1]
    return np.round(255 * 10**-density).astype(np.uint8)[None, None]


@pytest.mark.parametrize("amounts", [(0.5, 0.0), (0.0, 0.4), (0.6, 0.3), (0.1, 0.05)])
def test_stains_are_found_again_in_a_painted_pixel(amounts):
    assert stain_densities(stained(*amounts))[0, 0] == pytest.approx(amounts, abs=0.02)


def test_white_holds_no_stain():
    densities = stain_densities(np.full((3, 4, 3), 255, dtype=np.uint8))
    assert densities.shape == (3, 4, 2)
    assert densities.dtype == np.float32
    assert (densities == 0).all()


def test_black_has_a_finite_density():
    assert optical_density(np.zeros((1, 1, 3), dtype=np.uint8)).max() == pytest.approx(2.4065, 1e-4)
