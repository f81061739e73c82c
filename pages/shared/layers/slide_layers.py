"""Layers of the slide alone: its stains, and where it holds tissue."""

from functools import partial

from pages.shared import resources
from pages.shared.layers.layer import Colours, Layer, LayerRequest, always, has_mpp
from seg_core.export.map_pictures import picture_of_tissue
from seg_core.slide.stain import Stain, only_stain


def _paint_stain(stain: Stain, request: LayerRequest) -> Colours:
    return only_stain(request.read_slide(), stain)


def _paint_tissue(request: LayerRequest) -> Colours:
    info = request.slide.info
    return picture_of_tissue(resources.tissue(info.path, info.mpp), request.picture)


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
