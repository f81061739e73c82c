import json

import numpy as np
import pytest

from seg_core.teaching.validation import Validation


def test_a_class_without_labels_has_no_figures_and_is_outside_the_mean() -> None:
    """Its zeros once stood in the mean of the others."""
    confusion = np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]], np.int64)
    found = Validation(("epithelial", "lymphocyte", "other"), confusion, "square", 4, 0.5)
    first, second, unlabelled = found.by_class()
    assert unlabelled == {
        "class": "other",
        "precision": None,
        "recall": None,
        "f1": None,
        "labels": 0,
    }
    assert found.macro_f1 == pytest.approx((first["f1"] + second["f1"]) / 2)
    json.dumps(found.to_json(), allow_nan=False)
