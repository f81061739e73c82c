"""Damaged files of all kinds: each is read, or refused in one sentence, soon and without a crash.

``python -m tests.fuzz.fuzzing --seeds 0 1000`` is the long run; the seeds tell the files.
"""

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
import torch
from PIL import Image
from safetensors.torch import save_file

from seg_core import analysis
from seg_core.classes import MONUSAC
from seg_core.cohort.plan import read_plan
from seg_core.errors import SegCoreError
from seg_core.geometry import Region
from seg_core.labelled.monusac_xml import read_annotations
from seg_core.model.card import read_card
from seg_core.model.network import read_weights
from seg_core.roi import read_rois
from seg_core.samples import sample_path
from seg_core.slide import open_slide
from seg_core.store import open_run
from seg_core.teaching.labels import read_marks
from seg_core.training.config import read_config
from tests.fuzz.mirax import write_mirax
from tests.fuzz.mutations import damaged
from tests.seg_core import painted_slides
from tests.stand_in import stand_in

ROOT = Path(__file__).parents[2]
RUN = "run"  # one of the files of a finished run: run.json, bands.json, maps, nuclei.parquet
LONGEST_S = 15.0  # a file may take 8 s until it is given up; machines are busy


@dataclass(frozen=True)
class Kind:
    """A kind of file: how a sound one is made, under which name, and how it is read.

    ``part`` names the file that is damaged where it lies beside the one that is opened.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    part: str | None = None


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

KINDS = (
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
)


def fuzz(kind: Kind, seed: int, folder: Path) -> str | None:
    """Damage a file of a kind and read it; return what went wrong, None where nothing did."""
    path = kind.make(folder)
    random = Random(f"{kind.name} {seed}")
    victim = path if kind.part is None else folder / kind.part
    victim.write_bytes(damaged(victim.read_bytes(), random))
    began = time.monotonic()
    try:
        kind.read(path)
    except SegCoreError as error:
        if "\n" in str(error) or len(str(error)) > 600:
            return f"an odd sentence: {str(error)[:200]!r}"
    except Exception:  # noqa: BLE001 - that is what is looked for
        return traceback.format_exc(limit=-3)
    took = time.monotonic() - began
    return f"it took {took:.1f} s" if took > LONGEST_S else None


def fuzz_run(run: Path, seed: int, folder: Path) -> str | None:
    """Damage one file of a finished run; what is read must be what it was, or refused."""
    copy = folder / "run"
    shutil.copytree(run, copy)
    before = _content_of(run)
    random = Random(f"run {seed}")
    files = sorted(each for each in copy.rglob("*") if each.is_file() and each.stat().st_size)
    path = random.choice(files)
    path.write_bytes(damaged(path.read_bytes(), random))
    try:
        after = _content_of(copy)
    except SegCoreError as error:
        return f"an odd sentence: {str(error)[:200]!r}" if "\n" in str(error) else None
    except Exception:  # noqa: BLE001 - that is what is looked for
        return f"{path.relative_to(copy)}: {traceback.format_exc(limit=-3)}"
    return None if before == after else f"{path.relative_to(copy)}: silently other values"


def made_run(folder: Path) -> Path:
    """Analyse a painted slide without weights; return the folder of the run."""
    slide = painted_slides.paint(300, 400, glass_from=300).save(folder / "painted.png")
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, painted_slides.CARD, painted_slides.make_painted_engine)
        return analysis.analyse(slide, folder / "store", mpp=painted_slides.MPP).path


def _content_of(folder: Path) -> tuple[object, ...]:
    run = open_run(folder)
    maps = run.maps()
    pixels = maps.read(run.window)
    planes = (pixels.class_map, pixels.ternary_map, pixels.score)
    table = run.nuclei()
    return (run.facts, table.to_wkb().to_csv(), *(plane.tobytes() for plane in planes))


def main() -> int:
    """Run the fuzzer over a range of seeds and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 1000), metavar=("FROM", "TO"))
    parser.add_argument("--kind", choices=[RUN, *(kind.name for kind in KINDS)], action="append")
    parser.add_argument("--run", type=Path, help="a finished run, in place of a small one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        return _fuzz_all(options, options.run or made_run(Path(folder)))


def _fuzz_all(options: argparse.Namespace, run: Path) -> int:
    kinds = [kind for kind in KINDS if not options.kind or kind.name in options.kind]
    found: Counter[str] = Counter()
    tried = 0
    for seed in range(*options.seeds):
        attempts: list[tuple[str, Callable[[Path], str | None]]] = [
            (kind.name, partial(fuzz, kind, seed)) for kind in kinds
        ]
        if not options.kind or RUN in options.kind:
            attempts.append((RUN, partial(fuzz_run, run, seed)))
        for name, attempt in attempts:
            with tempfile.TemporaryDirectory() as folder:
                problem = attempt(Path(folder))
            tried += 1
            if problem is not None:
                found[name] += 1
                sys.stdout.write(f"{name}, seed {seed}: {problem}\n")
                sys.stdout.flush()
    sys.stdout.write(f"{tried} damaged files, {sum(found.values())} faults {dict(found)}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
