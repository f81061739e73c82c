"""Maps whose nuclei are known, and maps that no network would make."""

from pathlib import Path

import cv2
import numpy as np
from hypothesis import strategies as st
from scipy import ndimage

from seg_core.classes import MONUSAC
from seg_core.geometry import Raster, Region
from seg_core.maps import Maps
from seg_core.nuclei import Instances, ternary_of
from seg_core.settings import AnalysisSettings

EVERYTHING = AnalysisSettings(min_nucleus_um2=0, min_seed_um2=0)


def raster_of(array: np.ndarray, mpp: float = 0.25, downsample: float = 1.0) -> Raster:
    """Lay a raster of the array's size over a region that begins at (1000, 500)."""
    height, width = array.shape[:2]
    region = Region(1000, 500, round(width * downsample), round(height * downsample))
    return Raster(region, mpp=mpp, downsample=downsample)


def maps_of(labels: np.ndarray, class_ids: list[int] | None = None, rim_px: int = 3) -> Maps:
    """Return the maps of a network that knows the truth and is quite sure of it."""
    ids = np.array([0, *(class_ids or [1] * int(labels.max()))], dtype=np.uint8)
    return Maps(ids[labels], ternary_of(labels, rim_px), np.full(labels.shape, 200, np.uint8))


def instances_of(labels: np.ndarray, mpp: float = 0.25, downsample: float = 1.0) -> Instances:
    """Return labels as they stand, all of class 1."""
    raster = raster_of(labels, mpp, downsample)
    count = int(labels.max())
    shares = np.zeros((count, len(MONUSAC.classes) + 1), np.float32)
    shares[:, 1] = 1
    return Instances(
        raster=raster,
        window=raster.window,
        labels=labels.astype(np.int32),
        class_ids=np.ones(count, np.uint8),
        class_scores=np.ones(count, np.float32),
        class_shares=shares,
    )


def discs(centres: list[tuple[float, float]], radius: float, shape: tuple[int, int]) -> np.ndarray:
    """Return discs as labels, (x, y) centres; where they meet a pixel goes to the nearer one."""
    y, x = np.indices(shape) + 0.5
    distances = np.array([np.hypot(x - cx, y - cy) for cx, cy in centres])
    nearest = distances.argmin(axis=0)
    return np.where(distances.min(axis=0) <= radius, nearest + 1, 0).astype(np.int32)


@st.composite
def noise_maps(draw: st.DrawFn, largest: int = 90) -> Maps:
    """Draw maps of random blots: holes, bridges, speckle, ties and giants everywhere."""
    height, width = draw(st.integers(1, largest)), draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    sigma = draw(st.sampled_from([0.6, 1.5, 3.0]))
    field = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), sigma)
    low, high = np.quantile(
        field, sorted(draw(st.sampled_from([(0.5, 0.7), (0.2, 0.6), (0.8, 0.9)])))
    )
    ternary = np.where(field > high, 1, np.where(field > low, 2, 0)).astype(np.uint8)
    class_map = rng.integers(0, 5, (height, width), dtype=np.uint8)
    return Maps(class_map, ternary, rng.integers(0, 256, (height, width), dtype=np.uint8))


def read_labels(path: Path) -> np.ndarray:
    """Read a mask of instance ids; parts of a torn instance become instances of their own."""
    ids = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.int32)
    labels = np.zeros(ids.shape, np.int32)
    count = 0
    for each, box in enumerate(ndimage.find_objects(ids), start=1):
        if box is not None:
            parts, parts_count = ndimage.label(ids[box] == each)
            labels[box][parts > 0] = parts[parts > 0] + count
            count += parts_count
    return labels
