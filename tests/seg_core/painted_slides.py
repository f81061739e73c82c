"""Slides that are drawn, and an engine that reads the drawing: truth by construction.

A pixel's colour says what it is, so the engine answers each pixel by itself and all rooms run
without weights, in a second.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from seg_core.classes import BOUNDARY, INSIDE
from seg_core.model import ModelCard
from seg_core.model.features import FEATURE_STRIDE_PX, DescribedTile
from seg_core.settings import AnalysisSettings

MPP = 0.25
TISSUE, GLASS = (230, 170, 200), (255, 255, 255)
RADIUS_PX = 14  # 7 µm across, as a lymphocyte
PITCH_PX = 48

SMALL_TILES = AnalysisSettings(tile_px=64, overlap_px=32, block_px=256)

CARD = ModelCard(
    name="painted",
    file="painted.safetensors",
    sha256="0" * 64,
    encoder="resnet18",
    mpp=MPP,
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
)


@dataclass(frozen=True)
class Painting:
    """A picture and how many nuclei of each class id are whole in it; 0 is *other*."""

    rgb: npt.NDArray[np.uint8]
    centres: npt.NDArray[np.int64]
    class_ids: npt.NDArray[np.int64]

    def save(self, path: Path) -> Path:
        Image.fromarray(self.rgb).save(path)
        return path


class PaintedEngine:
    """Turns a painting's colours into logits; counts the tiles it was asked."""

    name = "painted"
    feature_count = 3

    def __init__(self, precision: str = "fp32") -> None:
        self.precision = precision
        self.tiles = 0

    def run(
        self, tiles: Iterable[tuple[int, npt.NDArray[np.uint8]]]
    ) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        for number, rgb in tiles:
            self.tiles += 1
            yield number, _logits(rgb)

    def describe(
        self, tiles: Iterable[tuple[int, npt.NDArray[np.uint8]]]
    ) -> Iterator[DescribedTile]:
        """Its features are the mean colour of each square."""
        for number, rgb in tiles:
            self.tiles += 1
            yield DescribedTile(number, _logits(rgb), mean_colours(rgb))


class BlindInTheCorner(PaintedEngine):
    """Another engine, which finds one nucleus fewer, so that all ids after it shift."""

    name = "blind in the corner"

    def describe(
        self, tiles: Iterable[tuple[int, npt.NDArray[np.uint8]]]
    ) -> Iterator[DescribedTile]:
        """Its first tile holds no nucleus."""
        for tile in super().describe(tiles):
            if tile.number == 0:
                tile.logits[1:5] = tile.logits[6:] = 0
                tile.logits[5] = 4
            yield tile


def mean_colours(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
    """(H, W, 3) → (3, H / 4, W / 4)."""
    height, width = (px // FEATURE_STRIDE_PX for px in rgb.shape[:2])
    squares = rgb.reshape(height, FEATURE_STRIDE_PX, width, FEATURE_STRIDE_PX, 3)
    return squares.mean(axis=(1, 3)).transpose(2, 0, 1).astype(np.float16)


def find_painted_model(_name: object = None) -> tuple[ModelCard, Path]:
    return CARD, Path(CARD.file)


def make_painted_engine(
    _card: ModelCard, _weights: Path, settings: AnalysisSettings
) -> PaintedEngine:
    return PaintedEngine("fp32" if settings.precision == "auto" else settings.precision)


def paint(width: int, height: int, *, glass_from: int | None = None, seed: int = 0) -> Painting:
    """Draw discs on a jittered grid, of all classes and *other*, on tissue and then on glass."""
    rng = np.random.default_rng(seed)
    rgb = np.full((height, width, 3), TISSUE, np.uint8)
    xs = np.arange(PITCH_PX // 2, width - PITCH_PX // 2, PITCH_PX)
    ys = np.arange(PITCH_PX // 2, height - PITCH_PX // 2, PITCH_PX)
    centres = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    centres += rng.integers(-6, 7, centres.shape)
    if glass_from is not None:
        rgb[:, glass_from:] = GLASS
        centres = centres[centres[:, 0] + RADIUS_PX < glass_from]
    class_ids = rng.integers(0, 5, len(centres))
    reach = np.arange(-RADIUS_PX, RADIUS_PX + 1)
    distance = np.hypot(*np.meshgrid(reach, reach))
    for (x, y), class_id in zip(centres, class_ids, strict=True):
        patch = rgb[y - RADIUS_PX : y + RADIUS_PX + 1, x - RADIUS_PX : x + RADIUS_PX + 1]
        patch[distance <= RADIUS_PX] = (40 * class_id, 100, 150)
        patch[distance <= RADIUS_PX - 3] = (40 * class_id, 0, 150)
    return Painting(rgb, centres, class_ids)


def _logits(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    nucleus = rgb[..., 2] == 150
    class_map = np.where(nucleus, np.minimum(rgb[..., 0] // 40, 4), 0)
    ternary = np.where(nucleus, np.where(rgb[..., 1] == 0, INSIDE, BOUNDARY), 0)
    logits = np.zeros((8, *nucleus.shape), np.float32)
    np.put_along_axis(logits[:5], class_map[None].astype(np.int64), 4.0, axis=0)
    np.put_along_axis(logits[5:], ternary[None].astype(np.int64), 4.0, axis=0)
    return logits
