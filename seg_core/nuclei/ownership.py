"""Find the nuclei of a large slide block by block, each of them exactly once.

The raster is cut into square *cores*. A nucleus belongs to the core that holds its centroid, and
the block of that core must find it just as it would be found on the whole slide. So a block sees
more than its core; `seg_core.nuclei.halo` tells how much more, and why.

Growing and all that follows is done where it can matter to the core, mostly a nucleus' width around it.

Cores are anchored to the raster's corner. Outside the window asked nothing is known and nothing is
read: there is background, and nuclei on the window's border are as it cuts them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from seg_core.classes import ClassScheme
from seg_core.geometry import Window
from seg_core.maps import Maps, Pieces
from seg_core.nuclei.context import named_in_context, reach_px
from seg_core.nuclei.context_head import ContextHead
from seg_core.nuclei.described import features_of
from seg_core.nuclei.features import measure_nuclei
from seg_core.nuclei.halo import Seen, halo_px, near_halo_px
from seg_core.nuclei.instances import instances_of_seeds
from seg_core.nuclei.nucleus_table import FEATURES, empty_table
from seg_core.nuclei.pixels import NucleusPixels
from seg_core.process.pipelines import map_in_order
from seg_core.process.progress import CountCallback
from seg_core.question import Question

# More would hold more of the slide in memory than a small host has.
_BLOCKS_AT_ONCE = 2

# Tables that may wait for the block before them: glass is looked through sooner than tissue.
_BLOCKS_AHEAD = 2


@dataclass(frozen=True)
class BlockNuclei:
    """The nuclei of one block.

    Attributes
    ----------
    core : Window
        Where their centroids are, in the raster.
    table : GeoDataFrame
        See `seg_core.nuclei.nucleus_table`.
    overlarge_um2 : float
        Area of the core that lies in connected insides too large to be a nucleus.
    """

    core: Window
    table: gpd.GeoDataFrame
    overlarge_um2: float


def find_nuclei(
    read_maps: Callable[[Window], Maps],
    read_rgb: Callable[[Window], npt.NDArray[np.uint8]],
    question: Question,
    scheme: ClassScheme,
    *,
    read_pieces: Callable[[Window], Pieces] | None = None,
    head: ContextHead | None = None,
    known: Callable[[Window], BlockNuclei | None] | None = None,
    report: CountCallback | None = None,
) -> tuple[Iterator[gpd.GeoDataFrame], list[str]]:
    """Find the nuclei of a question's region, of any size, in memory that does not depend on it.

    Parameters
    ----------
    read_maps : callable
        Gives the maps of a window of the raster.
    read_rgb : callable
        Gives the slide in a window of the raster, (h, w, 3) uint8.
    question : Question
        Its raster, window and settings are used here; its ROI is not.
    scheme : ClassScheme
        The classes of the class map.
    read_pieces : callable, optional
        Gives the pieces of nuclei of a window of the raster; the tables then have the column
        `seg_core.nuclei.nucleus_table.FEATURES` too.
    head : ContextHead, optional
        Names the nuclei of which there are pieces.
    known : callable, optional
        Gives what `find_blocks` has found of a core before, None where it has not.
    report : callable, optional
        Called with the number of blocks done and of all blocks, first with 0. What it raises ends
        the work.

    Returns
    -------
    tables : iterator of GeoDataFrame
        One of each block, made when it is asked for; `seg_core.nuclei.nucleus_table.join_tables` makes
        one of them. ``nucleus_id`` runs from 1 through all of them.
    warnings : list of str
        Sentences on what was left out; complete when the last table is there.
    """
    warnings: list[str] = []

    def tables() -> Iterator[gpd.GeoDataFrame]:
        overlarge_um2 = 0.0
        for block in nuclei_by_block(
            read_maps,
            read_rgb,
            question,
            scheme,
            read_pieces=read_pieces,
            head=head,
            known=known,
            report=report,
        ):
            overlarge_um2 += block.overlarge_um2
            yield block.table
        if overlarge_um2:
            warnings.append(
                f"{overlarge_um2:,.0f} µm² lie in connected nuclear areas wider than "
                f"{question.settings.max_extent_um:g} µm, which are folds, smears or clots rather than "
                "nuclei; they were left out."
            )

    return tables(), warnings


def nuclei_by_block(
    read_maps: Callable[[Window], Maps],
    read_rgb: Callable[[Window], npt.NDArray[np.uint8]],
    question: Question,
    scheme: ClassScheme,
    *,
    read_pieces: Callable[[Window], Pieces] | None = None,
    head: ContextHead | None = None,
    known: Callable[[Window], BlockNuclei | None] | None = None,
    report: CountCallback | None = None,
) -> Iterator[BlockNuclei]:
    """Find nuclei block by block, along the rows of blocks; parameters as of `find_nuclei`."""
    cores = list(_cores(question.window, question.settings.block_px))
    next_id = 1
    for block in find_blocks(
        read_maps,
        read_rgb,
        question,
        scheme,
        cores,
        read_pieces=read_pieces,
        head=head,
        known=known,
        report=report,
    ):
        block.table["nucleus_id"] += next_id - 1
        next_id += len(block.table)
        yield block


def find_blocks(
    read_maps: Callable[[Window], Maps],
    read_rgb: Callable[[Window], npt.NDArray[np.uint8]],
    question: Question,
    scheme: ClassScheme,
    cores: Sequence[Window],
    *,
    read_pieces: Callable[[Window], Pieces] | None = None,
    head: ContextHead | None = None,
    known: Callable[[Window], BlockNuclei | None] | None = None,
    report: CountCallback | None = None,
) -> Iterator[BlockNuclei]:
    """Find the nuclei of some blocks; ``nucleus_id`` runs from 1 in each.

    Parameters
    ----------
    cores : sequence of Window
        Of the blocks; see `cores_within`.
    read_maps, read_rgb, question, scheme, read_pieces, head, known, report
        As of `find_nuclei`.
    """
    if read_pieces is None:
        head = None
    find = partial(_find_in_block, read_maps, read_rgb, read_pieces, head, question, scheme)

    def found(core: Window) -> BlockNuclei:
        return (known and known(core)) or find(core)

    if report is not None:
        report(0, len(cores))
    blocks = map_in_order(found, cores, workers=_BLOCKS_AT_ONCE, ahead=_BLOCKS_AHEAD)
    for done, block in enumerate(blocks, start=1):
        yield block
        if report is not None:
            report(done, len(cores))


def work_by_block(
    question: Question, wanted: Callable[[Window], bool] | None = None
) -> list[float]:
    """Return how much there is to look at in each block, in the order in which they are done.

    Parameters
    ----------
    question : Question
    wanted : callable, optional
        Tells of a window of the raster whether there is anything; by default there is everywhere.

    Returns
    -------
    work : list of float
        Megapixels.
    """
    return [
        core.area / 1e6 if wanted is None or wanted(core) else 0.0
        for core in _cores(question.window, question.settings.block_px)
    ]


def cores_within(question: Question, rows: Window, head: ContextHead | None = None) -> list[Window]:
    """Return the cores of the blocks that need no maps but those of a part of a question's window."""
    halo = halo_px(question.settings, question.raster.mpp)
    if head is not None:
        halo = max(halo, reach_px(head, question.raster.mpp))
    return [
        core
        for core in _cores(question.window, question.settings.block_px)
        if (seen := core.expanded(halo).intersection(question.window)) and rows.contains(seen)
    ]


def _cores(window: Window, block_px: int) -> Iterator[Window]:
    for y in range(window.y - window.y % block_px, window.bottom, block_px):
        for x in range(window.x - window.x % block_px, window.right, block_px):
            core = Window(x, y, block_px, block_px).intersection(window)
            assert core is not None, "every core shares a pixel with the window"
            yield core


def _find_in_block(
    read_maps: Callable[[Window], Maps],
    read_rgb: Callable[[Window], npt.NDArray[np.uint8]],
    read_pieces: Callable[[Window], Pieces] | None,
    head: ContextHead | None,
    question: Question,
    scheme: ClassScheme,
    core: Window,
) -> BlockNuclei:
    raster, settings = question.raster, question.settings
    near, far = near_halo_px(settings, raster.mpp), halo_px(settings, raster.mpp)
    seen = Seen.around(core, near, read_maps, question)
    if near < far and seen.is_cut_short():
        seen = Seen.around(core, far, read_maps, question)
    zone = seen.zone()
    if zone is None:
        return BlockNuclei(core, empty_table(scheme), seen.overlarge_um2)
    part = zone.moved(-seen.window.x, -seen.window.y)
    owned = instances_of_seeds(
        seen.seeds.cropped(part),
        seen.maps.cropped(part),
        raster,
        zone,
        settings,
        scheme if head is None else scheme.without_votes(),
        wanted=partial(_centroid_in, core, zone),
    )
    if not len(owned):
        return BlockNuclei(core, empty_table(scheme), seen.overlarge_um2)
    features = None
    if read_pieces is not None:
        pieces = read_pieces(zone if head is None else zone.joined(_context(core, head, question)))
        features = features_of(owned, pieces)
        if head is not None:
            owned = named_in_context(owned, features, pieces, head, scheme)
    table = measure_nuclei(owned, read_rgb(zone), scheme)
    if features is not None:
        table[FEATURES] = list(features)
    return BlockNuclei(core, table, seen.overlarge_um2)


def _context(core: Window, head: ContextHead, question: Question) -> Window:
    """Return where the pieces lie that a context head weighs in a block."""
    around = core.expanded(reach_px(head, question.raster.mpp)).intersection(question.window)
    assert around is not None, "the core lies in the window"
    return around


def _centroid_in(core: Window, window: Window, pixels: NucleusPixels) -> npt.NDArray[np.bool_]:
    """Tell of each nucleus of a window whether its centroid lies in a core.

    In whole numbers, sum of coordinates by number of pixels, so that two blocks cannot round the
    same centroid to two sides of their border.
    """
    corner = np.array([window.x, window.y])
    areas_px = pixels.areas_px[:, None]
    doubled = 2 * (pixels.coordinate_sums + corner * areas_px) + areas_px
    not_before = doubled >= 2 * areas_px * np.array([core.x, core.y])
    not_past = doubled < 2 * areas_px * np.array([core.right, core.bottom])
    return np.logical_and(not_before, not_past).all(axis=1)
