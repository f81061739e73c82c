"""What of a slide can be relied on: tissue, pen marks, what is out of focus; the rest is glass."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seg_core.geometry import Raster, Region
from seg_core.roi import Roi
from seg_core.slide.focus import find_out_of_focus
from seg_core.slide.slide import Slide
from seg_core.slide.tissue import TissueMask, find_tissue_and_pen

# Less is a square or two that happen to be bland.
_WORTH_A_WARNING = 0.01

_UM2_PER_MM2 = 1e6


@dataclass(frozen=True)
class SlideQuality:
    """Masks of a slide at low resolution, all on the raster of the tissue.

    Attributes
    ----------
    tissue : TissueMask
        Without pen marks.
    pen : (H, W) bool
        Pen marks, on tissue or glass.
    out_of_focus : (H, W) bool
        A part of the tissue. It is analysed all the same: nuclei can be seen there, less surely.
    """

    tissue: TissueMask
    pen: npt.NDArray[np.bool_]
    out_of_focus: npt.NDArray[np.bool_]

    @property
    def raster(self) -> Raster:
        """The grid of the masks."""
        return self.tissue.raster

    def warnings(self, asked: Roi | Region) -> list[str]:
        """Return sentences on what must be known of a part of the slide."""
        pen_um2, blurred_um2 = (
            TissueMask(self.raster, mask).area_um2(asked) for mask in (self.pen, self.out_of_focus)
        )
        tissue_um2 = self.tissue.area_um2(asked)
        sentences = []
        if pen_um2 > 0:
            sentences.append(
                f"pen marks or ink cover {pen_um2 / _UM2_PER_MM2:.2g} mm²; they were not analysed "
                "and are not counted as tissue."
            )
        if blurred_um2 > _WORTH_A_WARNING * tissue_um2:
            sentences.append(
                f"{100 * blurred_um2 / tissue_um2:.0f} % of the tissue is out of focus; nuclei are found "
                "less surely there."
            )
        return sentences


def assess_quality(slide: Slide, region: Region | None = None) -> SlideQuality:
    """Find the tissue of a slide, its pen marks, and what is out of focus.

    Parameters
    ----------
    slide : Slide
    region : Region, optional
        Look for what is out of focus near this part only, which is what takes time; tissue and
        pen marks are those of the whole slide.

    Returns
    -------
    quality : SlideQuality

    Raises
    ------
    ResolutionError
        If the slide's own pixel size is not known.
    """
    tissue, pen = find_tissue_and_pen(slide)
    return SlideQuality(tissue, pen, find_out_of_focus(slide, tissue, region))
