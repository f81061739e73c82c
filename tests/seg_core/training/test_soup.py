from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from seg_core.errors import DataError
from seg_core.model.measured import training_log
from seg_core.training.config import LAST_STEP, TrainConfig, read_config
from seg_core.training.files import BEST, LAST, LOG
from seg_core.training.soup import mean_weights
from seg_core.training.train import train


def write(path: Path, **tensors: torch.Tensor) -> Path:
    save_file(tensors, path)
    return path


def test_weights_are_averaged_and_whole_numbers_are_the_first_files(tmp_path: Path) -> None:
    first = write(tmp_path / "a.safetensors", w=torch.tensor([1.0, 2.0]).half(), n=torch.tensor(7))
    second = write(tmp_path / "b.safetensors", w=torch.tensor([3.0, 6.0]).half(), n=torch.tensor(9))
    mean = mean_weights([first, second])
    assert mean["w"].tolist() == [2, 4]
    assert mean["w"].dtype == torch.float16
    assert mean["n"] == 7
    assert mean_weights([first, first, first, second])["w"].tolist() == [1.5, 3]


def test_weights_of_another_architecture_are_refused(tmp_path: Path) -> None:
    first = write(tmp_path / "a.safetensors", w=torch.zeros(2))
    second = write(tmp_path / "b.safetensors", w=torch.zeros(3))
    with pytest.raises(DataError, match=r"b\.safetensors is not of the architecture of a\."):
        mean_weights([first, second])


def test_a_run_leaves_the_mean_with_earlier_ones(tiny_config: TrainConfig, tmp_path: Path) -> None:
    train(replace(tiny_config, steps=2, validate_every=2), tmp_path / "one")
    earlier = tmp_path / "one" / "tiny.safetensors"
    config = replace(tiny_config, steps=2, validate_every=2, seed=5)
    train(config, tmp_path / "two")
    train(replace(config, soup=(str(earlier),)), tmp_path / "both")
    one, two, both = (
        load_file(tmp_path / run / "tiny.safetensors") for run in ("one", "two", "both")
    )
    for name, value in both.items():
        if value.is_floating_point():
            mean = (one[name].float() + two[name].float()) / 2
            torch.testing.assert_close(value.float(), mean, atol=2e-3, rtol=2e-3)


def test_the_last_step_counts_as_much_as_the_best_where_a_soup_says_so(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    config = replace(tiny_config, steps=2, validate_every=1, soup=(LAST_STEP,))
    card = train(config, tmp_path / "run")
    assert card.metrics["training"]["stages"] == [
        "run: 2 steps, the mean of the weights of the best step and of the last step kept"
    ]
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "run" / LOG).rename(logs / "run.csv")  # as reproduce.sh keeps it
    log = training_log(card, logs)
    assert log is not None
    assert log["step"].tolist() == [1, 2]
    best, last, both = (
        load_file(tmp_path / "run" / name) for name in (BEST, LAST, f"{config.name}.safetensors")
    )
    for name, value in both.items():
        if value.is_floating_point():
            mean = (best[name].float() + last[name].float()) / 2
            torch.testing.assert_close(value.float(), mean, atol=1e-3, rtol=1e-2)


def test_files_of_a_soup_are_seen_from_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(
        'name = "n"\nencoder = "e"\nsteps = 1\nsoup = ["../a.safetensors", "last step"]\n'
        '[[sources]]\nname = "monusac"\nfolder = "."\nshare = 1.0\n'
    )
    assert read_config(path).soup == (str(tmp_path.parent / "a.safetensors"), LAST_STEP)
