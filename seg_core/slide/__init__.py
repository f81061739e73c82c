"""The slide: opening it, reading it at any resolution, finding its tissue, serving its tiles."""

from seg_core.slide.array import ArraySlide
from seg_core.slide.deepzoom import DeepZoom
from seg_core.slide.formats import SLIDE_SUFFIXES
from seg_core.slide.identity import is_identity, may_have_id, slide_id
from seg_core.slide.levelled import check_mpp
from seg_core.slide.listing import series_apart, slides_among, slides_below, whole_of
from seg_core.slide.normalisation import NormalisedSlide, StainFit, StainMethod, fit_stain
from seg_core.slide.opening import bounds_of, open_slide, read_label_image
from seg_core.slide.pyramid import PLAUSIBLE_MPP
from seg_core.slide.quality import SlideQuality, assess_quality
from seg_core.slide.scanned import forget_decoded
from seg_core.slide.slide import Slide, SlideInfo
from seg_core.slide.stain import stain_densities
from seg_core.slide.tissue import TissueMask, find_tissue

__all__ = [
    "PLAUSIBLE_MPP",
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
    "bounds_of",
    "check_mpp",
    "find_tissue",
    "fit_stain",
    "forget_decoded",
    "is_identity",
    "may_have_id",
    "open_slide",
    "read_label_image",
    "series_apart",
    "slide_id",
    "slides_among",
    "slides_below",
    "stain_densities",
    "whole_of",
]
