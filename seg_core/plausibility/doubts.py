"""What speaks against trusting the numbers of a run, in sentences that every page and file shows."""

from collections.abc import Iterable, Iterator

import geopandas as gpd

from seg_core.apart import apart
from seg_core.classes import ClassScheme
from seg_core.plausibility.digest import Digest, digest_of
from seg_core.plausibility.profile import ModelProfile

FEWEST_NUCLEI = 50
"""Fewer say neither how large nuclei are here nor how they look."""

_WRONG_SIZE = 0.6
"""Doublings that nuclei seem off from which it is said; how often rightly stands in docs/models.md."""

_COARSEST_MPP = 0.75
"""Between a scan at 20x, the coarsest that models learn from, and one at 10x."""

_SPARSE_PER_MM2, _MUCH_MM2 = 100.0, 0.2
"""Even fat has more nuclei than this; on less tissue there may be none by chance."""

_UM2_PER_MM2 = 1e6

_STRIKING = 3.0
"""Standard deviations of the training images by which a stain is named as the reason."""

_STAIN_WORDS = {
    ("haematoxylin", True): "its nuclei are stained more deeply with haematoxylin",
    ("haematoxylin", False): "its nuclei are paler, with less haematoxylin,",
    ("eosin", True): "its nuclei hold more red (eosin)",
    ("eosin", False): "its nuclei hold less red (eosin)",
}


class Onlooker:
    """Counts and digests the nuclei of tables as they pass by.

    Parameters
    ----------
    scheme : ClassScheme

    Attributes
    ----------
    nuclei : Digest
        Of all that has passed.
    counts : dict of int
        How many of each class, *other* included.
    """

    def __init__(self, scheme: ClassScheme) -> None:
        self._scheme = scheme
        self.nuclei = Digest.empty()
        self.counts = dict.fromkeys(scheme.names_with_other, 0)

    def watch(self, tables: Iterable[gpd.GeoDataFrame]) -> Iterator[gpd.GeoDataFrame]:
        """Give the tables on."""
        for table in tables:
            self.nuclei += digest_of(table, self._scheme)
            for name, count in table["class_name"].value_counts().items():
                self.counts[str(name)] += int(count)
            yield table


def doubts_of(
    nuclei: Digest, profile: ModelProfile | None, *, slide_mpp: float, tissue_um2: float
) -> list[str]:
    """Return a sentence for each thing that speaks against a run's numbers.

    Parameters
    ----------
    nuclei : Digest
        All of the run, *other* included.
    profile : ModelProfile or None
        Of the model; without one nothing is said of sizes and looks.
    slide_mpp : float
        µm per level-0 pixel that the run was made with.
    tissue_um2 : float
    """
    doubts = [] if (coarse := coarse_doubt(slide_mpp)) is None else [coarse]
    mm2 = tissue_um2 / _UM2_PER_MM2
    if mm2 >= _MUCH_MM2 and len(nuclei) < _SPARSE_PER_MM2 * mm2:
        doubts.append(
            f"only {len(nuclei):,} nuclei were found on {mm2:.2g} mm² of tissue, fewer than any tissue has; is a "
            f"pixel {slide_mpp:.4g} µm large, and is this an H&E stain in focus?"
        )
    if profile is None or len(nuclei) < FEWEST_NUCLEI:
        return doubts
    size = _size_doubt(nuclei, profile, slide_mpp)
    look = _look_doubt(nuclei, profile)
    return [*doubts, *filter(None, (size, look))]


def coarse_doubt(slide_mpp: float) -> str | None:
    """Say so where pixels are coarser than any that a model learns from; else None.

    Examples
    --------
    >>> coarse_doubt(0.5) is None
    True
    >>> (coarse_doubt(4.0) or "")[:26]
    'a pixel is said to be 4 µm'
    """
    if slide_mpp <= _COARSEST_MPP:
        return None
    return (
        f"a pixel is said to be {slide_mpp:.4g} µm large, and models learn from pixels of 0.25 to 0.5 µm: in "
        "coarser ones nuclei are blots, and numbers of them worth nothing; check the size, or take a finer scan."
    )


def _size_doubt(nuclei: Digest, profile: ModelProfile, slide_mpp: float) -> str | None:
    """Say so where nuclei are too large or too small for the size that a pixel is said to have."""
    doublings, reach = profile.scale.doublings(nuclei), profile.scale.limit
    if doublings is None or abs(doublings) <= _WRONG_SIZE:
        return None
    fitting = slide_mpp / 2**doublings
    seem = "large" if doublings > 0 else "small"
    medians = [
        f"{name} {median:.0f} ({profile.areas_um2[name][0]:.0f} to {profile.areas_um2[name][-1]:.0f})"
        for name in profile.areas_um2
        if (median := nuclei.median_um2(name)) is not None
    ]
    return (
        f"the nuclei seem too {seem} for pixels of {slide_mpp:.4g} µm: by their sizes a pixel is about "
        f"{fitting:.2g} µm ({fitting / 2**reach:.2g} to {fitting * 2**reach:.2g}). Median areas in µm², and in "
        f"brackets those of the training images: {', '.join(medians)}. Every density and area goes with "
        "the square of the pixel size, so check it before using any number."
    )


def _look_doubt(nuclei: Digest, profile: ModelProfile) -> str | None:
    """Say so where nuclei are unlike all that the network has learnt from."""
    look = nuclei.look()
    cloud = profile.familiarity
    if look is None or len(look) != len(cloud.middle):
        return None
    distance = cloud.distance(look)
    if distance <= cloud.limit:
        return None
    reasons = [
        f"{_STAIN_WORDS[name, offset > 0]} than those of the training images"
        for name, offset in cloud.stain_offsets(look).items()
        if abs(offset) > _STRIKING
    ]
    why = " and ".join(reasons) or (
        "its nuclei have a shape, texture or surroundings that the network has not seen (another tissue, "
        "stain, scanner, focus or pixel size)"
    )
    told, limit = apart(distance, cloud.limit, places=2)
    return (
        f"this slide is unlike the images that the model has learnt from: {why}. Its distance from them is "
        f"{told}; of familiar images one in forty is beyond {limit}. Its counts may be far off; "
        "look at the outlines and classes before using them."
    )
