"""The log once more, for TensorBoard; only where a configuration asks for it."""

from importlib.util import find_spec
from pathlib import Path

from seg_core.errors import SettingsError
from seg_core.training.files import BOARD


def check_board() -> None:
    """Make sure that TensorBoard is there, before hours of training.

    Raises
    ------
    SettingsError
        If it is not installed.
    """
    if find_spec("tensorboard") is None:
        raise SettingsError(
            "the configuration asks for TensorBoard, which is not installed; install it with pip "
            "install tensorboard, or set tensorboard = false."
        )


def write_scalars(run: Path, step: int, figures: dict[str, float]) -> None:
    """Add the figures of a step; those of later steps, of a run that was killed, are dropped."""
    from torch.utils.tensorboard import SummaryWriter  # the package is optional

    with SummaryWriter(str(run / BOARD), purge_step=step) as writer:
        for name, value in figures.items():
            writer.add_scalar(name, value, step)
