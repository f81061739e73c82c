"""The network in OpenVINO: the fastest way on a CPU.

The weights are converted once to OpenVINO's own graph, with the normalisation and the batch norms
folded in, and kept in a cache folder. PyTorch, which takes seconds to import and hundreds of
megabytes, is needed for that alone, and in a process of its own that ends with it::

    <cache>/openvino/<key>/model.xml  model.bin  sha256

The key tells weights, card and OpenVINO's version apart. A folder appears at once and whole, so
two processes that convert at the same time only do the work twice; one that does not fit its
checksum is made anew.
"""

import hashlib
import json
import logging
import os
import sys
import warnings
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs

from seg_core.errors import ModelError
from seg_core.files.atomic import scratch_folder
from seg_core.files.temporary import temporary_folder
from seg_core.model.card import ModelCard
from seg_core.model.engine import NumberedLogits, NumberedTile
from seg_core.model.features import DescribedTile
from seg_core.model.int8 import checksum, read_int8
from seg_core.process.progress import ProgressCallback
from seg_core.process.worker import Worker
from seg_core.settings import Precision


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Let openvino, or a tool of its makers, be imported without its telemetry.

    Unless it is told not to, it reports each import and each conversion to its maker. It does
    without where that package is missing, and None in `sys.modules` is a missing package.
    """
    name = "openvino_telemetry"
    before = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before


try:
    with without_telemetry():
        import openvino as ov
        from openvino.properties import hint, optimal_number_of_infer_requests
        from openvino.properties.device import capabilities

        from seg_core.model.openvino_features import described
except ImportError as error:
    raise ModelError(
        "OpenVINO is not installed; install it with pip install openvino, or choose the engine "
        "torch and a precision other than int8."
    ) from error

CACHE_VARIABLE = "SEG_CACHE"
"""Environment variable that names another folder for what can be made again."""

_TYPES = {"fp32": ov.Type.f32, "bf16": ov.Type.bf16}

# Counts up when `_convert` makes another graph of the same weights.
_GRAPH_VERSION = 3

# An analysis has tiles of one size, and at the slide's edges narrower, lower ones, and both.
_SIZES_KEPT = 4

# Tiles that lie ready for the processor while the caller deals with an answer; without one, a core
# stood still wherever a row of cells was decided.
_READY = 1

# The graph takes any multiple of 32; small tiles are traced quickly.
_TRACED_PX = 64

_log = logging.getLogger(__name__)


class OpenVinoEngine:
    """Runs a model with OpenVINO on the CPU.

    Parameters
    ----------
    card : ModelCard
    weights : Path
    precision : {"auto", "fp32", "bf16", "int8"}
        auto is bf16 where the processor multiplies in it, else fp32. int8 takes the graph that
        ships with the weights; what that leaves in floating point is computed as in auto.

    Raises
    ------
    ModelError
        If the weights cannot be loaded, the processor lacks the precision, or the model has no
        graph in int8.
    """

    name = "openvino"

    def __init__(self, card: ModelCard, weights: Path, *, precision: Precision = "auto") -> None:
        self._core = ov.Core()
        known = _known_precisions(self._core)
        self.precision = _resolved(precision, known)
        if self.precision == "int8":
            self._floating = _TYPES[_resolved("auto", known)]
            self._model = self._core.read_model(*read_int8(card.int8, weights, card.sha256))
        else:
            self._floating = _TYPES[self.precision]
            self._model = converted(self._core, card, weights)
        self._described = described(self._model, len(card.decoder_channels))
        self.feature_count = self._described.output(1).get_partial_shape()[1].get_length()
        self._compiled: dict[tuple[bool, tuple[int, ...]], _Compiled] = {}

    def run(self, tiles: Iterable[NumberedTile]) -> Iterator[NumberedLogits]:
        """Answer each tile in the order of the tiles; see `seg_core.model.engine.Engine`."""
        for number, (logits,) in self._answers(tiles, with_features=False):
            yield number, logits

    def describe(self, tiles: Iterable[NumberedTile]) -> Iterator[DescribedTile]:
        """Answer each tile in the order of the tiles, with its features."""
        for number, (logits, features) in self._answers(tiles, with_features=True):
            yield DescribedTile(number, logits, features)

    def _answers(
        self, tiles: Iterable[NumberedTile], *, with_features: bool
    ) -> Iterator[tuple[int, list[npt.NDArray[Any]]]]:
        """Give all outputs of the graph for each tile.

        More tiles than the processor works on at once are on their way, so that nothing stands
        still while the caller deals with an answer, nor when the next tile is of another size.
        """
        idle: defaultdict[tuple[int, ...], list[ov.InferRequest]] = defaultdict(list)
        # A request reads the image and writes the answers in place, so they are kept with it.
        busy: deque[tuple[int, npt.NDArray[np.uint8], list[npt.NDArray[Any]], ov.InferRequest]]
        busy = deque()

        def next_answer() -> tuple[int, list[npt.NDArray[Any]]]:
            number, image, answers, request = busy.popleft()
            request.wait()
            idle[image.shape].append(request)
            return number, [each[0] for each in answers]

        try:
            for number, image in tiles:
                compiled = self._compiled_for(image.shape, with_features)
                requests = idle[image.shape]
                request = requests.pop() if requests else compiled.model.create_infer_request()
                answers = _room_for_answers(compiled.model, request)
                request.start_async([image[None]], share_inputs=True)
                busy.append((number, image, answers, request))
                if len(busy) > compiled.at_once + _READY:
                    yield next_answer()
            while busy:
                yield next_answer()
        finally:
            for *_, request in busy:
                request.wait()

    def _compiled_for(self, shape: tuple[int, ...], with_features: bool) -> "_Compiled":
        key = (with_features, shape)
        if key not in self._compiled:
            if len(self._compiled) == _SIZES_KEPT:
                del self._compiled[next(iter(self._compiled))]
            model = (self._described if with_features else self._model).clone()
            model.reshape([1, *shape])
            compiled = self._core.compile_model(
                model,
                "CPU",
                {
                    # Left to itself OpenVINO takes bf16 wherever there is any.
                    hint.inference_precision: self._floating,
                    # Whole tiles side by side instead of threads that wait for one another.
                    hint.performance_mode: hint.PerformanceMode.THROUGHPUT,
                    # Pinned threads starve on a core that something else keeps busy.
                    hint.enable_cpu_pinning: False,
                },
            )
            at_once = compiled.get_property(optimal_number_of_infer_requests)
            self._compiled[key] = _Compiled(compiled, at_once)
        return self._compiled[key]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The graph for one size of tiles, and how many of these the processor works on at once.

    A graph that is asked for a property answers after the tiles that it works on: asked for each
    tile, that would leave a core without work while the caller deals with an answer.
    """

    model: ov.CompiledModel
    at_once: int


def _room_for_answers(
    compiled: ov.CompiledModel, request: ov.InferRequest
) -> list[npt.NDArray[Any]]:
    """Have a request write its next answers into arrays that nobody else has."""
    answers: list[npt.NDArray[Any]] = []
    for place, output in enumerate(compiled.outputs):
        answers.append(np.empty(tuple(output.shape), output.element_type.to_dtype()))
        request.set_output_tensor(place, ov.Tensor(answers[-1], shared_memory=True))
    return answers


def has_bf16() -> bool:
    """Tell whether this processor multiplies in bf16."""
    return "BF16" in _known_precisions(ov.Core())


def usual_precision() -> str:
    """Return what *auto* is on this processor."""
    return _resolved("auto", _known_precisions(ov.Core()))


def _known_precisions(core: ov.Core) -> list[str]:
    return core.get_property("CPU", capabilities)


def _resolved(precision: Precision, known: list[str]) -> str:
    if precision == "bf16" and "BF16" not in known:
        raise ModelError("this processor does not multiply in bf16; choose the precision fp32.")
    if precision == "auto":
        return "bf16" if "BF16" in known else "fp32"
    return precision


def read_converted(card: ModelCard, weights: Path) -> ov.Model:
    """Return the network as a graph of OpenVINO in floating point."""
    return converted(ov.Core(), card, weights)


def write_graph(model: ov.Model, path: Path) -> tuple[bytes, bytes]:
    """Write a graph, ``.xml`` and its ``.bin``, and return what both hold.

    Raises
    ------
    OSError, RuntimeError
        If they cannot be written; openvino raises the second.
    """
    ov.save_model(model, path, compress_to_fp16=False)
    return path.read_bytes(), path.with_suffix(".bin").read_bytes()


def converted(core: ov.Core, card: ModelCard, weights: Path) -> ov.Model:
    """Return the network from the cache, converted before where it is not there."""
    folder = _cache_folder() / "openvino" / _key(card)
    model = _read(core, folder)
    if model is None:
        made = _convert(card, weights)
        _keep(made, folder)
        model = _read(core, folder) or made
    return model


def _cache_folder() -> Path:
    """Return ``SEG_CACHE``, else a folder among the user's caches."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen) if chosen else platformdirs.user_cache_path("seg_core", False)


def _key(card: ModelCard) -> str:
    facts = [
        *(card.sha256, card.architecture, card.encoder, card.decoder_channels),
        *(card.mean, card.std, len(card.scheme.classes), ov.get_version(), _GRAPH_VERSION),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]


def _read(core: ov.Core, folder: Path) -> ov.Model | None:
    """Read a kept graph; None where there is none or it is damaged."""
    try:
        graph, constants = ((folder / name).read_bytes() for name in ("model.xml", "model.bin"))
        expected = (folder / "sha256").read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    whole = checksum(graph, constants) == expected
    return core.read_model(graph, constants) if whole else None


def _keep(model: ov.Model, folder: Path) -> None:
    """Keep a graph for the next time; a cache that cannot be written costs only time."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(folder) as temporary:
            made = temporary / "made"
            made.mkdir()
            parts = write_graph(model, made / "model.xml")
            (made / "sha256").write_text(checksum(*parts), "utf-8")
            if folder.exists():
                folder.rename(temporary / "damaged")
            made.rename(folder)
    except (OSError, RuntimeError) as error:
        _log.warning(
            "the converted network is not kept in %s (%s), so it is converted again next time; "
            "choose another folder with %s",
            *(folder.parent, error, CACHE_VARIABLE),
        )


def _convert(card: ModelCard, weights: Path) -> ov.Model:
    """Turn the weights into a graph, in a process that takes torch's memory with it when it ends.

    Raises
    ------
    ModelError
        If the weights do not fit their card.
    """
    with temporary_folder() as folder, Worker(niceness=0) as worker:
        made = folder / "model.xml"
        worker.submit(write_converted, card=card, weights=weights, path=made).result()
        return ov.Core().read_model(made.read_bytes(), made.with_suffix(".bin").read_bytes())


def write_converted(card: ModelCard, weights: Path, path: Path, report: ProgressCallback) -> None:
    """Write the graph from (1, H, W, 3) uint8 to (1, C + 3, H, W) float32 as .xml and .bin.

    A job of the process that converts; there is nothing to report on the way.
    """
    import torch

    from seg_core.model.network import NormalisedNetwork, load_network

    network = NormalisedNetwork(load_network(card, weights), card).eval()
    example = torch.zeros(1, _TRACED_PX, _TRACED_PX, 3, dtype=torch.uint8)
    with torch.inference_mode(), warnings.catch_warnings():
        # The converter traces, which newer versions of torch call deprecated.
        warnings.filterwarnings("ignore", category=FutureWarning, message=r"`torch\.jit\.trace")
        # The encoder asks whether the sides are multiples of 32; the settings have seen to that.
        tracer_warning = torch.jit.TracerWarning  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", category=tracer_warning)
        graph = ov.convert_model(network, example_input=example)
    ov.save_model(graph, path, compress_to_fp16=False)
