"""Learn a context head from nuclei whose class was told; see `seg_core.nuclei.context_head`.

Every data set counts alike, and of each the classes by the square root of their number: what is rare
is heard, and what is frequent stays likelier. Half of the hidden layer is left out at each step (dropout,
Srivastava et al. 2014), and several such networks answer together: what one alone says of tissue that was
never learnt from differs by the draw it began with. Their mean, before the softmax, is one wider network.

The network whose features it weighs knows its own training images too well, and a head learnt there is
surer than it may be. How much surer is learnt from images that neither has seen: one temperature (Guo et
al. 2017), by which the last layer is divided, so that scores mean what they say and no class changes.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.covariance import LedoitWolf
from torch import nn

from seg_core.errors import DataError, counted
from seg_core.evaluation.told_nuclei import ToldNuclei
from seg_core.model.beside import in_file
from seg_core.nuclei.context_head import ContextHead, distances
from seg_core.process.progress import CountCallback

RADII_UM = (50.0, 100.0)

_NETWORKS = 3
_UNITS = 128  # of the hidden layer of each
_DROPOUT = 0.5
_WEIGHT_DECAY = 0.01
_HIGHEST_RATE = 2e-3
_STEPS = 9000
_BATCH = 512
_LIMIT = 5.0
_LOG_TEMPERATURES = (-2.0, 2.0)

# The head counts alone up to the distance that one in twenty of the contexts taught is beyond, and
# not at all from so many times that distance on.
_NEAR_SHARE, _FAR = 0.95, 1.5

_CONTEXTS = 6000
"""Of each data set, for the cloud that says which contexts are known."""

_Floats = npt.NDArray[np.float64]


def learn_context_head(
    nuclei: Iterable[ToldNuclei],
    classes: int,
    weights_sha256: str,
    command: str,
    *,
    held_out: Iterable[ToldNuclei] = (),
    steps: int = _STEPS,
    report: CountCallback | None = None,
) -> ContextHead:
    """Learn which class a nucleus has.

    Parameters
    ----------
    nuclei : iterable of ToldNuclei
        With contexts of `RADII_UM`.
    classes : int
        Of the model, without *other*.
    weights_sha256, command : str
        What stands in the file beside.
    held_out : iterable of ToldNuclei
        Of images that were not trained on: by these the head is made as sure as it may be.
    steps : int
        Of each network.
    report : callable, optional
        Called with the number of networks that are taught and of all.

    Raises
    ------
    DataError
        If there are no nuclei of every class.
    """
    parts = [each for each in nuclei if len(each.truth)]
    kinds = {int(k) for each in parts for k in np.unique(each.truth)}
    if kinds != set(range(classes + 1)):
        raise DataError(
            f"the labelled nuclei are of {counted(len(kinds), 'class', 'classes')} of the model's "
            f"{classes + 1}, other among them; give images with nuclei of every one."
        )
    inputs, truth, names = _together(parts)
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0)
    scale[scale < 1e-6] = 1.0
    values = _standardised(inputs, mean, scale)
    importance = _importance(names, truth)
    taught: list[_Layers] = []
    with _one_thread():
        for seed in range(_NETWORKS):
            taught.append(_taught(values, truth, importance, steps, seed))
            if report is not None:
                report(len(taught), _NETWORKS)
    joined = _joined(taught)
    sure = [each for each in held_out if len(each.truth)]
    if sure:
        temperature = _temperature(joined, sure, mean, scale)
        joined = joined._replace(
            coefficients=joined.coefficients / temperature,
            intercepts=joined.intercepts / temperature,
        )
    features = (inputs.shape[1] - classes) // (1 + len(RADII_UM))
    return ContextHead(
        weights_sha256=weights_sha256,
        command=command,
        radii_um=RADII_UM,
        nuclei={name: int((names == name).sum()) for name in np.unique(names).tolist()},
        mean=in_file(mean),
        scale=in_file(scale),
        limit=_LIMIT,
        hidden=tuple(map(in_file, joined.hidden)),
        hidden_intercepts=in_file(joined.hidden_intercepts),
        coefficients=tuple(map(in_file, joined.coefficients)),
        intercepts=in_file(joined.intercepts),
        **_known_contexts(names, inputs[:, -features:]),
    )


def _together(
    parts: list[ToldNuclei],
) -> tuple[_Floats, npt.NDArray[np.intp], npt.NDArray[np.str_]]:
    """Return inputs, class and data set of each nucleus of all parts."""
    inputs = np.concatenate([each.inputs for each in parts])
    truth = np.concatenate([each.truth for each in parts])
    names = np.repeat([each.data_set for each in parts], [len(each.truth) for each in parts])
    return inputs, truth, names


class _Layers(NamedTuple):
    """Two layers: (H, I), (H,), (C + 1, H), (C + 1,)."""

    hidden: _Floats
    hidden_intercepts: _Floats
    coefficients: _Floats
    intercepts: _Floats

    def answer(self, values: _Floats) -> _Floats:
        """Return what they say before the softmax, (N, C + 1)."""
        units = np.maximum(values @ self.hidden.T + self.hidden_intercepts, 0)
        return np.asarray(units @ self.coefficients.T + self.intercepts)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let PyTorch work in one thread: of steps so small, several wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _taught(
    values: _Floats, truth: npt.NDArray[np.intp], importance: _Floats, steps: int, seed: int
) -> _Layers:
    """Teach a network by nuclei drawn by their importance."""
    drawn = np.random.default_rng(seed).choice(len(truth), (steps, _BATCH), p=importance)
    inputs = torch.from_numpy(values.astype(np.float32))
    targets = torch.from_numpy(truth.astype(np.int64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hidden = nn.Linear(values.shape[1], _UNITS)
        last = nn.Linear(_UNITS, int(truth.max()) + 1)
        network = nn.Sequential(hidden, nn.ReLU(), nn.Dropout(_DROPOUT), last)
        optimiser = torch.optim.AdamW(network.parameters(), weight_decay=_WEIGHT_DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, _HIGHEST_RATE, total_steps=steps, pct_start=0.1
        )
        for rows in torch.from_numpy(drawn):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(network(inputs[rows]), targets[rows])
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
    tensors = (hidden.weight, hidden.bias, last.weight, last.bias)
    return _Layers(*(each.detach().double().numpy() for each in tensors))


def _joined(networks: list[_Layers]) -> _Layers:
    """Return the network that answers, before the softmax, with the mean of several."""
    hidden, hidden_intercepts, coefficients, intercepts = zip(*networks, strict=True)
    return _Layers(
        np.concatenate(hidden),
        np.concatenate(hidden_intercepts),
        np.concatenate(coefficients, axis=1) / len(networks),
        np.mean(intercepts, axis=0),
    )


def _temperature(layers: _Layers, nuclei: list[ToldNuclei], mean: _Floats, scale: _Floats) -> float:
    """Return by what to divide the answers so that the told classes are likeliest."""
    inputs, truth, names = _together(nuclei)
    answers = layers.answer(_standardised(inputs, mean, scale))
    _, owners, counts = np.unique(names, return_inverse=True, return_counts=True)
    alike = 1 / counts[owners]

    def unlikeliness(logarithm: float) -> float:
        said = log_softmax(answers / np.exp(logarithm), axis=1)
        return -float(alike @ said[np.arange(len(truth)), truth])

    return float(np.exp(minimize_scalar(unlikeliness, bounds=_LOG_TEMPERATURES).x))


def _standardised(inputs: _Floats, mean: _Floats, scale: _Floats) -> _Floats:
    return np.clip((inputs - mean) / scale, -_LIMIT, _LIMIT)


def _known_contexts(names: npt.NDArray[np.str_], around: _Floats) -> dict[str, Any]:
    """Return which contexts a head knows, with as many of each data set.

    ``around`` is (N, F), the widest.
    """
    rng = np.random.default_rng(0)
    chosen = []
    for name in np.unique(names):
        own = np.flatnonzero(names == name)
        chosen.append(rng.choice(own, _CONTEXTS, replace=len(own) < _CONTEXTS))
    cloud = LedoitWolf().fit(around[np.concatenate(chosen)])
    far_off = distances(around[np.concatenate(chosen)], cloud.location_, cloud.precision_)
    near = float(np.quantile(far_off, _NEAR_SHARE))
    return {
        "middle": in_file(cloud.location_),
        "precision": tuple(map(in_file, cloud.precision_)),
        "near": round(near, 4),
        "far": round(_FAR * near, 4),
    }


def _importance(names: npt.NDArray[np.str_], truth: npt.NDArray[np.intp]) -> _Floats:
    """Return the weight of each nucleus; all of them add up to 1."""
    weights = np.zeros(len(truth))
    for name in np.unique(names):
        own = names == name
        counts = np.bincount(truth[own])
        weights[own] = 1 / np.sqrt(counts[truth[own]])
        weights[own] /= weights[own].sum()
    return weights / weights.sum()
