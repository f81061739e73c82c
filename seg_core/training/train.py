"""The training loop: stopped at any moment, it goes on where it was.

Crops, dropout and learning rate are functions of seed and step, so nothing but the network, its
moving average and the optimiser has to be kept; a run that was killed ends with the weights of one
that was not.
"""

import copy
import csv
import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from seg_core.classes import MONUSAC
from seg_core.errors import DataError
from seg_core.files.atomic import replacing
from seg_core.files.sealed import checksum_of
from seg_core.model.card import ModelCard, read_card, write_card
from seg_core.model.network import (
    TwoHeadUnet,
    features_seen,
    fill_network,
    read_weights,
    save_weights,
)
from seg_core.process.pipelines import read_ahead
from seg_core.training.board import check_board, write_scalars
from seg_core.training.config import LAST_STEP, TrainConfig
from seg_core.training.dataset import Crops
from seg_core.training.files import BEST, CHECKPOINT, CONFIG, LAST, LOG, PREVIEWS
from seg_core.training.losses import median_frequency_weights, two_head_loss
from seg_core.training.previews import write_previews
from seg_core.training.soup import mean_weights
from seg_core.training.teacher import BlockOutputs, Teacher, hand_over_decoder
from seg_core.training.ternary_offsets import with_offsets
from seg_core.training.types import TypeHead, Types
from seg_core.training.validation import Validation

_log = logging.getLogger(__name__)

_BATCHES_AHEAD = 3


def train(config: TrainConfig, folder: Path) -> ModelCard:
    """Train a model, or go on with a run that was stopped.

    Parameters
    ----------
    config : TrainConfig
    folder : Path
        Of the run; holds the checkpoint, the log, and in the end ``<name>.safetensors`` with its
        card, which are the best step's.

    Returns
    -------
    card : ModelCard
    """
    if config.tensorboard:
        check_board()
    torch.set_num_threads(config.threads)
    folder.mkdir(parents=True, exist_ok=True)
    crops = Crops(config)
    run = _Run(config, folder, crops.types)
    (folder / CONFIG).write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    if not config.loss.class_weights:
        run.use_class_weights(crops)
    validation = Validation(config, MONUSAC) if config.validation else None
    saved = time.monotonic()
    steps = tqdm(range(run.step, config.steps), initial=run.step, total=config.steps, unit="step")
    with read_batches(crops, run.step, config.steps) as batches:
        for step, batch in zip(steps, batches, strict=True):
            run.learn(step, batch)
            done = step + 1
            if done % config.validate_every == 0 or done == config.steps:
                run.validate(validation)
                steps.set_postfix(score=f"{run.best_score:.4f}")
            if time.monotonic() - saved > 60 * config.save_minutes:
                run.save()
                saved = time.monotonic()
            if config.patience and run.without_gain >= config.patience:
                _log.info("no better step in %d validations; the run ends", config.patience)
                break
    run.save()
    return run.finish(validation)


def read_batches(
    crops: Crops, start: int, stop: int
) -> AbstractContextManager[Iterator[dict[str, Tensor]]]:
    """Have the batches of the steps made by a thread while the network learns."""
    return read_ahead(map(crops.batch, range(start, stop)), _BATCHES_AHEAD, name="crops")


class _Run:
    """Everything that changes while a run goes on."""

    def __init__(self, config: TrainConfig, folder: Path, types: Types) -> None:
        self.config, self.folder = config, folder
        torch.manual_seed(config.seed)
        self.network = initial_network(config).to(memory_format=torch.channels_last)
        self.teacher = Teacher(config) if config.distil.teacher else None
        if self.teacher and config.distil.decoder:
            hand_over_decoder(self.teacher.network, self.network)
        self.average = copy.deepcopy(self.network).eval()
        self.types = TypeHead(self.network, types) if config.loss.types else None
        self.blocks = BlockOutputs(self.network) if config.distil.hints else None
        if config.bf16:
            keep_depthwise_in_fp32(self.network)
        encoder = list(self.network.base["encoder"].parameters())
        known = {id(each) for each in encoder}
        rest = [each for each in self.network.parameters() if id(each) not in known]
        if self.types:
            rest += self.types.parameters()
        self.optimiser = torch.optim.AdamW(
            [{"params": encoder, "part": config.encoder_rate}, {"params": rest, "part": 1.0}],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        self.step = 0
        self.best_score = -math.inf
        self.best_figures: dict[str, float] = {}
        self.without_gain = 0
        self.losses: dict[str, float] = {}
        self._resume()

    def use_class_weights(self, crops: Crops) -> None:
        """Weigh classes by median frequency."""
        pixels = crops.class_pixels(len(MONUSAC.classes) + 1)
        weights = median_frequency_weights(pixels, self.config.loss.weight_cap)
        self.config = replace(self.config, loss=replace(self.config.loss, class_weights=weights))

    def learn(self, step: int, batch: dict[str, Tensor]) -> None:
        """Take one step."""
        config = self.config
        torch.manual_seed(hash((config.seed, step)))  # dropout, the same after a resume
        for group in self.optimiser.param_groups:
            group["lr"] = group["part"] * learning_rate(step, config)
        self.network.train()
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        with (
            torch.autocast("cpu", torch.bfloat16, enabled=config.bf16),
            features_seen(self.network.base["decoder"]) as seen,
        ):
            logits = self.network(image)
        loss, parts = two_head_loss(logits, batch, config.loss)
        if self.types:
            typed = self.types.loss(seen, batch["types"])
            loss, parts["types"] = loss + config.loss.types * typed, float(typed.detach())
        if self.teacher:
            with torch.autocast("cpu", torch.bfloat16, enabled=config.bf16):
                taught, their_parts = self.teacher.losses(image, logits, self.blocks)
            loss, parts = loss + taught, parts | their_parts
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self._follow(step)
        self.step = step + 1
        for name, value in {"loss": float(loss.detach()), **parts}.items():
            self.losses[name] = 0.98 * self.losses.get(name, value) + 0.02 * value

    def _follow(self, step: int) -> None:
        """Move the average towards the network; early on it follows faster."""
        keep = min(self.config.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            for mean, now in zip(
                self.average.state_dict().values(), self.network.state_dict().values(), strict=True
            ):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - keep)
                else:
                    mean.copy_(now)

    def validate(self, validation: Validation | None) -> None:
        """Write a line of the log; keep the average if it is the one to keep so far."""
        figures = (
            validation.figures(self.average) if validation else {"score": -self.losses["loss"]}
        )
        rate = learning_rate(self.step - 1, self.config)
        row = {"rate": rate, **self.losses, **figures}
        self._write_log({"step": self.step, **row})
        if self.config.tensorboard:
            write_scalars(self.folder, self.step, row)
        gained = figures["score"] > self.best_score
        self.without_gain = 0 if gained else self.without_gain + 1
        self.best_score = max(self.best_score, figures["score"])
        if gained or self.config.keep == "last":
            self.best_figures = figures
            with replacing(self.folder / BEST) as temporary:
                save_weights(self.average, temporary)

    def _write_log(self, row: dict[str, float]) -> None:
        path = self.folder / LOG
        rows: list[dict[str, Any]] = []
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                # a run resumed from before its last validation repeats that line
                rows = [each for each in csv.DictReader(file) if int(each["step"]) < row["step"]]
        shown = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()}
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(shown), extrasaction="ignore")
            writer.writeheader()
            writer.writerows([*rows, shown])

    def save(self) -> None:
        """Keep all that a resumed run needs."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "best_score": self.best_score,
            "best_figures": self.best_figures,
            "without_gain": self.without_gain,
            "losses": self.losses,
            "encoder": self.config.encoder,
            "types": self.types and self.types.state_dict(),
        }
        with replacing(self.folder / CHECKPOINT) as temporary:
            torch.save(state, temporary)

    def _resume(self) -> None:
        path = self.folder / CHECKPOINT
        if not path.is_file():
            return
        state = torch.load(path, weights_only=True)
        if state["encoder"] != self.config.encoder:
            raise DataError(
                f"{self.folder.name} holds a run with the encoder {state['encoder']}, "
                f"not {self.config.encoder}; choose another folder."
            )
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        if self.types:
            self.types.load_state_dict(state["types"])
        self.optimiser.load_state_dict(state["optimiser"])
        for name in ("step", "best_score", "best_figures", "without_gain", "losses"):
            setattr(self, name, state[name])

    def finish(self, validation: Validation | None) -> ModelCard:
        """Write the kept step's weights under the run's name, their card and pictures."""
        config = self.config
        weights = self.folder / f"{config.name}.safetensors"
        weights.write_bytes((self.folder / BEST).read_bytes())
        if config.soup:
            last = self.folder / LAST
            if LAST_STEP in config.soup:
                save_weights(self.average, last)
            parts = [weights, *(last if each == LAST_STEP else Path(each) for each in config.soup)]
            fill_network(self.average, mean_weights(parts), weights.name)
            save_weights(self.average, weights)
        if config.ternary_offsets:
            moved = with_offsets(read_weights(weights), config.ternary_offsets)
            fill_network(self.average, moved, weights.name)
            save_weights(self.average, weights)
        card = ModelCard(
            name=config.name,
            title=config.title,
            file=weights.name,
            sha256=checksum_of(weights),
            encoder=config.encoder,
            mpp=config.mpp,
            mean=config.mean,  # type: ignore[arg-type]
            std=config.std,  # type: ignore[arg-type]
            tile_px=config.tile_px or config.crop_px,
            licence=config.licence,
            data=config.data,
            default=config.default,
            metrics={
                "training": {
                    "steps": self.step,
                    "validation": self.best_figures,
                    "stages": self._stages(),
                }
            },
        )
        write_card(card, weights.with_suffix(".json"))
        if validation:
            fill_network(self.average, read_weights(weights), weights.name)
            write_previews(validation, self.average, card.scheme, self.folder / PREVIEWS)
        return card

    def _stages(self) -> list[str]:
        """Return what led to these weights, this run last, by the names of the runs' folders."""
        card = Path(self.config.start_from).with_suffix(".json") if self.config.start_from else None
        earlier: list[str] = []
        if card and card.is_file():
            earlier = read_card(card).metrics.get("training", {}).get("stages", [])
        kept = f"the {self.config.keep} step"
        if self.config.soup:
            others = [
                f"the {each}" if each == LAST_STEP else Path(each).parent.name
                for each in self.config.soup
            ]
            kept = f"the mean of the weights of {kept} and of {' and '.join(others)}"
        return [*earlier, f"{self.folder.name}: {self.step:,} steps, {kept} kept"]


def initial_network(config: TrainConfig) -> TwoHeadUnet:
    """Return the network a run starts from."""
    from_hub = "imagenet" if config.encoder_weights == "imagenet" else None
    network = TwoHeadUnet(config.encoder, encoder_weights=from_hub, dropout=config.dropout)
    if config.start_from:
        path = Path(config.start_from)
        fill_network(network, read_weights(path), path.name)
    elif config.encoder_weights and not from_hub:
        path = Path(config.encoder_weights)
        state = torch.load(path, map_location="cpu", weights_only=True)
        fill_network(network.base["encoder"], state, path.name)
    return network


def keep_depthwise_in_fp32(network: nn.Module) -> None:
    """Leave depthwise convolutions out of autocast.

    Their backward pass in bf16 takes 3 to 18 times as long as in fp32 on a CPU; a step of
    EfficientNet-Lite0 as a whole is a fifth shorter this way.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            module.forward = _outside_autocast(module.forward)  # type: ignore[method-assign, assignment]


def _outside_autocast(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def outside(images: Tensor) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            return forward(images.float())

    return outside


def learning_rate(step: int, config: TrainConfig) -> float:
    """Warm-up by a line, then half a cosine down to a hundredth."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    part = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part)))
