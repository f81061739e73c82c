"""The slide: opening it, reading it at any resolution, finding its tissue, serving its tiles."""

from seg_core.slide.deepzoom import DeepZoom
from seg_core.slide.normalisation import NormalisedSlide, StainFit, StainMethod, fit_stain
from seg_core.slide.quality import SlideQuality, assess_quality
from seg_core.slide.reader import (
    SLIDE_SUFFIXES,
    ArraySlide,
    Slide,
    SlideInfo,
    open_slide,
    slide_id,
)
from seg_core.slide.stain import stain_densities
from seg_core.slide.tissue import TissueMask, find_tissue

__all__ = [
    "SLIDE_SUFFIXES",
    "ArraySlide",
    "DeepZoom",
    "NormalisedSlide",
    "Slide",
    "SlideInfo",
    "SlideQuality",
    "StainFit",
    "StainMethod",
    "TissueMask",
    "assess_quality",
    "find_tissue",
    "fit_stain",
    "open_slide",
    "slide_id",
    "stain_densities",
]
