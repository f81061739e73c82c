from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training_logs import log_of

from seg_core.errors import SettingsError
from seg_core.model.card import find_model
from seg_core.model.network import TwoHeadUnet, load_network
from seg_core.training.config import DistilConfig, TrainConfig
from seg_core.training.losses import hint_loss
from seg_core.training.teacher import BlockOutputs, Teacher, hand_over_decoder
from seg_core.training.train import train


def test_teacher_answers_what_it_would_answer_alone(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    """Whatever normalisation the pupil's crops have."""
    train(tiny_config, tmp_path)
    teacher = DistilConfig(teacher=str(tmp_path / "tiny.safetensors"))
    pupil = replace(tiny_config, mean=(0.5, 0.5, 0.5), std=(0.5, 0.4, 0.3), distil=teacher)
    pixels = torch.rand(1, 3, 64, 64)

    def normalised(config: TrainConfig) -> torch.Tensor:
        mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (config.mean, config.std))
        return (pixels - mean) / std

    with torch.inference_mode():
        alone = load_network(*find_model(teacher.teacher))(normalised(tiny_config))
    assert torch.allclose(Teacher(pupil).answer(normalised(pupil)), alone, atol=1e-4)


def test_a_teacher_that_looks_eight_times_answers_the_same_whichever_way_a_crop_lies(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    train(tiny_config, tmp_path)
    distil = DistilConfig(teacher=str(tmp_path / "tiny.safetensors"), views=8)
    teacher = Teacher(replace(tiny_config, distil=distil))
    crops = torch.randn(2, 3, 64, 64)
    answer = teacher.answer(crops)
    assert torch.allclose(teacher.answer(crops.flip(-1)).flip(-1), answer, atol=1e-4)
    assert torch.allclose(teacher.answer(crops.mT).mT, answer, atol=1e-4)
    once = Teacher(replace(tiny_config, distil=replace(distil, views=1)))
    assert not torch.allclose(once.answer(crops), answer, atol=1e-4)


def test_distillation_brings_the_answers_closer(tiny_config: TrainConfig, tmp_path: Path) -> None:
    train(tiny_config, tmp_path / "teacher")
    teacher = DistilConfig(teacher=str(tmp_path / "teacher" / "tiny.safetensors"), weight=5.0)
    train(replace(tiny_config, seed=8, steps=24, distil=teacher), tmp_path / "pupil")
    distances = [float(row["distillation"]) for row in log_of(tmp_path / "pupil")]
    assert distances[-1] < distances[0]


def test_hints_bring_the_blocks_of_the_decoder_closer(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    train(tiny_config, tmp_path / "teacher")
    teacher = str(tmp_path / "teacher" / "tiny.safetensors")

    def apart(name: str, distil: DistilConfig) -> float:
        train(replace(tiny_config, seed=8, steps=24, distil=distil), tmp_path / name)
        pupil, model = (
            load_network(*find_model(tmp_path / each / "tiny.safetensors"))
            for each in (name, "teacher")
        )
        blocks = BlockOutputs(pupil), BlockOutputs(model)
        crops = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            pupil(crops)
            model(crops)
        return float(hint_loss(*(each.outputs for each in blocks)))

    alone = apart("alone", DistilConfig(teacher=teacher))
    hinted = apart("hinted", DistilConfig(teacher=teacher, hints=5.0, decoder=True))
    assert hinted < 0.7 * alone
    assert "hints" in log_of(tmp_path / "hinted")[0]
    assert "hints" not in log_of(tmp_path / "alone")[0]


def test_distance_of_blocks_is_a_share_of_the_teachers() -> None:
    blocks = [torch.rand(1, 4, 8, 8), 1000 * torch.rand(1, 2, 16, 16)]
    assert float(hint_loss(blocks, blocks)) == 0
    assert float(hint_loss([0 * each for each in blocks], blocks)) == pytest.approx(1)
    assert float(hint_loss([blocks[0], 0 * blocks[1]], blocks)) == pytest.approx(0.5)


def test_blocks_are_those_of_the_last_look_only() -> None:
    network = TwoHeadUnet("resnet18").eval()
    blocks = BlockOutputs(network)
    for side in (64, 96):
        with torch.inference_mode():
            network(torch.zeros(1, 3, side, side))
    assert [each.shape[1:] for each in blocks.outputs] == [
        (256, 6, 6),
        (128, 12, 12),
        (64, 24, 24),
        (32, 48, 48),
        (16, 96, 96),
    ]


def test_pupil_of_another_kind_starts_with_the_teachers_decoder() -> None:
    """All that comes after the first block's first convolution, but what looks at the encoder."""
    teacher, pupil = TwoHeadUnet("timm-tf_efficientnet_lite0"), TwoHeadUnet("resnet18")
    hand_over_decoder(teacher, pupil)
    theirs, own = teacher.state_dict(), pupil.state_dict()
    assert torch.equal(own["ter_head.0.weight"], theirs["ter_head.0.weight"])
    second = "base.decoder.blocks.1.{}.0.weight"
    assert torch.equal(own[second.format("conv2")], theirs[second.format("conv2")])
    first, given = own[second.format("conv1")], theirs[second.format("conv1")]
    assert first.shape[1] > 256
    assert torch.equal(first[:, :256], given[:, :256])
    assert not torch.equal(first[:, 256:280], given[:, 256:280])


def test_decoder_of_another_width_is_refused() -> None:
    wide = TwoHeadUnet("resnet18", decoder_channels=(256, 128, 64, 32, 24))
    with pytest.raises(SettingsError, match="same decoder"):
        hand_over_decoder(wide, TwoHeadUnet("resnet18"))
