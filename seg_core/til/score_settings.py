"""How TILs are scored: every option with its unit, its reason and its source."""

from dataclasses import asdict, dataclass
from typing import Any

from seg_core.errors import SettingsError


@dataclass(frozen=True, slots=True)
class TilSettings:
    """Options of one TIL assessment; they stand in the result."""

    grid_um: float = 2.5
    """Pixel of the grid the compartments are drawn on, µm; outlines are true to half of it."""

    dilation_um: float = 20.0
    """Epithelial nuclei grow by this, µm, so that the cells of a nest close its gaps."""

    erosion_um: float = 15.0
    """Then the union shrinks by this, µm; the rest is cytoplasm around the outermost nuclei."""

    sensitivity_um: tuple[float, ...] = (10.0, 15.0, 20.0, 25.0, 30.0)
    """Dilations, µm, at which the score is shown again; dilation less erosion is kept."""

    min_island_nuclei: int = 5
    """Islands of epithelium with fewer nuclei are dropped: single cells are often misnamed."""

    stroma_reach_um: float = 500.0
    """Tissue further than this from epithelium, µm, is no stroma of the tumour."""

    tiger_nucleus_um2: float = 64.0
    """Area that the TIGER-style score gives each lymphocyte, µm²: a box of 8 µm."""

    square_um: float = 250.0
    """Side of the squares for the map, the intervals, Morisita-Horn and hotspots, µm."""

    finer_squares_um: tuple[float, ...] = (100.0, 50.0)
    """Sides at which Morisita-Horn is shown again, µm."""

    min_square_tissue: float = 0.5
    """Share of a square that must be tissue for Morisita-Horn, hotspots and phenotype."""

    phenotype_square_um: float = 1000.0
    """Side of the squares that have an immune phenotype, µm (Park et al. 2022)."""

    min_square_epithelium: float = 0.1
    """Share of such a square that must be epithelium (Park et al. 2022)."""

    inflamed_per_mm2: float = 106.0
    """Lymphocytes per mm² of epithelium from which a square is inflamed (Park et al. 2022)."""

    excluded_per_mm2: float = 357.0
    """Lymphocytes per mm² of stroma from which it is excluded otherwise (Park et al. 2022)."""

    phenotype_share: float = 1 / 3
    """A slide has a phenotype that more than this share of its squares have."""

    min_phenotype_squares: int = 3
    """With fewer valid squares the slide has no phenotype."""

    min_hotspot_squares: int = 30
    """With fewer squares no hotspots are sought: Gi* is then far from normal."""

    false_discovery_rate: float = 0.05
    """Share of false ones among the hotspots (Benjamini and Hochberg 1995)."""

    near_um: tuple[float, ...] = (20.0, 50.0, 100.0)
    """Distances to epithelium, µm, within which the share of lymphocytes is given."""

    max_radius_um: float = 200.0
    """Greatest radius of the cross-type G and L, µm."""

    radius_step_um: float = 10.0
    """Step between their radii, µm."""

    labellings: int = 199
    """Random labellings; their extremes are an envelope of 1 % at each radius."""

    max_nuclei: int = 20_000
    """G and L use whole squares, of `phenotype_square_um`, with so many nuclei at most."""

    min_blocks: int = 20
    """With fewer squares of `square_um` that have tissue there is no interval."""

    seed: int = 20201
    """Of all that is drawn: squares, labellings."""

    min_tissue_mm2: float = 0.5
    """With less tissue, mm², nothing is scored."""

    min_epithelial_nuclei: int = 50
    """With fewer nothing is scored: there is no tumour to infiltrate."""

    sure_score: float = 0.6
    """An epithelial nucleus is sure that has at least this class score and lies in an island."""

    min_sure_share: float = 0.7
    """With a smaller share of sure ones among the epithelial nuclei nothing is scored: scattered or
    doubtful ones are mostly endothelium, muscle or plasma cells that were misnamed. Chosen on
    validation images (docs/scores.md)."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            for each in value if isinstance(value, tuple) else (value,):
                if not each > 0 and name not in ("erosion_um", "min_sure_share", "seed"):
                    raise SettingsError(f"{name} is {each:g}; it must be above 0.")
        if not 0 <= self.erosion_um <= self.dilation_um:
            raise SettingsError(
                f"erosion_um is {self.erosion_um:g} at a dilation of {self.dilation_um:g}; "
                "give at least 0 and no more than the dilation."
            )
        for name in ("square_um", "finer_squares_um"):
            value = getattr(self, name)
            for side in value if isinstance(value, tuple) else (value,):
                _check_divides(side, self.phenotype_square_um, name, "phenotype_square_um")
                _check_divides(self.grid_um, side, "grid_um", name)
        for name in (
            *("min_square_tissue", "min_square_epithelium", "phenotype_share"),
            *("sure_score", "min_sure_share"),
            "false_discovery_rate",
        ):
            if getattr(self, name) > 1:
                raise SettingsError(f"{name} is {getattr(self, name):g}; a share is at most 1.")

    @property
    def growth_um(self) -> float:
        """How far epithelium reaches past its outermost nuclei, µm."""
        return self.dilation_um - self.erosion_um

    @property
    def other_dilations_um(self) -> tuple[float, ...]:
        """Those of `sensitivity_um` at which so much growth is left: a smaller one cannot reach it, µm."""
        return tuple(each for each in self.sensitivity_um if each >= self.growth_um)

    def to_json(self) -> dict[str, Any]:
        """Return the options as they stand in ``til.json``."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def _check_divides(part: float, whole: float, part_name: str, whole_name: str) -> None:
    times = whole / part
    if abs(times - round(times)) > 1e-9 or times < 1:
        raise SettingsError(
            f"{part_name} of {part:g} µm does not divide {whole_name} of {whole:g} µm; "
            "choose one that does."
        )
