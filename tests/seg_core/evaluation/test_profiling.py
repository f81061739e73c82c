"""What a profile learns of how nuclei look: from pictures with as many of them as a warning needs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import painted_slides
import pytest

from seg_core.commands import main
from seg_core.commands import profile as profile_command
from seg_core.errors import DataError
from seg_core.evaluation.profiling import (
    FAMILIAR_UM,
    Seen,
    cut_middle,
    learn_familiarity,
    limit_of,
    look_closely,
)
from seg_core.labelled.data_sets import data_set_of
from seg_core.labelled.labelled_image import LabelledImage, labelled_image
from seg_core.plausibility import Digest
from seg_core.plausibility.doubts import FEWEST_NUCLEI
from seg_core.plausibility.profile import read_profile, write_profile
from tests.seg_core.plausibility.test_doubts import profile_around


def labelled(width: int, height: int, name: str = "painted") -> LabelledImage:
    """A painting; its labels do not matter here."""
    rgb = painted_slides.paint(width, height).rgb
    nothing = np.zeros(rgb.shape[:2], np.int32)
    return labelled_image(
        name, rgb, nothing, None, None, data_set_of("all-nuclei"), painted_slides.CARD.scheme
    )


def looked_at(
    images: Sequence[LabelledImage], engine: painted_slides.PaintedEngine | None = None
) -> list[Seen]:
    engine = engine or painted_slides.PaintedEngine()
    return look_closely({"painted": images}, engine, painted_slides.CARD)


def test_pictures_of_few_nuclei_teach_nothing_and_large_ones_are_cut() -> None:
    """A limit that was learnt from pictures of 8 nuclei was too wide for a slide."""
    small, large = labelled(200, 200, "small"), labelled(900, 800, "large")
    (seen,) = looked_at([small, large])
    assert seen.image == "large"
    side = FAMILIAR_UM / painted_slides.MPP
    # whole nuclei of the middle alone: those that the cut goes through are not counted
    assert FEWEST_NUCLEI <= len(seen.nuclei) <= (side / painted_slides.PITCH_PX) ** 2


def test_a_picture_at_20x_is_looked_at_as_the_network_has_learnt() -> None:
    image = labelled(600, 600)
    half = replace(
        image,
        image=image.image[::2, ::2],
        instances=image.instances[::2, ::2],
        mpp=2 * painted_slides.MPP,
    )
    engines = painted_slides.PaintedEngine(), painted_slides.PaintedEngine()
    (seen,), (wanted,) = looked_at([half], engines[0]), looked_at([image], engines[1])
    assert engines[0].tiles == engines[1].tiles > 4
    # edges blur where a picture is enlarged
    assert len(seen.nuclei) == pytest.approx(len(wanted.nuclei), rel=0.2)


def test_the_middle_of_a_small_image_is_all_of_it() -> None:
    rgb = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    assert (cut_middle(rgb, 99) == rgb).all()
    assert (cut_middle(rgb, 4) == rgb[3:7, 3:7]).all()


def seen_at(offsets: np.ndarray) -> list[Seen]:
    """Pictures of 60 nuclei whose look is as given."""
    found = []
    for number, look in enumerate(offsets):
        digest = Digest.empty(len(look) - 2)
        counts = digest.area_counts.copy()
        counts[0, 300] = 60
        stains, features = 60 * look[-2:], 60 * look[:-2]
        found.append(Seen("f", str(number), 0.0, Digest(counts, 50.0, stains, features, 60)))
    return found


def test_the_limit_is_where_one_validation_picture_in_forty_is_beyond() -> None:
    rng = np.random.default_rng(1)
    training, validation = (seen_at(rng.normal(size=(count, 6))) for count in (100, 200))
    cloud = learn_familiarity(training)
    assert cloud.limit == np.inf
    cloud = replace(cloud, limit=limit_of(cloud, validation))
    beyond = [cloud.distance(each.nuclei.look()) > cloud.limit for each in validation]
    assert sum(beyond) == 5
    far = seen_at(np.full((1, 6), 4.0))[0].nuclei.look()
    assert cloud.distance(far) > cloud.limit


def test_too_few_pictures_are_a_sentence() -> None:
    few = seen_at(np.zeros((3, 6)))
    with pytest.raises(DataError, match="3 training images hold enough nuclei"):
        learn_familiarity(few)
    cloud = learn_familiarity(seen_at(np.random.default_rng(1).normal(size=(20, 6))))
    with pytest.raises(DataError, match="3 validation images"):
        limit_of(cloud, few)


def test_the_command_renews_the_limit_alone_where_it_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks = np.random.default_rng(1).normal(size=(60, 6))
    before = replace(
        profile_around(seen_at(looks)[0].nuclei),
        familiarity=replace(learn_familiarity(seen_at(looks)), limit=9.0),
    )
    weights, config = tmp_path / "painted.safetensors", Path("weights/training/lite0-sixth.toml")
    write_profile(before, weights)
    monkeypatch.setattr(profile_command, "find_model", lambda _: (painted_slides.CARD, weights))
    monkeypatch.setattr(profile_command, "make_engine", lambda *_: None)
    monkeypatch.setattr(profile_command, "_images", lambda _: {})
    monkeypatch.setattr(profile_command, "look_closely", lambda *_, **__: seen_at(looks[:40]))
    assert main(["profile", "--config", str(config), "--only-limit"]) == 0
    after = read_profile(painted_slides.CARD, weights)
    assert after is not None
    limit = limit_of(before.familiarity, seen_at(looks[:40]))
    assert after == replace(before, familiarity=replace(before.familiarity, limit=limit))
    assert f"One validation image in forty is further than {limit:g}." in capsys.readouterr().out
