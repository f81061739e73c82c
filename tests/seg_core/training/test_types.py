"""What each data set tells apart is learned on the features that are handed out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from seg_core.classes import MONUSAC
from seg_core.labelled.data_sets import DATA_SETS
from seg_core.labelled.labelled_image import LabelledImage, labelled_image
from seg_core.model.network import TwoHeadUnet, features_seen
from seg_core.training.config import TrainConfig
from seg_core.training.files import LOG
from seg_core.training.train import train
from seg_core.training.types import NONE, TypeHead, Types

LIZARD = DATA_SETS["lizard"]


def image_of(*ids: int, data_set: str = "lizard") -> LabelledImage:
    """Return an image with a nucleus of 8 × 8 px for each of a data set's ids, side by side."""
    instances = np.zeros((8, 8 * len(ids)), np.int32)
    class_map = np.zeros(instances.shape, np.uint8)
    for number, own in enumerate(ids):
        instances[:, 8 * number : 8 * number + 8] = number + 1
        class_map[:, 8 * number : 8 * number + 8] = own
    pixels = np.zeros((*instances.shape, 3), np.uint8)
    return labelled_image("x", pixels, instances, class_map, None, DATA_SETS[data_set], MONUSAC)


def test_each_data_set_has_types_of_its_own_and_rare_ones_count_more() -> None:
    types = Types([image_of(2, 2, 2, 5), image_of(1, 3, data_set="consep"), image_of(2, 6)])
    assert types.groups == [slice(0, 6), slice(6, 10)]
    assert len(types.weights) == 10
    epithelial, eosinophil = types.weights[1], types.weights[4]
    assert eosinophil > epithelial


def test_a_set_without_classes_has_no_types() -> None:
    outlines = labelled_image(
        "x",
        np.zeros((4, 4, 3), np.uint8),
        np.ones((4, 4), np.int32),
        None,
        None,
        DATA_SETS["all-nuclei"],
        MONUSAC,
    )
    types = Types([outlines, image_of(1, 2)])
    assert types.groups == [slice(0, 6)]
    assert (types.targets(outlines, outlines.instances) == NONE).all()


def test_targets_are_the_types_of_the_squares_and_pasted_nuclei_have_none() -> None:
    consep, lizard = image_of(1, 3, data_set="consep"), image_of(0, 4, 5)
    types = Types([consep, lizard])
    assert types.targets(lizard, lizard.instances).tolist() == [[NONE, NONE, 7, 7, 8, 8]] * 2
    assert types.targets(consep, consep.instances).tolist() == [[0, 0, 2, 2]] * 2
    pasted = np.where(lizard.instances == 2, 9, lizard.instances)
    assert types.targets(lizard, pasted).tolist() == [[NONE] * 4 + [8, 8]] * 2


def test_types_are_told_among_those_of_their_own_data_set() -> None:
    """The answer to one data set's names says nothing of another's."""
    torch.manual_seed(0)
    network = TwoHeadUnet("tu-test_resnet.r160_in1k")
    types = Types([image_of(1, 2), image_of(1, 3, data_set="consep")])
    head = TypeHead(network, types).eval().requires_grad_(False)
    with torch.no_grad(), features_seen(network.base["decoder"]) as seen:
        network(torch.rand(2, 3, 64, 64))
    targets = torch.full((2, 16, 16), NONE)
    assert float(head.loss(seen, targets)) == 0
    targets[0, :8] = 1
    before = float(head.loss(seen, targets))
    with torch.no_grad():
        head.linear.bias[types.groups[1]] += 50
    assert float(head.loss(seen, targets)) == pytest.approx(before)
    with torch.no_grad():
        head.linear.bias[1] += 50
    assert float(head.loss(seen, targets)) == pytest.approx(0, abs=1e-3)


def test_types_change_what_a_run_learns_and_are_not_in_its_weights(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    with_types = replace(tiny_config, loss=replace(tiny_config.loss, types=1.0))
    card = train(with_types, tmp_path / "whole")
    log = (tmp_path / "whole" / LOG).read_text(encoding="utf-8")
    assert "types" in log.splitlines()[0].split(",")
    plain = train(tiny_config, tmp_path / "plain")
    weights = [load_file(tmp_path / run / "tiny.safetensors") for run in ("whole", "plain")]
    assert weights[0].keys() == weights[1].keys()
    assert card.sha256 != plain.sha256
