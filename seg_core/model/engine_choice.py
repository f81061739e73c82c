"""Which engine this machine gets, and in which arithmetic it computes."""

import ctypes
from importlib.util import find_spec
from pathlib import Path

from seg_core.errors import ModelError
from seg_core.model.card import ModelCard
from seg_core.model.engine import Engine
from seg_core.settings import AnalysisSettings, EngineName, Precision

_CUDA_DRIVERS = ("libcuda.so.1", "nvcuda.dll")


def make_engine(card: ModelCard, weights: Path, settings: AnalysisSettings) -> Engine:
    """Load a model into the engine that the settings ask for.

    *auto* takes a graphics card by way of torch where there is one, else OpenVINO where it is
    installed, else torch.

    Parameters
    ----------
    card : ModelCard
    weights : Path
        File of the card's weights.
    settings : AnalysisSettings
        ``engine`` and ``precision`` are used here.

    Raises
    ------
    ModelError
        If the weights cannot be loaded, or the engine is not installed.
    """
    # either runtime takes seconds to import and is not needed to look at a slide
    if settings.precision == "int8" and settings.engine == "torch":
        raise ModelError("the engine torch has no int8; choose the engine openvino or auto.")
    if _takes_openvino(settings.engine, settings.precision):
        from seg_core.model.openvino_engine import OpenVinoEngine

        return OpenVinoEngine(card, weights, precision=settings.precision)
    from seg_core.model.torch_engine import TorchEngine

    return TorchEngine(card, weights, precision=settings.precision)


def engine_name(settings: AnalysisSettings) -> str:
    """Return the name of the engine that `make_engine` would load, without loading it.

    Raises
    ------
    ModelError
        If it is not installed.
    """
    return "openvino" if _takes_openvino(settings.engine, settings.precision) else "torch"


def precision_name(settings: AnalysisSettings) -> str:
    """Return the arithmetic of the engine that `make_engine` would load; its runtime is loaded.

    Raises
    ------
    ModelError
        If the engine is not installed.
    """
    # as in make_engine, either takes seconds to import
    if settings.precision != "auto":
        return settings.precision
    if _takes_openvino(settings.engine, settings.precision):
        from seg_core.model import openvino_engine

        return openvino_engine.usual_precision()
    from seg_core.model import torch_engine

    return torch_engine.usual_precision()


def suits_int8(card: ModelCard) -> bool:
    """Tell whether 8-bit integers are a good choice for a model here.

    Its graph in them must have been made of these weights and lose little, and OpenVINO be what
    *auto* takes: on a graphics card other arithmetic is faster.
    """
    graph = card.int8
    accurate = graph is not None and graph.weights_sha256 == card.sha256 and graph.keeps_accuracy
    return accurate and find_spec("openvino") is not None and not _has_cuda()


def _takes_openvino(engine: EngineName, precision: Precision) -> bool:
    installed = find_spec("openvino") is not None
    asked = engine == "openvino" or precision == "int8"
    if asked and not installed:
        raise ModelError(
            "the engine openvino is not installed; install it with pip install openvino, or choose "
            "the engine torch and a precision other than int8."
        )
    return asked or (engine == "auto" and installed and not _has_cuda())


def _has_cuda() -> bool:
    """Tell whether torch finds a graphics card; torch is imported only where a driver is."""
    if not any(map(_is_there, _CUDA_DRIVERS)):
        return False
    import torch

    return torch.cuda.is_available()


def _is_there(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
