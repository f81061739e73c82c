"""What speaks against a run's numbers is said, and nothing is said where nothing does."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import painted_slides
import pytest
from nuclei_tables import random_nuclei

from seg_core import analysis, subject
from seg_core.classes import MONUSAC
from seg_core.errors import ModelError
from seg_core.model import find_model
from seg_core.nuclei.nucleus_table import FEATURES
from seg_core.plausibility import Digest, digest_of
from seg_core.plausibility.doubts import doubts_of
from seg_core.plausibility.familiarity import Familiarity
from seg_core.plausibility.profile import ModelProfile, read_profile, write_profile
from seg_core.settings import AnalysisSettings
from tests.seg_core.painted_slides import PaintedEngine
from tests.seg_core.plausibility.test_pixel_size import AREA_UM2, PAINTED

SIZE = 5  # three features and two stains


def profile_around(nuclei: Digest) -> ModelProfile:
    """A profile whose training images are such nuclei."""
    middle = nuclei.look()
    assert middle is not None
    cloud = Familiarity(
        tuple(middle.tolist()), (0.1,) * SIZE, tuple(np.eye(SIZE)[np.tril_indices(SIZE)]), 1.2
    )
    areas = {"lymphocyte": (12.0, 16.0, 22.0)}
    return ModelProfile(painted_slides.CARD.sha256, "", {"images": 40}, areas, PAINTED, cloud)


@pytest.fixture
def nuclei() -> Digest:
    """Nuclei of the size that fits 0.25 µm."""
    table = random_nuclei(500).assign(area_um2=AREA_UM2)
    table[FEATURES] = list(np.random.default_rng(2).normal(size=(500, 3)).astype(np.float16))
    return digest_of(table, MONUSAC)


def test_nuclei_as_in_training_raise_no_doubt(nuclei: Digest) -> None:
    assert doubts_of(nuclei, profile_around(nuclei), slide_mpp=0.25, tissue_um2=2e5) == []


@pytest.mark.parametrize("slide_mpp", [0.8, 4.0])
def test_pixels_coarser_than_any_that_models_learn_from_are_told(
    nuclei: Digest, slide_mpp: float
) -> None:
    few = digest_of(random_nuclei(3), MONUSAC)
    for each, profile in ((nuclei, profile_around(nuclei)), (few, None)):
        told = doubts_of(each, profile, slide_mpp=slide_mpp, tissue_um2=1e5)
        assert told[0].startswith(f"a pixel is said to be {slide_mpp:g} µm large")


def test_nuclei_twice_as_wide_say_which_pixel_size_fits(nuclei: Digest) -> None:
    table = random_nuclei(500).assign(area_um2=4 * AREA_UM2)
    table[FEATURES] = list(np.zeros((500, 3), np.float16))
    found = doubts_of(
        digest_of(table, MONUSAC), profile_around(nuclei), slide_mpp=0.5, tissue_um2=2e5
    )
    size = found[0]
    assert size.startswith(
        "the nuclei seem too large for pixels of 0.5 µm: by their sizes a pixel is about 0.25 µm"
    )
    assert "lymphocyte 154 (12 to 22)" in size


def test_few_nuclei_on_much_tissue_are_a_doubt_without_a_profile_too(nuclei: Digest) -> None:
    (told,) = doubts_of(Digest.empty(), None, slide_mpp=0.5, tissue_um2=30e6)
    assert told.startswith("only 0 nuclei were found on 30 mm² of tissue")
    assert doubts_of(Digest.empty(), None, slide_mpp=0.5, tissue_um2=1e5) == []
    assert doubts_of(nuclei, None, slide_mpp=0.5, tissue_um2=1e6) == []


def test_a_look_that_training_had_not_is_a_doubt_with_its_reason(nuclei: Digest) -> None:
    profile = profile_around(nuclei)
    stained = replace(nuclei, stain_sums=nuclei.stain_sums + np.array([0.4 * 500, 0.0]))
    (told,) = doubts_of(stained, profile, slide_mpp=0.25, tissue_um2=2e5)
    assert "stained more deeply with haematoxylin than those of the training images" in told
    assert told.startswith("this slide is unlike the images that the model has learnt from: ")
    assert re.search(
        r"Its distance from them is 1\.(7[5-9]|8[0-4]); of familiar images one in forty", told
    )
    odd = replace(nuclei, feature_sums=nuclei.feature_sums + 500.0)
    (told,) = doubts_of(odd, profile, slide_mpp=0.25, tissue_um2=2e5)
    assert "that the network has not seen" in told


def test_a_profile_is_read_as_it_was_written_and_not_for_other_weights(
    nuclei: Digest, tmp_path: Path
) -> None:
    profile, weights = profile_around(nuclei), tmp_path / "m.safetensors"
    write_profile(profile, weights)
    assert read_profile(painted_slides.CARD, weights) == profile
    assert read_profile(replace(painted_slides.CARD, sha256="1" * 64), weights) is None
    assert read_profile(painted_slides.CARD, tmp_path / "other.safetensors") is None
    path = tmp_path / "profiles" / "m.json"
    entries = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(entries | {"format": 1}), encoding="utf-8")
    assert read_profile(painted_slides.CARD, weights) is None
    path.write_text(json.dumps(entries | {"scale": {"fine": 3}}), encoding="utf-8")
    with pytest.raises(ModelError, match=r"m\.json is no profile of a model .* make it anew"):
        read_profile(painted_slides.CARD, weights)


def test_a_run_keeps_the_doubts_that_its_nuclei_raise(
    nuclei: Digest,
    painted_slide: Path,
    tmp_path: Path,
    painted_engines: list[PaintedEngine],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights = tmp_path / "painted.safetensors"
    write_profile(profile_around(nuclei), weights)
    monkeypatch.setattr(subject, "find_model", lambda _=None: (painted_slides.CARD, weights))
    settings = AnalysisSettings(tile_px=64, overlap_px=32, block_px=256)
    run = analysis.analyse(painted_slide, tmp_path / "store", mpp=0.25, settings=settings)
    assert not any("seem too" in each for each in run.facts.warnings)
    assert any("unlike the images" in each for each in run.facts.warnings)
    wrong = analysis.analyse(painted_slide, tmp_path / "store", mpp=0.5, settings=settings)
    assert any("seem too large for pixels of 0.5 µm" in each for each in wrong.facts.warnings)


@pytest.mark.parametrize("model", ["nuclei-lite0"])
def test_the_shipped_model_has_a_profile_of_its_own_weights(model: str) -> None:
    profile = read_profile(*find_model(model))
    assert profile is not None, "make it with python -m seg_core profile"
    assert profile.areas_um2["lymphocyte"][1] == pytest.approx(16, abs=4)
    assert 0.05 < profile.scale.spread < 0.4


def test_a_distance_hardly_beyond_the_limit_is_told_apart_from_it(nuclei: Digest) -> None:
    """It once read "0.73; of familiar images one in forty is beyond 0.73"."""
    profile = profile_around(nuclei)
    stained = replace(nuclei, stain_sums=nuclei.stain_sums + np.array([0.4 * 500, 0.0]))
    look = stained.look()
    assert look is not None
    limit = profile.familiarity.distance(look) - 2e-4
    near = replace(profile, familiarity=replace(profile.familiarity, limit=limit))
    (told,) = doubts_of(stained, near, slide_mpp=0.25, tissue_um2=2e5)
    found = re.search(
        r"from them is (\S+); of familiar images one in forty is beyond (\S+)\. ", told
    )
    assert found is not None
    assert float(found[1]) > float(found[2])
