"""Turn a model's OpenVINO graph into one in 8-bit integers, beside its weights."""

import logging
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from seg_core.errors import ExportError, ModelError
from seg_core.evaluation.fast_settings import CARD_ENTRY
from seg_core.files.atomic import scratch_folder
from seg_core.model import find_model, write_card
from seg_core.model.int8 import Int8Graph, checksum
from seg_core.model.openvino_engine import read_converted, without_telemetry, write_graph

Floating = Literal["none", "ends"]
"""Layers that stay in floating point: none, or the first convolution and the head."""

_CONVOLUTIONS = {"Convolution", "GroupConvolution"}


def quantise(
    model: str | None, tiles: Sequence[npt.NDArray[np.uint8]], *, floating: Floating = "none"
) -> Path:
    """Write the graph in 8-bit integers beside a model's weights, and its entry into the card.

    What was measured with an older graph goes out of the card with it.

    Parameters
    ----------
    model : str or None
        Name or file; None is the default model.
    tiles : sequence of (H, W, 3) uint8
        What the ranges of the integers are chosen by.
    floating : {"none", "ends"}

    Returns
    -------
    path : Path
        The graph, ``<stem of the weights>-int8.xml``; its numbers are in the ``.bin`` beside it.

    Raises
    ------
    ModelError
        If nncf is not installed, or the weights cannot be loaded.
    ExportError
        If the files cannot be written.
    """
    nncf = _import_nncf()
    card, weights = find_model(model)
    graph = read_converted(card, weights)
    # its progress goes where progress goes
    with redirect_stdout(sys.stderr):
        quantised = nncf.quantize(
            graph,
            nncf.Dataset([tile[None] for tile in tiles]),
            # symmetric integers: others have a zero point, which transposed convolutions lack
            preset=nncf.QuantizationPreset.PERFORMANCE,
            subset_size=len(tiles),
            ignored_scope=nncf.IgnoredScope(names=_ends(graph)) if floating == "ends" else None,
        )
    path = weights.with_name(f"{weights.stem}-int8.xml")
    entry = Int8Graph(path.name, _write(quantised, path), weights_sha256=card.sha256)
    measured = {name: value for name, value in card.metrics.items() if name != CARD_ENTRY}
    write_card(replace(card, int8=entry, metrics=measured), weights.with_suffix(".json"))
    return path


def _write(graph: Any, path: Path) -> str:
    """Write both files of a graph, and return their checksum."""
    try:
        with scratch_folder(path) as temporary:
            made = temporary / path.name
            parts = write_graph(graph, made)
            for suffix in (".xml", ".bin"):
                made.with_suffix(suffix).replace(path.with_suffix(suffix))
    except (OSError, RuntimeError) as error:
        raise ExportError(
            f"{path.name} cannot be written beside the weights ({error}); "
            "put weights and card into a folder you may write in."
        ) from error
    return checksum(*parts)


def _import_nncf() -> Any:
    """Import nncf, which no analysis needs; it reports to nobody and does not chatter."""
    try:
        with without_telemetry():
            import nncf
    except ImportError as error:
        raise ModelError(
            f"nncf, which chooses the integers, is not installed ({error}); "
            "install it with pip install -r tests/requirements.txt."
        ) from error
    nncf.set_log_level(logging.WARNING)
    return nncf


def _ends(graph: Any) -> list[str]:
    """Return the names of the first convolution and of the last, the head."""
    names = [
        operation.get_friendly_name()
        for operation in graph.get_ordered_ops()
        if operation.get_type_name() in _CONVOLUTIONS
    ]
    return [names[0], names[-1]]
