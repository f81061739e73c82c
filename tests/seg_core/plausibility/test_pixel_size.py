"""How large a pixel is by its nuclei, on painted slides of known size and on a real one."""

import json
from pathlib import Path

import numpy as np
import painted_slides
import pytest

from seg_core.commands import main
from seg_core.errors import ResolutionError
from seg_core.plausibility import Digest, PixelSizeEstimate, ScaleModel, estimate_pixel_size
from seg_core.plausibility.pixel_size import Regression, estimate_of
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide

# Painted nuclei are discs of this area where a pixel is 0.25 µm.
AREA_UM2 = np.pi * (painted_slides.RADIUS_PX * painted_slides.MPP) ** 2

_THIRD = float(1 / (6 * np.log(2)))  # mean of three, half of an area's doublings
_BY_AREA = Regression(
    (float(np.log(AREA_UM2)),) * 3 + (0.0,) * 4, (1.0,) * 7, (_THIRD,) * 3 + (0.0,) * 4, 0.0
)
_NO_LOOK = (0.0,) * 5  # three features and two stains say nothing here

PAINTED = ScaleModel(
    fine=_BY_AREA,
    coarse=Regression(
        _BY_AREA.means + _NO_LOOK, (1.0,) * 12, _BY_AREA.weights + _NO_LOOK, intercept=0.0
    ),
    spread=0.1,
    limit=0.5,
)


def estimate(rgb: np.ndarray) -> PixelSizeEstimate:
    return estimate_pixel_size(
        ArraySlide(rgb),
        painted_slides.PaintedEngine(),
        PAINTED,
        network_mpp=painted_slides.MPP,
        scheme=painted_slides.CARD.scheme,
        settings=AnalysisSettings(),
    )


@pytest.mark.parametrize("enlarged", [1, 2])
def test_a_painted_slide_has_the_pixel_size_it_was_painted_with(enlarged: int) -> None:
    rgb = painted_slides.paint(1200, 1000).rgb
    found = estimate(rgb.repeat(enlarged, axis=0).repeat(enlarged, axis=1))
    assert found.mpp == pytest.approx(
        painted_slides.MPP / enlarged, rel=0.12
    )  # edges of a painting blur
    assert found.low < found.mpp < found.high
    assert found.nuclei > 30


def test_a_slide_without_nuclei_has_no_estimate_and_says_why() -> None:
    tissue = np.full((600, 600, 3), painted_slides.TISSUE, np.uint8)
    with pytest.raises(
        ResolutionError, match=r"cannot be estimated: at most 0 nuclei .* 30 are needed"
    ):
        estimate(tissue)


def test_places_that_differ_make_the_interval_wider() -> None:
    def found(areas: list[float]) -> PixelSizeEstimate:
        looks = [[_digest(area * assumed**2) for area in areas] for assumed in (0.2, 0.25, 0.3)]
        return estimate_of(looks, (0.2, 0.25, 0.3), PAINTED, "slide")

    same, different = found([600.0] * 4), found([300.0, 500.0, 700.0, 1100.0])
    assert same.high / same.low == pytest.approx(2 ** (2 * 1.96 * 0.1), rel=0.01)
    assert different.high / different.low > 1.3 * same.high / same.low


def _digest(area_um2: float) -> Digest:
    """Fifty nuclei of one area, of no class."""
    empty = Digest.empty()
    counts = empty.area_counts.copy()
    edges = np.geomspace(1.0, 2000.0, counts.shape[1] + 1)
    counts[2, np.searchsorted(edges, area_um2) - 1] = 50
    return Digest(counts, 40.0, np.ones(2), np.ones(3), 50)


def test_the_sentence_asks_to_confirm_and_names_the_usual_size_where_one_fits() -> None:
    assert PixelSizeEstimate(0.262, 0.21, 0.32, 412, 6).in_words() == (
        "About 0.26 µm per pixel (0.21 to 0.32), from 412 nuclei on 6 places; please confirm. A scan at "
        "40x has about 0.25."
    )
    assert PixelSizeEstimate(0.36, 0.24, 0.55, 40, 1).usual is None
    assert PixelSizeEstimate(0.36, 0.3, 0.45, 40, 1).in_words().endswith("please confirm.")


def test_the_command_tells_a_40x_tile_from_a_20x_scan(capsys: pytest.CaptureFixture[str]) -> None:
    """The tiles of ovarian cancer, whose file is silent, were once shown at 0.5."""
    paths: list[Path] = [sample_path("hgsc_nest"), sample_path("cmu_small_region")]
    assert main(["mpp", *map(str, paths), "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    tile, scan = json.loads(lines[-1])["slides"]
    assert lines[0].startswith("hgsc_nest.jpg: About 0.")
    assert lines[1].endswith("The file says 0.499.")
    assert tile["mpp"] < 0.36 < scan["mpp"]
    assert scan["low"] < 0.499 < scan["high"]
