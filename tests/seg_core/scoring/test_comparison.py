"""Two runs counted where both have looked, by hand."""

import numpy as np
import pandas as pd
import pytest

from seg_core.errors import RegionError
from seg_core.geometry import Region
from seg_core.roi import Roi, roi_of_region
from seg_core.scoring import Part, Statistics, compare_classes, part_in_both


class AnalysedPart:
    """As much of a run as its parts need."""

    def __init__(self, region: Region) -> None:
        self.region, self.roi = region, None


def statistics(counts: dict[str, int], tissue_um2: float | None = 1e6) -> Statistics:
    classes = pd.DataFrame({"class_name": list(counts), "count": list(counts.values())})
    mm2 = np.nan if tissue_um2 is None else tissue_um2 / 1e6
    classes["density_per_mm2"] = classes["count"] / mm2
    part = Part("both", roi_of_region(Region(0, 0, 9, 9)).polygon)
    return Statistics(part, tissue_um2, classes, pd.DataFrame(), (), None)


def test_the_part_of_both_is_what_they_have_in_common_less_what_is_excluded() -> None:
    first, second = AnalysedPart(Region(0, 0, 100, 100)), AnalysedPart(Region(50, 0, 100, 100))
    left_out = Roi("fold", roi_of_region(Region(60, 0, 10, 100)).polygon, "exclude")
    counted = Roi("nest", roi_of_region(Region(0, 0, 5, 5)).polygon)
    part = part_in_both(first, second, [left_out, counted])  # type: ignore[arg-type]
    assert part.polygon.bounds == (50, 0, 100, 100)
    assert part.polygon.area == 50 * 100 - 10 * 100
    assert not part.everything


def test_runs_that_touch_only_are_refused_in_a_sentence() -> None:
    first, second = AnalysedPart(Region(0, 0, 10, 10)), AnalysedPart(Region(10, 0, 10, 10))
    with pytest.raises(RegionError, match="no part of the slide in common"):
        part_in_both(first, second)  # type: ignore[arg-type]


def test_counts_and_densities_are_subtracted_name_by_name() -> None:
    compared = compare_classes(
        statistics({"lymphocyte": 10, "epithelial": 0}),
        statistics({"lymphocyte": 4, "plasma": 3}, 2e6),
    ).set_index("class_name")
    assert list(compared.index) == ["lymphocyte", "epithelial", "plasma", "all"]
    assert compared["count_difference"].tolist() == [-6, 0, 3, -3]
    assert compared["density_second"].tolist() == [2.0, 0.0, 1.5, 3.5]
    assert compared["density_difference"].tolist() == [-8.0, 0.0, 1.5, -6.5]
    assert compared["change"].iloc[[0, 3]].tolist() == [-0.6, -0.3]
    assert compared["change"].iloc[[1, 2]].isna().all()


def test_without_tissue_there_are_counts_alone() -> None:
    compared = compare_classes(statistics({"a": 1}, None), statistics({"a": 2}))
    assert compared["count_difference"].tolist() == [1, 1]
    assert compared["density_difference"].isna().all()
