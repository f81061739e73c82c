"""Offsets of the ternary logits: in the weights that a run leaves, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from seg_core.errors import SettingsError
from seg_core.training.config import TrainConfig, read_config
from seg_core.training.files import BEST
from seg_core.training.ternary_offsets import with_offsets
from seg_core.training.train import train


def test_a_run_leaves_them_in_the_ternary_heads_bias(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    offsets = (0.25, 0.5, -1.0)
    config = replace(tiny_config, steps=2, validate_every=2, ternary_offsets=offsets)
    train(config, tmp_path / "run")
    taught, left = (
        load_file(tmp_path / "run" / name) for name in (BEST, f"{config.name}.safetensors")
    )
    moved = left["ter_head.0.bias"].float() - taught["ter_head.0.bias"].float()
    assert moved.tolist() == pytest.approx(offsets, abs=1e-3)
    others = taught.keys() - {"ter_head.0.bias"}
    assert all(torch.equal(taught[name], left[name]) for name in others)


def test_what_they_are_added_to_stays_as_it_is() -> None:
    state = {"ter_head.0.bias": torch.zeros(3).half(), "other": torch.ones(2)}
    assert with_offsets(state, (1, 2, 3))["ter_head.0.bias"].tolist() == [1, 2, 3]
    assert state["ter_head.0.bias"].tolist() == [0, 0, 0]


def test_they_are_three_or_none(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        'name = "n"\nencoder = "e"\nsteps = 1\nternary_offsets = [1.0, 2.0]\n'
        '[[sources]]\nname = "monusac"\nfolder = "data"\nshare = 1.0\n'
    )
    with pytest.raises(SettingsError, match=r"ternary_offsets has 2 numbers; give three"):
        read_config(path)
