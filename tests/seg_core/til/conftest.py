"""The layout that several tests of the scores look at."""

import pytest
from til_layouts import FAST, block, nuclei, scatter, tissue

from seg_core.til import TilResult, score_tils


@pytest.fixture(scope="module")
def band() -> TilResult:
    """1 mm² with a band of epithelium 200 µm wide: E is 210 µm wide, S the other 790."""
    return score_tils(
        nuclei(
            epithelial=block(500, 0, 700, 1000),
            lymphocyte=[*scatter(79, 10, 0, 490, 1000), *scatter(21, 500, 0, 700, 1000)],
            macrophage=scatter(50, 10, 0, 490, 1000),
            neutrophil=scatter(25, 10, 0, 490, 1000),
            other=scatter(500, 10, 0, 490, 1000),
        ),
        tissue(1000, 1000),
        settings=FAST,
    )
