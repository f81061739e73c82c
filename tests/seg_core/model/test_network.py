import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import segmentation_models_pytorch as smp
import torch
from segmentation_models_pytorch.base import SegmentationHead

from seg_core.errors import ModelError
from seg_core.model.card import IMAGENET_MEAN, ModelCard, find_model
from seg_core.model.network import TwoHeadUnet, load_network

Model = tuple[ModelCard, Path]


class OriginalNetwork(torch.nn.Module):
    """The network of the original project, written down from its description alone."""

    def __init__(self, encoder: str) -> None:
        super().__init__()
        self.base = smp.Unet(
            encoder, encoder_weights=None, classes=1, decoder_channels=(256, 128, 64, 32, 16)
        )
        self.drop = torch.nn.Dropout2d(0.2)
        self.sem_head = SegmentationHead(16, 5, kernel_size=3)
        self.ter_head = SegmentationHead(16, 3, kernel_size=3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        decoded = self.drop(self.base.decoder(self.base.encoder(images)))
        return torch.cat([self.sem_head(decoded), self.ter_head(decoded)], dim=1)


@pytest.mark.parametrize("side", [32, 64, 96])
def test_heads_answer_every_pixel(tiny_network: TwoHeadUnet, side: int) -> None:
    assert tiny_network(torch.zeros(2, 3, side, 64)).shape == (2, 8, side, 64)


def test_weights_come_back_to_half_precision(tiny_network: TwoHeadUnet, tiny_model: Model) -> None:
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        before, after = tiny_network(images), load_network(*tiny_model)(images)
    assert torch.allclose(before, after, atol=2e-2)


def test_checkpoint_of_the_original_project_gives_its_answers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    original = OriginalNetwork("resnet34").eval()
    path = tmp_path / "unet_best.pt"
    torch.save({"model_state": original.state_dict(), "epoch": 7}, path)
    images = torch.randn(1, 3, 64, 64)
    card, weights = find_model(path)
    with torch.inference_mode():
        assert torch.equal(original(images), load_network(card, weights)(images))
    assert card.encoder == "resnet34"
    assert card.mean == IMAGENET_MEAN


def test_notes_beside_an_original_checkpoint_name_its_encoder_and_figures(tmp_path: Path) -> None:
    path = tmp_path / "small.pt"
    torch.save({"model_state": OriginalNetwork("resnet18").state_dict()}, path)
    notes = {"config": {"encoder": "resnet18"}, "extra_json": {"val_metrics": {"miou": 0.6}}}
    path.with_suffix(".json").write_text(json.dumps(notes))
    card, weights = find_model(path)
    assert (card.encoder, card.metrics) == ("resnet18", {"miou": 0.6})
    assert isinstance(load_network(card, weights), TwoHeadUnet)


def test_broken_notes_beside_an_original_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "small.pt").write_bytes(b"x")
    (tmp_path / "small.json").write_text("{")
    with pytest.raises(ModelError, match=r"small\.json beside small\.pt cannot be read"):
        find_model(tmp_path / "small.pt")


def test_truncated_safetensors_are_refused(tiny_model: Model) -> None:
    card, weights = tiny_model
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ModelError, match=r"tiny\.safetensors cannot be read as weights"):
        load_network(card, weights)


def test_truncated_checkpoint_is_refused(tiny_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "cut.pt"
    torch.save({"model_state": {"a": torch.zeros(1000)}}, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ModelError, match=r"cut\.pt cannot be read as weights"):
        load_network(tiny_model[0], path)


def test_checkpoint_without_weights_is_refused(tiny_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"optimiser": {}}, path)
    with pytest.raises(ModelError, match=r"other\.pt cannot be read as weights"):
        load_network(tiny_model[0], path)


class Trap:
    """Unpickling this would create a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


def test_checkpoint_that_wants_to_run_code_is_refused(tiny_model: Model, tmp_path: Path) -> None:
    sprung, path = tmp_path / "sprung", tmp_path / "evil.pt"
    path.write_bytes(pickle.dumps({"model_state": Trap(str(sprung))}))
    with pytest.raises(ModelError, match=r"evil\.pt cannot be read as weights"):
        load_network(tiny_model[0], path)
    assert not sprung.exists()


def test_weights_of_another_network_are_refused(tiny_model: Model) -> None:
    card, weights = tiny_model
    with pytest.raises(ModelError, match="those of another network"):
        load_network(replace(card, encoder="resnet18"), weights)


def test_unknown_encoder_is_refused(tiny_model: Model) -> None:
    card, weights = tiny_model
    with pytest.raises(ModelError, match="encoder 'resnet1000' is unknown"):
        load_network(replace(card, encoder="resnet1000"), weights)
