"""A classifier taught on what one precision sees names the nuclei of another."""

from pathlib import Path

import numpy as np
import openvino as ov
import pytest
import shapely
from scipy.spatial import KDTree

from seg_core.analysis import analyse
from seg_core.geometry import Region
from seg_core.model import find_model
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings, Precision
from seg_core.store import Run
from seg_core.teaching.apply import classify
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.labels import labels_of, read_marks
from seg_core.teaching.teach import teach

CLICKS = Path(__file__).parent / "clicks" / "keratinocytes.geojson"

# Epidermis with most of the clicks, and what lies under it.
REGION = Region(1050, 1780, 750, 960)

SAME_UM = 2.0

HAS_BF16 = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def analysed(precision: Precision, store: Path) -> Run:
    if precision == "bf16" and not HAS_BF16:
        pytest.skip("the processor does not multiply in bf16")
    if precision == "int8" and find_model(None)[0].int8 is None:
        pytest.skip("the default model ships no graph in int8")
    settings = AnalysisSettings(precision=precision)
    return analyse(sample_path("cmu_small_region"), store, region=REGION, settings=settings)


def named(run: Run, classifier: Classifier) -> tuple[np.ndarray, np.ndarray]:
    """Return centroids, µm, and names of the nuclei as the classifier answers them."""
    table = classify(run, classifier, name="skin").nuclei()
    return table[["x", "y"]].to_numpy() * run.facts.question.slide_mpp, table[
        "class_name"
    ].to_numpy()


@pytest.mark.weights
@pytest.mark.parametrize("precision", ["bf16", "int8"])
def test_what_was_taught_on_full_precision_names_the_nuclei_of_less(
    precision: Precision, tmp_path: Path
) -> None:
    exact, rough = (analysed(each, tmp_path) for each in ("fp32", precision))
    part = shapely.box(REGION.x, REGION.y, REGION.right, REGION.bottom)
    marks = [each for each in read_marks(CLICKS) if part.contains(each.shape)]
    classifier = teach(labels_of(marks, [exact])).classifier
    (one, expected), (other, names) = (named(each, classifier) for each in (exact, rough))
    distance, nearest = KDTree(one).query(other)
    same = distance < SAME_UM
    assert same.mean() > 0.95
    assert len(set(expected)) >= 3
    assert (names[same] == expected[nearest[same]]).mean() > 0.9
