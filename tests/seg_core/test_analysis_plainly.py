"""The shipped model on shipped slides, and all that follows worked out pixel by pixel.

An analysis blends in bands, writes and reads maps in chunks, and finds nuclei in blocks by passes
over lists of pixels. Here the logits of a window are added up in one array, and nuclei are found one
after the other and named by their pixels alone, as by a model without a context head.
"""

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from plain_growth import grown_plainly
from skimage.measure import label, regionprops

from seg_core.analysis import analyse
from seg_core.classes import BOUNDARY, INSIDE, ClassScheme
from seg_core.geometry import Region, Window
from seg_core.maps import Maps
from seg_core.model import available_models, find_model, make_engine, write_card
from seg_core.model.card import MODEL_VARIABLE
from seg_core.nuclei.vote import calibrated
from seg_core.samples import sample_path
from seg_core.settings import AnalysisSettings
from seg_core.slide import open_slide, stain_densities
from seg_core.store import Run
from seg_core.tiling import TileGrid
from seg_core.tiling.blend import tile_weights
from seg_core.tiling.predict import read_tiles

SETTINGS = AnalysisSettings(
    engine="openvino", precision="fp32", tile_px=128, overlap_px=32, block_px=256, tissue_only=False
)
PLACES = {
    "cmu_small_region": (Region(900, 900, 170, 150), None),
    "hgsc_nest": (Region(300, 300, 300, 280), 0.25),
}

pytestmark = pytest.mark.weights


class Answer(NamedTuple):
    """A run, and what it is of."""

    run: Run
    logits: np.ndarray
    rgb: np.ndarray


@pytest.fixture(scope="module", params=list(PLACES))
def answer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Answer:
    if not (available_models() or os.environ.get(MODEL_VARIABLE)):
        pytest.skip("weights/ holds no model")
    region, mpp = PLACES[request.param]
    path = sample_path(request.param)
    store = tmp_path_factory.mktemp("store")
    card, weights = find_model(None)
    model = shutil.copy(weights, tmp_path_factory.mktemp("model"))  # its head stays behind
    write_card(card, Path(model).with_suffix(".json"))
    run = analyse(path, store, region=region, mpp=mpp, model=model, settings=SETTINGS)
    assert run.facts.question.context_head is None
    return Answer(run, *_logits_and_picture(path, run))


def _logits_and_picture(path: Path, run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Add up all weighted logits of a window in one array."""
    card, weights = find_model(None)
    engine, window = make_engine(card, weights, SETTINGS), run.window
    with closing(open_slide(path, mpp=run.slide_mpp)) as slide:
        grid = TileGrid.of(run.raster, SETTINGS)
        columns, rows = grid.tiles_touching(window)
        asked = np.zeros((grid.rows, grid.columns), bool)
        asked[np.ix_(rows, columns)] = True
        plane = np.multiply.outer(*[tile_weights(SETTINGS.tile_px)] * 2)
        channels = len(card.scheme.classes) + 4
        sums = np.zeros((channels, run.raster.height + 256, run.raster.width + 256))
        total = np.zeros(sums.shape[1:])
        for number, logits in engine.run(read_tiles(slide, run.raster, grid, asked)):
            place = grid.tile_window(number % grid.columns, number // grid.columns)
            part = plane[: place.height, : place.width]
            sums[:, *place.slices()] += logits * part
            total[place.slices()] += part
        seen = window.slices()
        return sums[:, *seen] / total[seen], slide.read(run.raster, window)


def test_maps_are_what_the_logits_say(answer: Answer) -> None:
    maps = answer.run.maps().read(answer.run.window)
    semantic, ternary = answer.logits[:-3], answer.logits[-3:]
    np.testing.assert_array_equal(maps.class_map, semantic.argmax(axis=0))
    np.testing.assert_array_equal(maps.ternary_map, ternary.argmax(axis=0))
    odds = np.exp(semantic - semantic.max(axis=0))
    likely = 255 * odds.max(axis=0) / odds.sum(axis=0)
    assert np.abs(maps.score - likely).max() <= 0.51


def test_every_nucleus_is_the_one_that_is_found_plainly(answer: Answer) -> None:
    run = answer.run
    maps = run.maps().read(run.window)
    plain = _nuclei_plainly(maps, answer.rgb, run.raster.mpp, run.model_scheme)
    found = run.nuclei()
    assert len(found) == len(plain) > 20
    counts = plain["class_name"].value_counts().to_dict()
    assert {name: count for name, count in run.facts.counts.items() if count} == counts
    corner = run.raster.to_level0(np.array([[run.window.x, run.window.y]]))[0]
    for axis, start in zip("xy", corner, strict=True):
        plain[axis] = plain[axis] * run.raster.downsample + start
    found, plain = (each.sort_values(["x", "y"]).reset_index() for each in (found, plain))
    assert found["class_name"].tolist() == plain["class_name"].tolist()
    for name in ("x", "y", "area_um2", "class_score", "haematoxylin_od", "eosin_od"):
        np.testing.assert_allclose(found[name], plain[name], rtol=1e-5, atol=1e-6, err_msg=name)


def _nuclei_plainly(maps: Maps, rgb: np.ndarray, mpp: float, scheme: ClassScheme) -> pd.DataFrame:
    """Find nuclei one by one; places in pixels of the maps."""
    seeds = np.zeros(maps.ternary_map.shape, np.int32)
    smear = np.zeros(seeds.shape, bool)
    for number, part in enumerate(
        regionprops(label(maps.ternary_map == INSIDE, connectivity=1)), 1
    ):
        top, left, bottom, right = part.bbox
        pixels = tuple(part.coords.T)
        if max(bottom - top, right - left) * mpp > SETTINGS.max_extent_um:
            smear[pixels] = True
        elif part.num_pixels * mpp**2 >= SETTINGS.min_seed_um2:
            seeds[pixels] = number
    foreground = np.isin(maps.ternary_map, (INSIDE, BOUNDARY)) & ~smear
    labels = grown_plainly(seeds, foreground, int(SETTINGS.growth_um / mpp + 1e-6))
    stains = stain_densities(rgb)
    rows = []
    for number in range(1, int(labels.max()) + 1):
        own = labels == number
        if not own.any() or own.sum() * mpp**2 < SETTINGS.min_nucleus_um2:
            continue
        votes = np.array(
            [
                maps.score[own & (maps.class_map == each)].sum()
                for each in range(len(scheme.names) + 1)
            ]
        )
        shares = (votes / max(votes.sum(), 1)).astype(np.float32)
        if scheme.votes is not None:
            shares = calibrated(shares[None], scheme.votes)[0]
        y, x = np.nonzero(own)
        haematoxylin, eosin = stains[own].astype(float).mean(axis=0)
        rows.append(
            {
                "x": x.mean() + 0.5,
                "y": y.mean() + 0.5,
                "area_um2": own.sum() * mpp**2,
                "class_name": scheme.name_of(int(shares.argmax())),
                "class_score": shares.max(),
                "haematoxylin_od": haematoxylin,
                "eosin_od": eosin,
            }
        )
    return pd.DataFrame(rows)


def test_a_window_of_the_maps_is_that_part_of_all_of_them(answer: Answer) -> None:
    run = answer.run
    maps, whole = run.maps(), run.maps().read(run.window)
    part = Window(40, 30, 77, 61)
    for name, plane in (("class", whole.class_map), ("ternary", whole.ternary_map)):
        there = part.moved(run.window.x, run.window.y)
        np.testing.assert_array_equal(maps.read_map(name, there), plane[part.slices()])
