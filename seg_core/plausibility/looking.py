"""Let the network look at a small picture as if its pixels had the size that it has learnt."""

import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme
from seg_core.model import Engine
from seg_core.nuclei.described import features_of
from seg_core.nuclei.features import measure_nuclei
from seg_core.nuclei.instances import find_instances
from seg_core.nuclei.nucleus_table import FEATURES
from seg_core.plausibility.digest import Digest, digest_of
from seg_core.settings import AnalysisSettings
from seg_core.slide import ArraySlide
from seg_core.tiling.predict import gathered, predict

LOOK_PX = 448
"""Side of a picture, pixels: two tiles of 256 with the usual overlap of 64."""


def look_at(
    rgb: npt.NDArray[np.uint8],
    mpp: float,
    engine: Engine,
    scheme: ClassScheme,
    settings: AnalysisSettings,
    *,
    network_mpp: float | None = None,
    with_features: bool = False,
) -> Digest:
    """Find the nuclei of a picture and digest those that its edge does not cut.

    Parameters
    ----------
    rgb : (H, W, 3) uint8
    mpp : float
        µm per pixel that the picture is taken to have.
    engine : Engine
    scheme : ClassScheme
    settings : AnalysisSettings
    network_mpp : float, optional
        µm per pixel that the network has learnt, where the picture has another.
    with_features : bool
        Whether to digest what the network knows of the nuclei, too.
    """
    slide = ArraySlide(rgb, mpp=mpp)
    raster = slide.raster(network_mpp or mpp)
    bands = predict(slide, raster, raster.window, engine, settings, with_features=with_features)
    maps, pieces = gathered(bands, raster)
    nuclei = find_instances(maps, raster, raster.window, settings, scheme)
    labels = nuclei.labels
    whole = np.ones(len(nuclei) + 1, np.bool_)
    whole[np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])] = False
    nuclei = nuclei.selected(whole[1:])
    table = measure_nuclei(nuclei, slide.read(raster, raster.window), scheme)
    if pieces is not None and len(table):
        table[FEATURES] = list(features_of(nuclei, pieces))
    return digest_of(table, scheme)
