"""Layers of the slide alone: its stains, where it holds tissue, and what is wrong with it."""

from functools import partial

import numpy as np

from pages.shared import resources
from pages.viewer_page.layers.layer import Colours, Layer, LayerRequest, always, has_mpp
from seg_core.picture.map_painting import render_mask
from seg_core.slide import TissueMask
from seg_core.slide.stain import Stain, only_stain

_BLURRED_RGB, _PEN_RGB = (255, 140, 0), (220, 0, 160)


def _paint_stain(stain: Stain, request: LayerRequest) -> Colours:
    return only_stain(request.read_slide(), stain)


def _paint_tissue(request: LayerRequest) -> Colours:
    info = request.slide.info
    return render_mask(resources.tissue(info.path, info.mpp), request.viewport)


def _paint_normalised(request: LayerRequest) -> Colours:
    info = request.slide.info
    return resources.stain_fit(info.path, info.mpp).normalise(request.read_slide())


def _paint_flaws(request: LayerRequest) -> Colours:
    info = request.slide.info
    quality = resources.quality(info.path, info.mpp)
    blurred, pen = (
        render_mask(TissueMask(quality.raster, mask), request.viewport, colour)
        for mask, colour in ((quality.out_of_focus, _BLURRED_RGB), (quality.pen, _PEN_RGB))
    )
    return np.where(pen[..., 3:] > blurred[..., 3:], pen, blurred)


NORMALISED = Layer(
    name="normalised",
    label="Normalised",
    title="The slide with its stain made like that of a reference (Macenko)",
    paint=_paint_normalised,
    of_run=False,
    opaque=True,
    finest="slide",
    offered=has_mpp,
)

FLAWS = Layer(
    name="flaws",
    label="Flaws",
    title="Orange: tissue out of focus, where nuclei are found less surely. Magenta: pen marks",
    paint=_paint_flaws,
    opacity=0.5,
    of_run=False,
    finest="slide",
    offered=has_mpp,
)

HAEMATOXYLIN = Layer(
    name="haematoxylin",
    label="Haematoxylin",
    title="The slide as if stained with haematoxylin alone (colour deconvolution)",
    paint=partial(_paint_stain, "haematoxylin"),
    of_run=False,
    opaque=True,
    finest="slide",
    offered=always,
)

EOSIN = Layer(
    name="eosin",
    label="Eosin",
    title="The slide as if stained with eosin alone (colour deconvolution)",
    paint=partial(_paint_stain, "eosin"),
    of_run=False,
    opaque=True,
    finest="slide",
    offered=always,
)

TISSUE = Layer(
    name="tissue",
    label="Tissue",
    title="What counts as tissue; the rest of a slide is glass and is not analysed",
    paint=_paint_tissue,
    opacity=0.4,
    of_run=False,
    finest="slide",
    offered=has_mpp,
)
