"""The slide that memory is measured on is what it says."""

from pathlib import Path

import numpy as np

from seg_core.geometry import Region
from seg_core.slide import find_tissue, open_slide
from tests.bench.huge_slide import write_huge_slide


def test_a_small_file_is_a_large_pyramidal_slide_with_real_tissue(tmp_path: Path) -> None:
    path = write_huge_slide(tmp_path / "huge.tif", 30_000, 20_000, tissue_share=0.2)
    assert path.stat().st_size < 10e6
    slide = open_slide(path)
    assert (slide.info.width, slide.info.height, slide.info.mpp) == (30_000, 20_000, 0.25)
    assert slide.info.level_downsamples == (1, 4, 16)
    assert 0.15 < find_tissue(slide).mask.mean() < 0.3
    one, other = (
        slide.read_level0(Region(3 * 4096 + x, 2 * 4096 + 100, 300, 200), (300, 200))
        for x in (70, 4166)
    )
    assert np.array_equal(one, other)
    assert one.std() > 10
    fine = slide.read_level0(Region(3 * 4096, 2 * 4096, 2048, 2048), (128, 128)).astype(int)
    coarse = slide.read_level0(Region(2 * 4096, 4096, 8192, 8192), (512, 512))[256:384, 256:384]
    assert np.abs(fine - coarse).mean() < 6
