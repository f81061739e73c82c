import threading
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training_logs import log_of

from seg_core.errors import DataError, SettingsError
from seg_core.model.card import find_model
from seg_core.model.network import load_network
from seg_core.training import board
from seg_core.training import train as room
from seg_core.training.config import LossConfig, TrainConfig
from seg_core.training.train import keep_depthwise_in_fp32, learning_rate, train


class Killed(BaseException):
    """What a killed process would look like from inside."""


def test_loss_falls_and_a_model_with_its_card_is_left(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    train(replace(tiny_config, steps=30, validate_every=5), folder)
    losses = [float(row["loss"]) for row in log_of(folder)]
    assert losses[-1] < 0.9 * losses[0]
    card, weights = find_model(folder / "tiny.safetensors")
    assert load_network(card, weights)(torch.zeros(1, 3, 64, 64)).shape == (1, 8, 64, 64)
    assert card.metrics["training"]["validation"]["score"] == pytest.approx(
        max(float(row["score"]) for row in log_of(folder)), rel=1e-4
    )


@pytest.mark.parametrize("types", [0.0, 0.5])
def test_killed_run_ends_with_the_weights_of_one_that_was_not(
    types: float, tiny_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_config = replace(tiny_config, loss=replace(tiny_config.loss, types=types))
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(tiny_config, whole)
    learn = room._Run.learn

    def learn_until_killed(self: room._Run, step: int, batch: dict[str, torch.Tensor]) -> None:
        if step == 8:
            raise Killed
        learn(self, step, batch)

    monkeypatch.setattr(room._Run, "learn", learn_until_killed)
    with pytest.raises(Killed):
        train(tiny_config, parts)
    monkeypatch.setattr(room._Run, "learn", learn)
    train(tiny_config, parts)
    expected, found = (load_file(folder / "tiny.safetensors") for folder in (whole, parts))
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert log_of(whole) == log_of(parts)


def test_classes_can_be_weighed_by_median_frequency(
    tiny_config: TrainConfig, tmp_path: Path
) -> None:
    config = replace(tiny_config, steps=1, loss=LossConfig(class_weights=()))
    crops = room.Crops(config)
    run = room._Run(config, tmp_path, crops.types)
    run.use_class_weights(crops)
    background, *classes = run.config.loss.class_weights
    assert background == 0.25
    assert all(weight == pytest.approx(1, rel=0.05) for weight in classes)
    train(config, tmp_path)
    assert len(log_of(tmp_path)) == 1


def test_depthwise_convolutions_stay_out_of_bf16() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(4, 4, 3, groups=4), torch.nn.Conv2d(4, 8, 1))
    keep_depthwise_in_fp32(network)
    with torch.autocast("cpu", torch.bfloat16):
        between = network[0](torch.randn(1, 4, 8, 8))
        assert between.dtype == torch.float32
        assert network[1](between).dtype == torch.bfloat16


def test_run_ends_early_when_nothing_gets_better(
    tiny_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.Validation, "figures", lambda _self, _network: {"score": 0.5})
    train(replace(tiny_config, validate_every=1, patience=3), tmp_path)
    assert len(log_of(tmp_path)) == 4


def test_log_is_written_for_tensorboard_where_asked(
    tiny_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = replace(tiny_config, tensorboard=True)
    train(asked, tmp_path / "run")
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    log = pd.read_csv(tmp_path / "run" / "log.csv")
    shown = {each.step: each.value for each in events.Scalars("score")}
    assert shown == pytest.approx(dict(zip(log["step"], log["score"], strict=True)), rel=1e-4)
    monkeypatch.setattr(board, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="TensorBoard, which is not installed"):
        train(asked, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_folder_of_another_encoder_is_refused(tiny_config: TrainConfig, tmp_path: Path) -> None:
    train(replace(tiny_config, steps=1), tmp_path)
    with pytest.raises(DataError, match="holds a run with the encoder tu-test_resnet"):
        train(replace(tiny_config, encoder="resnet18"), tmp_path)


def test_run_can_start_from_an_earlier_one(tiny_config: TrainConfig, tmp_path: Path) -> None:
    train(tiny_config, tmp_path / "first")
    start = tmp_path / "first" / "tiny.safetensors"
    network = room.initial_network(replace(tiny_config, start_from=str(start)))
    state = load_file(start)
    assert all(torch.allclose(v, state[k].to(v.dtype)) for k, v in network.state_dict().items())


def test_encoder_can_start_from_a_file(tiny_config: TrainConfig, tmp_path: Path) -> None:
    encoder = room.initial_network(replace(tiny_config, seed=9)).base["encoder"]
    torch.save(encoder.state_dict(), tmp_path / "encoder.pth")
    config = replace(tiny_config, encoder_weights=str(tmp_path / "encoder.pth"))
    found = room.initial_network(config).base["encoder"].state_dict()
    assert all(torch.equal(value, found[name]) for name, value in encoder.state_dict().items())


def test_rate_warms_up_and_sinks_to_a_hundredth(tiny_config: TrainConfig) -> None:
    config = replace(tiny_config, steps=100, warm_up=10, learning_rate=1.0)
    rates = [learning_rate(step, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == 1.0
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(0.01, abs=1e-3)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_run_leaves_the_best_weights_or_the_last_as_it_is_told(
    tiny_config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: str
) -> None:
    scores = iter([0.9, 0.3])
    monkeypatch.setattr(room.Validation, "figures", lambda *_: {"score": next(scores)})
    card = train(replace(tiny_config, keep=keep), tmp_path)  # type: ignore[arg-type]
    kept = {"best": 0.9, "last": 0.3}[keep]
    assert card.metrics["training"]["validation"]["score"] == kept
    last = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["average"]
    left = load_file(tmp_path / "tiny.safetensors")
    same = all(torch.equal(left[name], value.to(left[name].dtype)) for name, value in last.items())
    assert same == (keep == "last")


def test_a_choice_of_weights_that_cannot_be_is_refused(tiny_config: TrainConfig) -> None:
    with pytest.raises(SettingsError, match="keep is 'first'; choose best or last"):
        replace(tiny_config, keep="first")  # type: ignore[arg-type]


def crops_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "crops"]


def test_no_thread_reads_on_when_a_run_ends_early(tiny_config: TrainConfig, tmp_path: Path) -> None:
    # a learning rate of nothing: no validation is better than the first
    train(
        replace(tiny_config, steps=500, validate_every=1, patience=1, learning_rate=0.0), tmp_path
    )
    assert not crops_threads()


def test_batches_read_ahead_come_in_order_and_closing_ends_the_thread() -> None:
    class Numbers:
        def batch(self, step: int) -> dict[str, torch.Tensor]:
            return {"step": torch.tensor(step)}

    with room.read_batches(Numbers(), 5, 1000) as batches:  # type: ignore[arg-type]
        assert [int(next(batches)["step"]) for _ in range(4)] == [5, 6, 7, 8]
        assert crops_threads()
    assert not crops_threads()
    with room.read_batches(Numbers(), 0, 9) as every:  # type: ignore[arg-type]
        assert [int(each["step"]) for each in every] == list(range(9))
    assert not crops_threads()


def test_what_fails_while_reading_ahead_is_raised_by_the_run() -> None:
    class Broken:
        def batch(self, step: int) -> dict[str, torch.Tensor]:
            raise DataError(f"step {step} cannot be read.")

    with (
        pytest.raises(DataError, match="step 3 cannot be read"),
        room.read_batches(Broken(), 3, 9) as batches,  # type: ignore[arg-type]
    ):
        next(batches)
    assert not crops_threads()
