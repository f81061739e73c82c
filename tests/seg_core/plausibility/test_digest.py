"""Nuclei taken together: medians, shares and means, the same whatever the parts."""

import numpy as np
import pytest
from nuclei_tables import random_nuclei

from seg_core.classes import MONUSAC, OTHER
from seg_core.nuclei.nucleus_table import FEATURES
from seg_core.plausibility import Digest, digest_of


def test_medians_shares_and_means_are_those_of_the_table() -> None:
    table = random_nuclei(4000)
    found = digest_of(table, MONUSAC)
    sizes = found.sizes()
    assert len(found) == 4000
    for at, name in enumerate(("epithelial", "lymphocyte", OTHER)):
        own = table["area_um2"][table["class_name"] == name]
        assert np.exp(sizes[at]) == pytest.approx(own.median(), rel=0.01)
        assert sizes[3 + at] == pytest.approx(len(own) / 4000)
    assert sizes[6] == pytest.approx(table["class_score"].mean(), rel=1e-6)
    assert found.median_um2() == pytest.approx(table["area_um2"].median(), rel=0.01)


def test_parts_add_up_to_the_whole() -> None:
    table = random_nuclei(300)
    features = np.random.default_rng(1).normal(size=(300, 4)).astype(np.float16)
    features[7] = np.nan  # a nucleus of which nothing is known
    table[FEATURES] = list(features)
    whole = digest_of(table, MONUSAC)
    parts = [digest_of(table.iloc[at : at + 70], MONUSAC) for at in range(0, 300, 70)]
    together = sum(parts, Digest.empty())
    np.testing.assert_array_equal(together.area_counts, whole.area_counts)
    np.testing.assert_allclose(together.look(), whole.look())
    known = np.delete(features.astype(np.float64), 7, axis=0)
    np.testing.assert_allclose(whole.look()[:4], known.mean(axis=0), atol=1e-6)  # type: ignore[index]
    assert whole.look()[4] == pytest.approx(table["haematoxylin_od"].mean())  # type: ignore[index]
    assert whole.featured == 299


def test_a_group_of_few_nuclei_has_the_median_of_all() -> None:
    table = random_nuclei(400)
    table.loc[table["class_name"] == "lymphocyte", "class_name"] = "epithelial"
    table.loc[:3, "class_name"] = "lymphocyte"
    found = digest_of(table, MONUSAC)
    assert found.median_um2("lymphocyte") is None
    assert np.exp(found.sizes()[1]) == pytest.approx(table["area_um2"].median(), rel=0.01)


def test_no_nuclei_have_no_sizes_and_no_look() -> None:
    assert Digest.empty().look() is None
    with pytest.raises(ValueError, match="0 nuclei say nothing of sizes"):
        Digest.empty().sizes()
