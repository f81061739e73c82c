from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from seg_core.classes import MONUSAC
from seg_core.errors import DataError
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.model import ModelCard
from seg_core.training import naming
from seg_core.training.config import TrainConfig, read_config
from seg_core.training.dataset import Crops, read_images
from seg_core.training.naming import NAMED_WEIGHT, name_nuclei, sure_classes
from tests.seg_core.labelled_images import COLOURS

CARD = ModelCard(
    name="painted", file="", sha256="", encoder="", mpp=0.25, scheme=MONUSAC, mean=(0.0,) * 3,
    std=(1.0,) * 3,
)  # fmt: skip
GLASS = (235, 200, 225)


def painted_network(images: torch.Tensor) -> torch.Tensor:
    """Answer each pixel by the colour it is nearest to, surely."""
    colours = torch.tensor([GLASS, *COLOURS.values()], dtype=torch.float32) / 255
    distances = torch.stack([(images - c.view(1, 3, 1, 1)).abs().sum(1) for c in colours], dim=1)
    return torch.cat([-20 * distances, torch.zeros_like(distances[:, :3])], dim=1)


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naming, "find_model", lambda _: (CARD, Path("painted.safetensors")))
    monkeypatch.setattr(naming, "load_network", lambda *_: painted_network)


@pytest.mark.usefixtures("painted")
def test_nuclei_without_a_class_get_the_one_a_model_is_sure_of(tiny_config: TrainConfig) -> None:
    [truth, _] = read_images(tiny_config.sources[0])
    unnamed = replace(
        truth, classes=np.full_like(truth.classes, UNKNOWN), weights=np.ones_like(truth.weights)
    )
    [named] = name_nuclei([unnamed], "painted")
    known = named.classes != UNKNOWN
    assert known.mean() > 0.7
    assert (named.classes == truth.classes)[known].all()
    assert (named.weights == np.where(known, NAMED_WEIGHT, 1)).all()


@pytest.mark.usefixtures("painted")
def test_an_image_is_shown_to_the_model_at_the_models_size_of_a_pixel(
    tiny_config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One at 20x was shown as if at 40x, its nuclei half as long and their areas a quarter."""
    [truth, _] = read_images(tiny_config.sources[0])
    unknown = np.full_like(truth.classes, UNKNOWN)
    scanned = replace(truth, mpp=0.5, classes=unknown)
    areas: list[np.ndarray] = []
    monkeypatch.setattr(naming, "sure_classes", lambda _, area, __: areas.append(area) or unknown)
    [named] = name_nuclei([scanned], "painted")
    assert (named.mpp, named.image.shape) == (0.5, truth.image.shape)
    pixels = np.bincount(truth.instances.ravel())[1:]
    np.testing.assert_allclose(areas[0], pixels * 0.5**2, rtol=0.2)
    with pytest.raises(DataError, match=r"has 1 µm/px, the network 0\.25"):
        name_nuclei([replace(scanned, mpp=1.0)], "painted")


@pytest.mark.usefixtures("painted")
def test_a_class_that_a_person_gave_stays(tiny_config: TrainConfig) -> None:
    [truth, _] = read_images(tiny_config.sources[0])
    [named] = name_nuclei([truth], "painted")
    assert (named.classes == truth.classes).all()
    assert (named.weights == truth.weights).all()


@pytest.mark.usefixtures("painted")
def test_a_source_named_by_a_model_teaches_classes(
    tiny_config: TrainConfig, labelled_folder: Path
) -> None:
    for mask in (labelled_folder / "class").iterdir():
        mask.unlink()
    (labelled_folder / "class").rmdir()
    source = replace(tiny_config.sources[0], name="all-nuclei")
    for named_by, taught in (("", False), ("painted", True)):
        config = replace(tiny_config, sources=(replace(source, named_by=named_by),))
        targets = Crops(config).batch(0)
        inside = (targets["classes"] > 0) & (targets["class_weight"] > 0)
        assert bool(inside.any()) == taught


def test_what_looks_most_like_background_is_not_called_epithelial() -> None:
    background = np.linspace(0.1, 0.9, 9)
    shares = np.column_stack([background, 1 - background, np.zeros(9)])
    sure = sure_classes(shares, np.full(9, 50.0), epithelial=1)
    assert (sure[:7] == 1).all()
    assert (sure[7:] == UNKNOWN).all()


def test_a_large_nucleus_is_not_called_an_immune_cell() -> None:
    shares = np.array([[0.1, 0.0, 0.9], [0.1, 0.0, 0.9], [0.1, 0.9, 0.0]])
    assert sure_classes(shares, np.array([60.0, 90.0, 90.0]), epithelial=1).tolist() == [
        *(2, UNKNOWN, 1)
    ]


def test_an_image_without_nuclei_is_an_ordinary_answer() -> None:
    assert len(sure_classes(np.zeros((0, 5)), np.zeros(0), epithelial=1)) == 0


@pytest.mark.parametrize("name", ["lite0-second"])
def test_configurations_find_the_model_beside_them(name: str) -> None:
    config = read_config(Path("weights/training") / f"{name}.toml")
    named = [Path(each.named_by) for each in config.sources if each.named_by]
    assert named
    assert all(each.is_absolute() for each in named)
