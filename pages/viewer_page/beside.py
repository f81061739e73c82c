"""Another analysis of the slide beside the one shown, on the other side of the line that compares."""

from typing import Any

from pages.shared import run_words, runs, state
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page.layer_data import layers_of, legend_of
from seg_core.slide import SlideInfo
from seg_core.store import Run


def describe(
    chosen: ChosenSlide, info: SlideInfo, run: Run | None, source: TileSource
) -> dict[str, Any] | None:
    """Return what the viewer is told of the slide's other analyses; None where there are none.

    Returns
    -------
    dict or None
        ``others`` may be chosen; of the ``chosen`` one the layers and classes stand there too.
    """
    found = runs.finished_runs(chosen)
    others = [each for each in found if run is None or each.path != run.path]
    if run is None or not others:
        return None
    titles = run_words.titles([*others, run])
    wanted = state.BESIDE.get()
    other = next((each for each in others if each.run_id == wanted), None)
    return {
        "others": [{"id": each.run_id, "title": titles[each.path]} for each in others],
        "shownTitle": titles[run.path],
        "chosen": None if other is None else other.run_id,
        "layers": [] if other is None else _layers(info, other, source),
        "classes": [] if other is None else legend_of(other),
    }


def _layers(info: SlideInfo, run: Run, source: TileSource) -> list[dict[str, Any]]:
    """Describe the layers of an analysis; those of the slide alone lie on both sides as it is."""
    both = {each["id"] for each in layers_of(info, None, source)}
    return [each for each in layers_of(info, run, source) if each["id"] not in both]
