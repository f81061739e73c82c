from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from painted_maps import EVERYTHING, discs, maps_of, noise_maps, raster_of, read_labels

from seg_core.classes import MONUSAC
from seg_core.errors import ModelError
from seg_core.geometry import Window
from seg_core.maps import Maps
from seg_core.nuclei import Instances, find_instances
from seg_core.settings import AnalysisSettings


def found(maps: Maps, settings: AnalysisSettings = EVERYTHING, mpp: float = 0.25) -> Instances:
    raster = raster_of(maps.class_map, mpp)
    return find_instances(maps, raster, raster.window, settings, MONUSAC)


@pytest.mark.parametrize(
    ("path", "least"),
    [
        ("kumar/inst/Breast_TCGA-A7-A13E-01Z-00-DX1.png", 0.99),
        # 2,283 nuclei, many of them so small or so waisted that 3 px of rim leave two insides
        ("consep/inst/train_18.png", 0.95),
    ],
)
def test_the_true_maps_of_a_real_image_give_its_nuclei_back(shared_data, path: str, least: float):
    truth = read_labels(shared_data / path)
    maps = maps_of(truth)
    labels = found(maps).labels
    # what has no pixel 3 px from its rim has no inside, and no network can find it
    seen = np.unique(truth[maps.ternary_map == 1])
    common = np.bincount(truth[labels > 0] * np.int64(labels.max() + 1) + labels[labels > 0])
    common.resize((truth.max() + 1, labels.max() + 1))
    partner = common.argmax(axis=1)
    unions = np.bincount(truth.ravel()) + np.bincount(labels.ravel())[partner] - common.max(axis=1)
    overlap = (common.max(axis=1) / unions)[seen]
    assert len(seen) > 0.85 * truth.max()
    assert overlap.mean() > least


def test_touching_nuclei_are_separate_and_meet_half_way():
    truth = discs([(20, 20), (44, 20), (68, 20)], 14, (40, 90))
    labels = found(maps_of(truth)).labels
    assert labels.max() == 3
    assert (labels > 0).sum() == (truth > 0).sum()
    assert (labels != truth).mean() < 0.005


@given(noise_maps())
def test_nuclei_are_foreground_and_their_shares_add_up(maps: Maps):
    nuclei = found(maps)
    assert not nuclei.labels[maps.ternary_map == 0].any()
    assert np.unique(nuclei.labels[nuclei.labels > 0]).tolist() == [*range(1, len(nuclei) + 1)]
    sums = nuclei.class_shares.sum(axis=1)
    assert (np.isclose(sums, 1, atol=1e-6) | (sums == 0)).all()
    np.testing.assert_array_equal(nuclei.class_ids, nuclei.class_shares.argmax(axis=1))
    np.testing.assert_array_equal(nuclei.class_scores, nuclei.class_shares.max(axis=1))


def test_pixels_vote_with_their_score_background_included():
    ternary = np.ones((1, 4), np.uint8)
    class_map = np.array([[0, 2, 2, 4]], dtype=np.uint8)
    score = np.array([[40, 50, 60, 100]], dtype=np.uint8)
    nuclei = found(Maps(class_map, ternary, score))
    # 40 for background, 110 for class 2, 100 for class 4, of 250
    np.testing.assert_allclose(nuclei.class_shares, [[0.16, 0, 0.44, 0, 0.4]], rtol=1e-6)
    assert nuclei.class_ids.tolist() == [2]
    assert nuclei.class_scores[0] == pytest.approx(0.44)


def test_where_background_wins_the_nucleus_is_other():
    maps = Maps(
        np.array([[0, 0, 3]], np.uint8), np.ones((1, 3), np.uint8), np.full((1, 3), 90, np.uint8)
    )
    nuclei = found(maps)
    assert nuclei.class_ids.tolist() == [0]
    assert MONUSAC.name_of(int(nuclei.class_ids[0])) == "other"


def test_a_nucleus_without_any_score_is_other():
    nuclei = found(
        replace(maps_of(np.ones((3, 3), int), rim_px=0), score=np.zeros((3, 3), np.uint8))
    )
    assert nuclei.class_ids.tolist() == [0]
    assert nuclei.class_shares.tolist() == [[0, 0, 0, 0, 0]]


def test_a_class_that_the_scheme_does_not_know_is_refused():
    maps = maps_of(np.ones((5, 5), int), [7])
    with pytest.raises(ModelError, match="names class 7, but the model's card has 4 classes"):
        found(maps)


def ring(inner: float, outer: float) -> np.ndarray:
    """(60, 60) ternary map: a disc of inside, background further than ``outer``."""
    distance = np.hypot(*(np.indices((60, 60)) - 29.5))
    return np.where(distance < inner, 1, np.where(distance < outer, 2, 0)).astype(np.uint8)


@pytest.mark.parametrize(
    ("change", "nuclei"),
    [
        ({}, 2),
        ({"min_nucleus_um2": 60.0}, 1),
        ({"min_seed_um2": 10.0}, 1),
        ({"max_extent_um": 5.0}, 1),
    ],
)
def test_each_size_setting_changes_the_answer(change: dict[str, float], nuclei: int):
    ternary = np.zeros((60, 120), np.uint8)
    ternary[:, :60] = ring(15, 18)  # inside 30 px wide (7.5 µm), 64 µm² when grown
    ternary[:, 60:] = ring(5, 12)  # inside 5 µm², 28 µm² when grown
    maps = Maps(np.ones_like(ternary), ternary, np.full_like(ternary, 99))
    assert len(found(maps, AnalysisSettings(**change))) == nuclei


def test_growth_ends_at_its_distance():
    ternary = ring(5, 25)
    maps = Maps(np.ones_like(ternary), ternary, np.full_like(ternary, 99))
    for growth_um, grown_px in [(0.0, 0), (1.0, 4), (2.99, 11), (3.0, 12)]:
        labels = found(maps, replace(EVERYTHING, growth_um=growth_um)).labels
        columns = np.flatnonzero(labels.any(axis=0))
        assert columns[0] == 25 - grown_px
        assert columns[-1] == 34 + grown_px


def test_speckle_is_foreground_for_others_to_grow_into():
    ternary = np.zeros((9, 30), np.uint8)
    ternary[2:7, 2:12] = 1
    ternary[2:7, 12:16] = 2
    ternary[4, 14] = 1
    maps = Maps(np.ones_like(ternary), ternary, np.full_like(ternary, 99))
    nuclei = found(maps, replace(EVERYTHING, min_seed_um2=1.0))
    assert len(nuclei) == 1
    assert nuclei.labels[4, 14] == 1


def test_nobody_grows_into_an_overlarge_part():
    ternary = np.zeros((9, 80), np.uint8)
    ternary[2:7, 2:12] = 1
    ternary[2:7, 12:14] = 2
    ternary[2:7, 14:75] = 1
    maps = Maps(np.ones_like(ternary), ternary, np.full_like(ternary, 99))
    labels = found(maps, replace(EVERYTHING, max_extent_um=10.0)).labels
    assert labels.max() == 1
    assert np.flatnonzero(labels.any(axis=0)).tolist() == [*range(2, 14)]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_turned_and_mirrored_maps_give_as_many_nuclei_of_the_same_areas(turns: int, mirrored: bool):
    """The discs keep clear of each other: where they meet, ties are broken by place."""
    truth = discs([(20, 15), (60, 30), (30, 60), (75, 75), (52, 92)], 11, (105, 95))
    maps = maps_of(truth)
    planes = [maps.class_map, maps.ternary_map, maps.score]
    planes = [np.rot90(plane[:, ::-1] if mirrored else plane, turns) for plane in planes]
    before, after = found(maps), found(Maps(*planes))
    assert sorted(np.bincount(after.labels.ravel())) == sorted(np.bincount(before.labels.ravel()))


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (30, 30)])
def test_maps_of_background_have_no_nuclei(shape: tuple[int, int]):
    nuclei = found(Maps(*(np.zeros(shape, np.uint8) for _ in range(3))))
    assert len(nuclei) == 0
    assert nuclei.class_shares.shape == (0, 5)
    assert nuclei.class_ids.dtype == np.uint8


def test_a_selection_is_numbered_anew():
    truth = discs([(15, 15), (45, 15), (75, 15)], 10, (30, 90))
    nuclei = found(maps_of(truth, [1, 2, 3]))
    last_two = nuclei.selected(np.array([False, True, True]))
    assert last_two.class_ids.tolist() == [2, 3]
    np.testing.assert_array_equal(last_two.labels, np.maximum(nuclei.labels - 1, 0))


def test_maps_of_different_shapes_are_refused():
    plane = np.zeros((2, 3), np.uint8)
    with pytest.raises(ValueError, match=r"score is uint8 of shape \(3, 2\)"):
        Maps(plane, plane, plane.T)
    with pytest.raises(ValueError, match="ternary_map is int64"):
        Maps(plane, plane.astype(np.int64), plane)


def test_instances_check_themselves():
    nuclei = found(maps_of(np.ones((5, 5), int), rim_px=0))
    with pytest.raises(ValueError, match=r"the window is 4 × 5 pixels"):
        replace(nuclei, window=Window(0, 0, 4, 5))
    with pytest.raises(ValueError, match=r"have \[1, 2\] rows"):
        replace(nuclei, class_ids=np.zeros(2, np.uint8))
