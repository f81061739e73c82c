"""The kinds of files that are damaged: how a sound one is made, and how it is read."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
import torch
from PIL import Image
from safetensors.torch import save_file

from seg_core.annotations import read_rois
from seg_core.classes import MONUSAC
from seg_core.cohort.plan import read_plan
from seg_core.geometry import Region
from seg_core.labelled.monusac_xml import read_annotations
from seg_core.model.card import read_card
from seg_core.model.network import read_weights
from seg_core.samples import sample_path
from seg_core.slide import open_slide
from seg_core.teaching.labels import read_marks
from seg_core.training.config import read_config
from tests.fuzz import runs
from tests.fuzz.mirax import write_mirax

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name : str
    make : callable
        Writes a sound one into an empty folder, and returns the path that is opened.
    read : callable
        Takes that path.
    damaged : str
        Pattern of the files in the folder of which one is damaged; empty: the one that is opened.
    agrees : bool
        Whether what is read of a damaged one must be what is read of the sound one: a store's.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    damaged: str = ""
    agrees: bool = False


def _look_at(path: Path) -> object:
    slide = open_slide(path)
    try:
        info = slide.info
        slide.thumbnail(64)
        side = (min(64, info.width), min(64, info.height))
        slide.read_level0(Region(info.width - side[0], info.height - side[1], *side), side)
        return slide.associated_images()
    finally:
        slide.close()


def _noise() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (90, 130, 3), dtype=np.uint8)


def _image(suffix: str, **options: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"a.{suffix}"
        Image.fromarray(_noise()).save(path, **options)
        return path

    return make


def _tiff(name: str, **options: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        tifffile.imwrite(path, _noise(), photometric="rgb", **options)
        return path

    return make


def _copy(source: Path) -> Callable[[Path], Path]:
    return lambda folder: Path(shutil.copy(source, folder))


def _text(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_text(text, "utf-8")
        return path

    return make


def _safetensors(folder: Path) -> Path:
    path = folder / "a.safetensors"
    save_file({"a.weight": torch.ones(3, 4), "a.count": torch.tensor(7)}, path)
    return path


def _checkpoint(folder: Path) -> Path:
    path = folder / "a.pt"
    torch.save({"model_state": {"a.weight": torch.ones(3, 4)}, "epoch": 3}, path)
    return path


def _mirax(folder: Path) -> Path:
    return write_mirax(folder / "a.mrxs")


def _plan(folder: Path) -> Path:
    Image.fromarray(_noise()).save(folder / "a.png")
    return _text("a.csv", "slide,mpp,patient,group\na.png,0.5,P1,early\n")(folder)


def _dicom(folder: Path) -> Path:
    """Copy a series; its largest file is the level that is damaged."""
    files = [Path(shutil.copy(each, folder)) for each in _DICOM.glob("*.dcm")]
    return max(files, key=lambda path: path.stat().st_size)


_XML = (
    '<?xml version="1.0"?><Annotations MicronsPerPixel="0.25"><Annotation Id="1"><Attributes>'
    '<Attribute Name="Epithelial" Id="0" Value=""/></Attributes><Regions><Region Id="1"><Vertices>'
    '<Vertex X="1" Y="1" Z="0"/><Vertex X="9" Y="1" Z="0"/><Vertex X="9" Y="9" Z="0"/></Vertices>'
    "</Region></Regions></Annotation></Annotations>"
)
_MARKS = "x,y,class\n10,20,tumour\n30.5,40,stroma\n"
_DICOM = ROOT.parent / "shared" / "data" / "slides" / "dicom_cmu_small"

_GEOJSON = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Polygon",'
    ' "coordinates": [[[0, 0], [60, 0], [60, 60], [0, 60], [0, 0]]]}, "properties": {"name": "A",'
    ' "kind": "include", "classification": {"name": "Tumor", "color": [1, 2, 3]}}}]}'
)

_ALL = (
    Kind("png", _image("png"), _look_at),
    Kind("jpeg", _image("jpg"), _look_at),
    Kind("webp", _image("webp", lossless=True), _look_at),
    Kind("tiff", _tiff("a.tif", compression="zlib"), _look_at),
    Kind("tiled tiff", _tiff("a.tif", tile=(64, 64), compression="jpeg"), _look_at),
    Kind("ome-tiff", _tiff("a.ome.tif", tile=(64, 64), metadata={"axes": "YXS"}), _look_at),
    Kind("svs", _copy(sample_path("cmu_small_region")), _look_at),
    Kind("mirax", _mirax, _look_at),
    Kind("mirax facts", _mirax, _look_at, "a/Slidedat.ini"),
    Kind("mirax index", _mirax, _look_at, "a/Index.dat"),
    Kind("mirax pictures", _mirax, _look_at, "a/Data0000.dat"),
    # no program that writes DICOM slides is installed: the data beside the repository have one
    *([Kind("dicom", _dicom, _look_at)] if _DICOM.is_dir() else []),
    Kind("xml", _text("a.xml", _XML), partial(read_annotations, scheme=MONUSAC)),
    Kind("labels", _text("a.csv", _MARKS), read_marks),
    Kind("plan", _plan, lambda path: read_plan([path])),
    Kind("safetensors", _safetensors, read_weights),
    Kind("checkpoint", _checkpoint, read_weights),
    Kind("geojson", _text("a.geojson", _GEOJSON), read_rois),
    Kind("card", _copy(ROOT / "weights" / "nuclei-lite0.json"), read_card),
    Kind("toml", _copy(ROOT / "weights" / "training" / "monusac.toml"), read_config),
    Kind("run.json", runs.finished, runs.read, "store/*/*/run.json", agrees=True),
    Kind("maps", runs.finished, runs.read, "store/*/*/maps.zarr/**/*", agrees=True),
    Kind("parquet", runs.finished, runs.read, "store/*/*/nuclei.parquet", agrees=True),
    # of an analysis that was stopped and goes on
    Kind("bands.json", runs.stopped, runs.go_on, "store/*/*/bands.json", agrees=True),
    Kind("stopped run.json", runs.stopped, runs.go_on, "store/*/*/run.json", agrees=True),
    Kind("stopped maps", runs.stopped, runs.go_on, "store/*/*/maps.zarr/**/*", agrees=True),
    Kind("pieces", runs.stopped, runs.go_on, "store/*/*/pieces/*", agrees=True),
)

KINDS = {kind.name: kind for kind in _ALL}
"""By name."""
