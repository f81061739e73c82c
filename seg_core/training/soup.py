"""The mean of several runs' weights: what stages of one training have learned, put together.

Networks that were trained on from one another lie in one basin of the loss, where the mean of their
weights is often better than each, on new data and on old (Wortsman et al. 2022, model soups; of a
model before and after fine-tuning, WiSE-FT).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from seg_core.errors import DataError
from seg_core.model.network import read_weights


def mean_weights(files: Sequence[Path]) -> dict[str, Tensor]:
    """Return the mean of the weights in several files; whole numbers are the first file's.

    Parameters
    ----------
    files : sequence of Path
        Safetensors of one architecture. One that is named twice counts twice.

    Raises
    ------
    DataError
        If they are of different architectures.
    """
    states = [read_weights(file) for file in files]
    first = states[0]
    for file, state in zip(files, states, strict=True):
        shapes = {name: value.shape for name, value in state.items()}
        if shapes != {name: value.shape for name, value in first.items()}:
            raise DataError(
                f"{file.name} is not of the architecture of {files[0].name}, so their mean has no "
                "meaning; name weights of runs that went on from one another."
            )
    return {
        name: torch.stack([state[name].float() for state in states]).mean(dim=0).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in first.items()
    }
