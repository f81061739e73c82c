"""Names of what a training run keeps in its folder."""

CONFIG = "config.json"
"""The configuration as the run was started."""

LOG = "log.csv"
"""A line for each validation."""

CHECKPOINT = "checkpoint.pt"
"""All that a resumed run needs."""

BEST = "best.safetensors"
"""Weights of the best step so far."""

LAST = "last.safetensors"
"""Weights of the last step, where a configuration means them by a soup."""

PREVIEWS = "previews"
"""Folder of pictures, worst image first, written when the run ends."""

BOARD = "tensorboard"
"""Folder of the log as TensorBoard reads it, where a configuration asks for it."""
