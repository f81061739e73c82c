"""What a reader has drawn as tumour: where TIL scores look for epithelium and stroma."""

from collections.abc import Sequence
from dataclasses import dataclass

import shapely

from seg_core.errors import RegionError
from seg_core.roi import Roi


@dataclass(frozen=True, slots=True)
class Tumour:
    """The tumour ROIs of a slide; with one, both compartments lie in it and nowhere else.

    E is then the epithelium found in it, S all other tissue in it however far from E: the stroma
    within the borders of the invasive tumour (Salgado et al. 2015). Benign epithelium outside is in
    neither. That a reader has seen tumour here stands in for the share of sure epithelial nuclei,
    without which nothing is scored otherwise.

    Attributes
    ----------
    names : tuple of str
        Of the ROIs.
    polygon : shapely.Polygon or MultiPolygon
        All of them, level-0 pixels.
    """

    names: tuple[str, ...]
    polygon: shapely.Geometry

    def within(self, limit: shapely.Geometry | None) -> shapely.Geometry:
        """Return what of a part, level-0 pixels, is tumour.

        Raises
        ------
        RegionError
            If nothing is.
        """
        common = self.polygon if limit is None else self.polygon.intersection(limit)
        if not common.area:
            raise RegionError(
                f"the tumour ROI {' and '.join(self.names)} has nothing in common with this part; draw "
                "the part in the tumour, or the tumour where this was analysed."
            )
        return common

    def in_words(self) -> str:
        """Say what the tumour ROIs do to the scores."""
        several = len(self.names) > 1
        return (
            f"Tumour as drawn (ROI{'s' * several} {', '.join(self.names)}): epithelium E and stroma S are "
            f"sought in {'them' if several else 'it'} alone, and S is all tissue there outside E."
        )


def tumour_of(rois: Sequence[Roi]) -> Tumour | None:
    """Return the ROIs of the kind *tumour* as one; None where there is none.

    Examples
    --------
    >>> nest = Roi("nest", shapely.box(0, 0, 2, 2), "tumour")
    >>> found = tumour_of([nest, Roi("field", shapely.box(0, 0, 9, 9))])
    >>> found.names, found.polygon.area
    (('nest',), 4.0)
    """
    drawn = [roi for roi in rois if roi.kind == "tumour"]
    if not drawn:
        return None
    return Tumour(
        tuple(roi.name for roi in drawn), shapely.union_all([roi.polygon for roi in drawn])
    )
