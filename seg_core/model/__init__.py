"""The network: its card, its layers and the engines that run it."""

from seg_core.model.card import ModelCard, available_models, find_model, read_card, write_card
from seg_core.model.engine import Engine
from seg_core.model.engine_choice import make_engine, suits_int8

__all__ = [
    "Engine",
    "ModelCard",
    "available_models",
    "find_model",
    "make_engine",
    "read_card",
    "suits_int8",
    "write_card",
]
