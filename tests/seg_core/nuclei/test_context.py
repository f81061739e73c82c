"""What stands around a nucleus, and the head that names it by that."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from painted_maps import discs, maps_of, noise_maps, raster_of
from test_nuclei_ownership import (
    SMALL,
    assert_same_nuclei,
    picture_of,
    question_of,
    with_blocks_of,
)

from seg_core.classes import MONUSAC, VoteWeight
from seg_core.errors import ModelError
from seg_core.geometry import Region, Window
from seg_core.maps import Maps, Pieces, piece_type
from seg_core.model import find_model
from seg_core.nuclei import (
    cores_within,
    find_instances,
    join_tables,
    measure_nuclei,
    nuclei_by_block,
)
from seg_core.nuclei.context import context_of, named_in_context, reach_px
from seg_core.nuclei.context_head import ContextHead, read_context_head, write_context_head
from seg_core.nuclei.described import features_of
from seg_core.nuclei.nucleus_table import FEATURES
from seg_core.question import Question
from seg_core.settings import AnalysisSettings
from seg_core.slide import SlideInfo
from seg_core.store.facts import RunFacts

FEATURE_COUNT = 3
RADIUS_UM = 5.0  # 20 px of 0.25 µm
RADII_UM = (2.0, RADIUS_UM)
UNITS = 6


def head_of(seed: int = 0, **changes: object) -> ContextHead:
    """A head of random numbers for four classes, three features and two radii."""
    rng = np.random.default_rng(seed)
    inputs = len(MONUSAC.names) + (1 + len(RADII_UM)) * FEATURE_COUNT
    classes = len(MONUSAC.names) + 1
    head = ContextHead(
        weights_sha256="0" * 64,
        command="python -m seg_core context",
        radii_um=RADII_UM,
        nuclei={"painted": 1},
        mean=tuple(rng.normal(size=inputs).tolist()),
        scale=tuple(rng.uniform(0.5, 2, inputs).tolist()),
        limit=5.0,
        hidden=tuple(map(tuple, rng.normal(size=(UNITS, inputs)).tolist())),
        hidden_intercepts=tuple(rng.normal(size=UNITS).tolist()),
        coefficients=tuple(map(tuple, rng.normal(size=(classes, UNITS)).tolist())),
        intercepts=tuple(rng.normal(size=classes).tolist()),
        middle=(0.0,) * FEATURE_COUNT,
        precision=tuple(map(tuple, np.eye(FEATURE_COUNT).tolist())),
        near=1e30,
        far=1e31,
    )
    return replace(head, **changes)  # type: ignore[arg-type]  # by name


def pieces_on(maps: Maps, seed: int) -> Pieces:
    """Pieces at every fifth pixel of the foreground, some of several pixels."""
    rng = np.random.default_rng(seed)
    y, x = (each[::5] for each in np.nonzero(maps.ternary_map))
    pieces = np.zeros(len(x), piece_type(FEATURE_COUNT))
    pieces["x"], pieces["y"], pieces["pixels"] = x, y, rng.integers(1, 9, len(x))
    pieces["features"] = rng.normal(size=(len(x), FEATURE_COUNT)) * 4
    return pieces


def in_window(pieces: Pieces, window: Window) -> Pieces:
    x, y = pieces["x"], pieces["y"]
    inside = (x >= window.x) & (x < window.right) & (y >= window.y) & (y < window.bottom)
    return pieces[inside]


@given(noise_maps(largest=90), st.integers(0, 2**32 - 1))
def test_the_context_is_the_mean_over_the_pieces_of_the_squares_around(maps: Maps, seed: int):
    raster, pieces = raster_of(maps.class_map), pieces_on(maps, seed)
    nuclei = find_instances(maps, raster, raster.window, SMALL, MONUSAC)
    found = context_of(nuclei, pieces, RADIUS_UM)
    for label, around in enumerate(found, start=1):
        y, x = (int(each.mean()) // 4 for each in np.nonzero(nuclei.labels == label))
        steps = np.hypot(pieces["x"] // 4 - x, pieces["y"] // 4 - y)
        near = pieces[steps <= 5]
        if not len(near):
            assert np.isnan(around).all()
            continue
        expected = np.average(
            near["features"].astype(float), axis=0, weights=near["pixels"].astype(float)
        )
        np.testing.assert_allclose(around, expected, atol=0.01)


@given(noise_maps(largest=90), st.sampled_from([16, 32]), st.integers(0, 2**32 - 1))
def test_blocks_of_any_size_name_nuclei_as_the_whole_does(maps: Maps, block_px: int, seed: int):
    head, pieces, raster = head_of(seed), pieces_on(maps, seed), raster_of(maps.class_map)
    picture = picture_of(maps)
    blocks = nuclei_by_block(
        maps.cropped,
        lambda part: picture[part.slices()],
        question_of(raster, with_blocks_of(block_px)),
        MONUSAC,
        read_pieces=lambda window: in_window(pieces, window),
        head=head,
    )
    table = join_tables([block.table for block in blocks])
    whole = find_instances(maps, raster, raster.window, SMALL, MONUSAC)
    features = features_of(whole, pieces)
    named = named_in_context(whole, features, pieces, head, MONUSAC)
    expected = measure_nuclei(named, picture, MONUSAC)
    assert_same_nuclei(table.drop(columns=FEATURES, errors="ignore"), expected)


def test_a_head_turns_a_vote_where_what_is_around_says_so():
    """Two like nuclei, one among pieces that speak against its vote."""
    labels = discs([(20, 20), (80, 20)], 5, (40, 100))
    maps, raster = maps_of(labels, rim_px=1), raster_of(labels)
    nuclei = find_instances(maps, raster, raster.window, SMALL, MONUSAC)
    pieces = np.zeros(2, piece_type(1))
    pieces["x"], pieces["y"], pieces["pixels"] = [20, 80], [20, 20], 9
    pieces["features"] = [[-1], [1]]
    # a unit for the odds of each class, and one that says *other* where the context is above 0
    hidden = np.eye(6)[[0, 1, 2, 3, 5]]
    weights = np.roll(np.eye(5), 1, axis=0) * (1, 1, 1, 1, 9)
    head = ContextHead(
        *("0" * 64, "", (RADIUS_UM,), {}),
        *((0.0,) * 6, (1.0,) * 6, 9.0, tuple(map(tuple, hidden.tolist())), (0.0,) * 5),
        *(tuple(map(tuple, weights.tolist())), (0.0,) * 5),
        *((0.0,), ((1.0,),), 9.0, 10.0),
    )
    named = named_in_context(nuclei, features_of(nuclei, pieces), pieces, head, MONUSAC)
    assert nuclei.class_ids.all()
    assert named.class_ids.tolist() == [nuclei.class_ids[0], 0]
    np.testing.assert_allclose(named.class_shares.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(named.class_scores, named.class_shares.max(axis=1))


def test_nuclei_of_which_nothing_is_known_keep_the_name_of_their_vote():
    labels = discs([(20, 20)], 5, (40, 40))
    maps, raster = maps_of(labels, rim_px=1), raster_of(labels)
    nuclei = find_instances(maps, raster, raster.window, SMALL, MONUSAC)
    none = np.empty(0, piece_type(FEATURE_COUNT))
    named = named_in_context(nuclei, features_of(nuclei, none), none, head_of(), MONUSAC)
    np.testing.assert_array_equal(named.class_shares, nuclei.class_shares)


def test_votes_are_calibrated_after_the_head():
    labels = discs([(20, 20)], 5, (40, 40))
    maps, raster = maps_of(labels, rim_px=1), raster_of(labels)
    nuclei = find_instances(maps, raster, raster.window, SMALL, MONUSAC)
    pieces = pieces_on(maps, 0)
    against = VoteWeight(bias=-50.0)
    doubted = type(MONUSAC)(tuple(replace(each, vote=against) for each in MONUSAC.classes))
    named = named_in_context(nuclei, features_of(nuclei, pieces), pieces, head_of(), doubted)
    assert named.class_ids.tolist() == [0]


@given(st.floats(1e3, 1e30), st.integers(0, 50))
def test_what_is_stranger_than_anything_seen_counts_no_more_than_the_limit(far: float, seed: int):
    head = head_of(seed)
    shares = np.full((1, 5), 0.2)
    near, strange = (
        head.probabilities(shares, np.full((1, 3), value), np.full((1, 2, 3), value))
        for value in (1e3, far)
    )
    np.testing.assert_array_equal(near, strange)


@given(st.integers(0, 50), st.floats(0, 30))
def test_the_stranger_the_context_the_more_the_vote_counts(seed: int, far: float):
    head = head_of(seed, near=2.0, far=6.0)
    shares = np.random.default_rng(seed).dirichlet(np.ones(5), 1)
    features = np.ones((1, FEATURE_COUNT))
    around = np.full((1, len(RADII_UM), FEATURE_COUNT), far)  # so far off, by the unit precision
    trust = float(np.clip((6 - far) / 4, 0, 1))
    np.testing.assert_allclose(head.trust(around), trust, atol=1e-9)
    alone = replace(head, near=1e30, far=1e31).probabilities(shares, features, around)
    found = head.probabilities(shares, features, around)
    np.testing.assert_allclose(found, trust * alone + (1 - trust) * shares, atol=1e-6)
    np.testing.assert_allclose(found.sum(), 1, atol=1e-6)


def test_blocks_of_a_range_of_rows_see_all_that_a_head_weighs():
    raster = raster_of(np.zeros((400, 64), np.uint8))
    question = question_of(raster, with_blocks_of(32))
    rows = Window(0, 60, 64, 280)
    head = head_of(radii_um=(2.0, 20.0))
    reach = reach_px(head, raster.mpp)
    cores = cores_within(question, rows, head)
    assert cores
    assert len(cores) < len(cores_within(question, rows))
    for core in cores:
        seen = core.expanded(reach).intersection(raster.window)
        assert seen is not None
        assert rows.contains(seen)


def test_a_head_survives_its_file_and_one_of_other_weights_is_none(tmp_path: Path):
    card, _ = find_model()
    weights = tmp_path / "mine.safetensors"
    head = head_of(weights_sha256=card.sha256)
    write_context_head(head, weights)
    assert read_context_head(card, weights) == head
    assert read_context_head(replace(card, sha256="f" * 64), weights) is None
    assert read_context_head(card, tmp_path / "other.safetensors") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": 0.0},
        {"near": 2.0, "far": 2.0},
        {"middle": (0.0,)},
        {"scale": (0.0,) * 13},
        {"radii_um": (5.0, 2.0)},
        {"radii_um": (2.0,)},
        {"hidden_intercepts": (0.0,)},
        {"mean": (1.0,)},
        {"intercepts": (float("nan"),) * 5},
        {"coefficients": ((1.0,),) * 5},
    ],
)
def test_a_damaged_head_is_refused_in_a_sentence(tmp_path: Path, changes: dict[str, object]):
    card, _ = find_model()
    weights = tmp_path / "mine.safetensors"
    head = head_of(weights_sha256=card.sha256)
    for name, value in changes.items():
        object.__setattr__(head, name, value)
    write_context_head(head, weights)
    with pytest.raises(ModelError, match="no context head of a model"):
        read_context_head(card, weights)


def test_a_head_for_other_classes_or_features_is_refused():
    with pytest.raises(ModelError, match="4 classes and 13 inputs, the model gives 2 and 6"):
        head_of().probabilities(np.ones((1, 3)), np.ones((1, 2)), np.ones((1, 1, 2)))


def test_what_a_head_says_of_itself_is_no_part_of_its_checksum():
    head = head_of()
    assert head.sha256 == replace(head, command="other", nuclei={}).sha256
    assert head.sha256 != replace(head, limit=4.0).sha256


def test_another_head_asks_another_question_and_the_run_says_which(finished_facts: RunFacts):
    question = finished_facts.question
    plain = replace(question, context_head=None)
    one, two = (replace(question, context_head=each * 64) for each in "ab")
    assert len({each.run_id for each in (plain, one, two)}) == 3
    facts = replace(finished_facts, question=one)
    assert facts.to_json()["model"] == {"name": "model", "sha256": "0" * 64, "context": "a" * 64}
    assert RunFacts.from_json(facts.to_json()).question.run_id == one.run_id


@pytest.fixture
def finished_facts() -> RunFacts:
    raster = raster_of(np.zeros((8, 8), np.uint8))
    question = Question(
        "slide", raster, Region(0, 0, 8, 8), None, "model", "0" * 64, AnalysisSettings()
    )
    slide = SlideInfo(
        path=Path("a.png"),
        width=8,
        height=8,
        mpp=0.25,
        level_downsamples=(1.0,),
        vendor=None,
        objective_power=None,
        bounds=Region(0, 0, 8, 8),
    )
    return RunFacts(question, slide, MONUSAC, "finished", "painted", "fp32", {}, "2026")
