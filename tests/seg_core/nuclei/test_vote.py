import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seg_core.classes import MONUSAC, ClassScheme, NucleusClass, VoteWeight
from seg_core.geometry import Raster, Region
from seg_core.maps import Maps
from seg_core.nuclei.instances import find_instances
from seg_core.nuclei.vote import calibrated
from seg_core.settings import AnalysisSettings

SHARES = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 9), st.just(3)), elements=st.floats(0.01, 1)
).map(lambda rows: rows / rows.sum(axis=1, keepdims=True))
WEIGHTS = st.builds(VoteWeight, st.floats(-3, 3), st.floats(0.2, 4))


@given(SHARES, st.tuples(WEIGHTS, WEIGHTS))
def test_probabilities_add_up_to_one(shares: np.ndarray, weights: tuple[VoteWeight, ...]) -> None:
    likely = calibrated(shares, weights)
    np.testing.assert_allclose(likely.sum(axis=1), 1, atol=1e-5)
    assert (likely >= 0).all()


@given(SHARES)
def test_weights_that_say_nothing_change_next_to_nothing(shares: np.ndarray) -> None:
    likely = calibrated(shares, (VoteWeight(), VoteWeight()))
    np.testing.assert_allclose(likely, shares, atol=0.03)
    clear = np.sort(shares, axis=1)[:, -1] - np.sort(shares, axis=1)[:, -2] > 1e-6
    assert (likely.argmax(axis=1) == shares.argmax(axis=1))[clear].all()


@given(SHARES, st.floats(0.1, 3))
def test_a_class_with_a_lower_bias_is_less_likely_everywhere(
    shares: np.ndarray, doubt: float
) -> None:
    before = calibrated(shares, (VoteWeight(), VoteWeight()))
    after = calibrated(shares, (VoteWeight(bias=-doubt), VoteWeight()))
    assert (after[:, 1] < before[:, 1]).all()
    # the others keep their odds against each other
    np.testing.assert_allclose(after[:, 2] / after[:, 0], before[:, 2] / before[:, 0], rtol=1e-3)


def test_a_nucleus_that_nothing_voted_on_stays_without_a_class() -> None:
    assert calibrated(np.zeros((1, 3)), (VoteWeight(2.0), VoteWeight())).tolist() == [[0, 0, 0]]


def doubting_lymphocytes(bias: float) -> ClassScheme:
    weights = {"lymphocyte": VoteWeight(bias)}
    return ClassScheme(
        tuple(
            NucleusClass(each.id, each.name, each.colour, vote=weights.get(each.name))
            for each in MONUSAC.classes
        )
    )


@pytest.mark.parametrize(("bias", "winner"), [(0.0, 2), (-3.0, 0)])
def test_a_nucleus_has_the_class_that_is_likeliest_and_its_probability(
    bias: float, winner: int
) -> None:
    ternary = np.pad(np.ones((10, 10), np.uint8), 2)
    class_map = np.where(np.arange(14) < 6, 0, 2).astype(np.uint8)[None].repeat(14, axis=0)
    maps = Maps(class_map, ternary, np.full_like(ternary, 200))
    raster = Raster(Region(0, 0, 14, 14), mpp=1.0, downsample=1.0)
    found = find_instances(
        maps, raster, raster.window, AnalysisSettings(), doubting_lymphocytes(bias)
    )
    assert found.class_ids.tolist() == [winner]
    assert found.class_scores[0] == found.class_shares[0, winner] == found.class_shares.max()
    np.testing.assert_allclose(found.class_shares.sum(), 1, atol=1e-5)


def test_weights_of_votes_stand_in_the_card_only_where_there_are_any() -> None:
    assert MONUSAC.votes is None
    assert all("vote" not in each for each in MONUSAC.to_json())
    doubting = doubting_lymphocytes(-1.5)
    assert doubting.votes == (VoteWeight(), VoteWeight(-1.5), VoteWeight(), VoteWeight())
    assert ClassScheme.from_json(doubting.to_json()) == doubting
    assert doubting.recoloured("colour-blind").votes == doubting.votes
