"""Where numbers are taken: all that was analysed, or the ROIs that somebody drew on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import shapely

from seg_core.roi import Roi, roi_of_region
from seg_core.store import Run
from seg_core.til import Tumour, tumour_of

WHOLE = "Whole analysis"
"""Name of all that was analysed."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a slide that has numbers of its own.

    Attributes
    ----------
    name : str
    polygon : shapely.Polygon or shapely.MultiPolygon
        Level-0 pixels; empty where a ROI lies outside of what was analysed.
    everything : bool
        Whether it holds all nuclei of the run.
    tumour : Tumour or None
        What was drawn as tumour on the slide, which TIL scores of any part keep to.
    """

    name: str
    polygon: shapely.Geometry
    everything: bool = False
    tumour: Tumour | None = None

    @property
    def limit(self) -> shapely.Geometry | None:
        """What `seg_core.store.Selection.part` needs: None where it holds all nuclei."""
        return None if self.everything else self.polygon


def parts_of(run: Run, rois: Sequence[Roi] = ()) -> list[Part]:
    """Return all that was analysed and, each for itself, the ROIs that count.

    What the ROIs to exclude cover (necrosis, folds, ink) is taken out of every part, as it is out
    of TIL scores.

    Parameters
    ----------
    run : Run
    rois : sequence of Roi

    Returns
    -------
    parts : list of Part
        The whole first; names are unique.
    """
    analysed = (run.roi or roi_of_region(run.region)).polygon
    excluded = shapely.union_all([roi.polygon for roi in rois if not roi.counts])
    left = analysed.difference(excluded)
    # tumour elsewhere on the slide says nothing of what was analysed here
    tumour = tumour_of([roi for roi in rois if shapely.intersects(roi.polygon, analysed)])
    parts = [Part(WHOLE, left, everything=bool(left.equals(analysed)), tumour=tumour)]
    for name, roi in named_apart(rois):
        parts.append(Part(name, roi.polygon.intersection(left), tumour=tumour))
    return parts


def named_apart(rois: Sequence[Roi]) -> list[tuple[str, Roi]]:
    """Return the ROIs that count under names of which each is of one alone, as `parts_of` has them.

    Examples
    --------
    >>> nests = [Roi("nest", shapely.box(x, 0, x + 1, 1)) for x in (0, 5)]
    >>> [name for name, _ in named_apart([*nests, Roi("fold", nests[0].polygon, "exclude")])]
    ['nest', 'nest (2)']
    """
    found: list[tuple[str, Roi]] = []
    for roi in rois:
        if roi.counts:
            taken = [WHOLE, *(name for name, _ in found)]
            found.append((_free_name(roi.name, taken), roi))
    return found


def joined(parts: Sequence[Part]) -> Part:
    """Return one part that covers several.

    Examples
    --------
    >>> left, right = Part("a", shapely.box(0, 0, 2, 1)), Part("b", shapely.box(1, 0, 3, 1))
    >>> both = joined([left, right])
    >>> both.name, both.polygon.area
    ('a, b', 3.0)
    """
    whole = next((part for part in parts if part.everything), None)
    name = ", ".join(part.name for part in parts)
    polygon = shapely.union_all([part.polygon for part in parts])
    return whole or Part(name, polygon, tumour=parts[0].tumour)


def _free_name(name: str, taken: Sequence[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    return free
