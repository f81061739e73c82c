"""How an analysis is done: every option with its unit and its reason."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from seg_core.errors import SettingsError

EngineName = Literal["auto", "torch", "openvino"]
StainName = Literal["none", "macenko", "reinhard"]
Precision = Literal["auto", "fp32", "bf16", "int8"]
PresetName = Literal["original", "fast", "best"]

STAIN_TITLES: dict[StainName, str] = {
    "none": "As scanned",
    "macenko": "Macenko",
    "reinhard": "Reinhard",
}
"""What people call the methods."""

PRECISION_TITLES = {
    "fp32": "32-bit (fp32)",
    "bf16": "16-bit (bf16)",
    "fp16": "16-bit (fp16)",
    "int8": "8-bit integers (int8)",
}
"""What people call the precision that the network was really computed in."""

_CHOICES: dict[str, tuple[str, ...]] = {
    "stain": get_args(StainName),
    "engine": get_args(EngineName),
    "precision": get_args(Precision),
}
_VIEWS = (1, 2, 4, 8)
_STEP_PX = 32  # the network halves its input five times


MOST_TILE_PX = 4096
"""The largest side of a tile; it takes 1.3 GB."""

# Measured: a tile of 16,384 px takes 21 GB.
_BYTES_PER_TILE_PIXEL = 80


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """Options of one analysis; part of what names a run, so the same question finds the same run."""

    tile_px: int = 256
    """Side of a tile the network sees, pixels at the model's mpp; a multiple of 32."""

    overlap_px: int = 64
    """Pixels two neighbouring tiles share and blend; a multiple of 32, at most half a tile."""

    views: int = 1
    """Test-time augmentation: flips and quarter turns of a tile whose answers are averaged; 1 asks
    the tile alone, 2, 4 and 8 take as many times as long."""

    tissue_only: bool = True
    """Ask the network only where the low-resolution mask sees tissue; glass is most of a slide."""

    quality: bool = True
    """Count pen marks as glass, and tell how much of the tissue is out of focus; without it pen
    marks are tissue. Where everything is asked, glass too, it changes nothing."""

    stain: StainName = "none"
    """Take the slide's colours to those of the training data before the network sees them; what its
    stain is like is learned once, from all over the tissue, so that every part agrees."""

    engine: EngineName = "auto"
    """Runtime of the network; auto takes torch where there is CUDA, else OpenVINO if installed."""

    precision: Precision = "auto"
    """Of the network's numbers; auto takes bf16 where the processor has it, else fp32.
    int8 is for models that ship a graph in it, on a CPU."""

    min_nucleus_um2: float = 7.5
    """Smaller nuclei are debris. 7.5 µm² is a disc of 3.1 µm; the smallest lymphocytes have 15."""

    min_seed_um2: float = 1.0
    """A connected part of *inside* becomes a seed from this area on; smaller ones are speckle."""

    growth_um: float = 3.0
    """How far a seed may grow into the foreground; the boundary class is 0.75 µm thick."""

    max_extent_um: float = 100.0
    """A larger component is a fold or a smear, not a nucleus; it also bounds the blocks' halo."""

    block_px: int = 2048
    """Core of the blocks in which nuclei are found, raster pixels; the result does not depend on it."""

    def __post_init__(self) -> None:
        for name in ("tile_px", "overlap_px"):
            value = getattr(self, name)
            if value % _STEP_PX or value < 0:
                raise SettingsError(
                    f"{name} is {value}; the network halves its input five times, "
                    f"so give a multiple of {_STEP_PX}."
                )
        if self.tile_px < 2 * _STEP_PX or 2 * self.overlap_px > self.tile_px:
            raise SettingsError(
                f"a tile of {self.tile_px} px with {self.overlap_px} px overlap cannot be blended; "
                "give an overlap of at most half the tile."
            )
        if self.tile_px > MOST_TILE_PX:
            takes_gb = self.tile_px**2 * _BYTES_PER_TILE_PIXEL / 1e9
            raise SettingsError(
                f"a tile of {self.tile_px:,} px takes some {takes_gb:.0f} GB of memory while the "
                f"network works on it; give at most {MOST_TILE_PX:,}. Larger tiles are no faster."
            )
        if self.views not in _VIEWS:
            raise SettingsError(f"views is {self.views}; give 1, 2, 4 or 8.")
        for name in ("min_nucleus_um2", "min_seed_um2", "growth_um"):
            if not 0 <= getattr(self, name) < math.inf:
                raise SettingsError(f"{name} is {getattr(self, name)}; give a number from 0 on.")
        if not 0 < self.max_extent_um < math.inf:
            raise SettingsError(f"max_extent_um is {self.max_extent_um}; give a number above 0.")
        if self.block_px < 256:
            raise SettingsError(f"block_px is {self.block_px}; give at least 256.")
        for name, names in _CHOICES.items():
            if getattr(self, name) not in names:
                raise SettingsError(
                    f"{name} is {getattr(self, name)!r}; choose one of {', '.join(names)}."
                )

    @property
    def stride_px(self) -> int:
        """Distance between the corners of two neighbouring tiles."""
        return self.tile_px - self.overlap_px

    def to_json(self) -> dict[str, Any]:
        """Return the options as they stand in ``run.json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Preset:
    """Options that go together, for those who do not want to weigh each of them.

    What one costs in time and gains in accuracy is measured by ``python -m tests.bench.presets``
    and stands in the card of the model.
    """

    name: PresetName
    title: str
    words: str
    """What it does, without figures."""

    tile_px: int
    overlap_px: int
    views: int
    prefers_int8: bool = False
    """Compute in 8-bit integers where that is as accurate and fast; see `seg_core.model.suits_int8`."""

    def applied(self, settings: AnalysisSettings, *, int8: bool) -> AnalysisSettings:
        """Return settings with these options in place of theirs.

        Parameters
        ----------
        settings : AnalysisSettings
            What the preset says nothing of stays.
        int8 : bool
            Whether the model and this machine suit 8-bit integers.
        """
        return replace(
            settings,
            tile_px=self.tile_px,
            overlap_px=self.overlap_px,
            views=self.views,
            precision="int8" if self.prefers_int8 and int8 else settings.precision,
        )


PRESETS: dict[PresetName, Preset] = {
    preset.name: preset
    for preset in (
        Preset("original", "Original", "tiles of 256 px, as published", 256, 64, 1),
        Preset(
            *("fast", "Fast", "tiles of 512 px, in 8-bit integers where the model keeps them"),
            *(512, 64, 1),
            prefers_int8=True,
        ),
        Preset("best", "Best", "tiles of 512 px, four views of each, averaged", 512, 64, 4),
    )
}
"""The presets by name, in the order in which they are offered; the first one is what settings are
without any."""
