"""The parts of the page of the TIL scores that a reader turns: what is scored, how, and its files."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from pages.shared import min_score, singletons, state, visitor
from pages.shared.browser_answer import say
from pages.shared.literal import literal, printable
from pages.shared.regions import slide_rois
from pages.shared.scoring import ScoringRequest
from pages.shared.writing import written
from seg_core.errors import SegCoreError
from seg_core.export.by_roi import plain_name
from seg_core.files.csv import csv_text
from seg_core.picture.til_painting import MapName, write_map_png
from seg_core.process.worker import Job
from seg_core.roi import Roi
from seg_core.scoring import WHOLE, Counted, Part, counted_of, parts_of
from seg_core.slide import Slide
from seg_core.store import Run
from seg_core.til import TilResult, TilSettings
from seg_core.til.score_tables import cross_table, dilation_table, score_table
from seg_core.unbroken import unbroken

_DEFAULTS = TilSettings()

_PART = "_scored_part"

# Label, help, and the range a reader may choose from.
_OPTIONS: dict[str, tuple[str, str, float, float]] = {
    "dilation_um": ("Dilation, µm", "Epithelial nuclei grow by this, to close a nest.", 5, 60),
    "erosion_um": ("Erosion, µm", "Then their union shrinks by this.", 0, 60),
    "min_island_nuclei": ("Nuclei of an island", "Smaller islands are no epithelium.", 1, 100),
    "stroma_reach_um": ("Reach of stroma, µm", "Tissue further from epithelium is none.", 20, 5000),
    "inflamed_per_mm2": ("Inflamed from, per mm²", "Lymphocytes in epithelium.", 1, 100_000),
    "excluded_per_mm2": ("Excluded from, per mm²", "Lymphocytes in stroma.", 1, 100_000),
}


def choose_part(run: Run) -> Part:
    """Let the reader choose between all that was analysed and the slide's ROIs."""
    rois = _rois(run)
    parts = {part.name: part for part in parts_of(run, rois)}
    names = list(parts)
    remembered = state.TIL_PART.get()
    say(_PART, remembered if remembered in parts else names[0])
    name = st.selectbox(
        "Scored part",
        names,
        key=_PART,
        on_change=lambda: state.TIL_PART.set(st.session_state[_PART]),
    )
    left_out = counted_of(run, rois).left_out_in_words()
    for note in filter(None, (left_out, min_score.note())):
        st.caption(unbroken(literal(note)))
    return parts[name]


def choose_settings() -> TilSettings:
    """Let the reader change how it is scored; nothing is computed before the form is sent."""
    settings = state.TIL_SETTINGS.get() or _DEFAULTS
    with st.expander("Settings"), st.form("_til_settings", border=False):
        values = {
            name: st.number_input(
                label,
                min_value=_like(least, getattr(settings, name)),
                max_value=_like(most, getattr(settings, name)),
                value=getattr(settings, name),
                help=told,
            )
            for name, (label, told, least, most) in _OPTIONS.items()
        }
        if st.form_submit_button("Compute again", width="stretch"):
            state.TIL_SETTINGS.set(replace(settings, **values))
            st.rerun()
    if settings != _DEFAULTS:
        st.caption("These are not the settings it comes with.")
        if st.button("Back to those it comes with", width="stretch"):
            state.TIL_SETTINGS.clear()
            st.rerun()
    return settings


def result_of(request: ScoringRequest) -> TilResult:
    """Return the scores once they are there; until then show progress and end the page."""
    waiting = singletons.scorings().ask(request, visitor.asker())
    job = waiting.job
    if not job.done():
        state.SCORES_AWAITED.set(waiting)  # in place of the last: what nobody awaits is given up
        _follow(job)
        st.stop()
    state.SCORES_AWAITED.clear()
    try:
        return job.result()
    except SegCoreError:
        singletons.scorings().forget(request)
        raise


@st.fragment(run_every="0.5s")
def _follow(job: Job[TilResult]) -> None:
    if job.done():
        st.rerun()
    progress = job.progress
    if progress is not None and progress.stage == "waiting":
        st.progress(0.0, "Waiting for other scores to be computed …")
    else:
        st.progress(progress.fraction if progress else 0.0, "Computing the scores …")


def offer_downloads(slide: Slide, request: ScoringRequest, result: TilResult) -> None:
    """Offer the numbers behind all that is shown, and the maps as pictures."""
    st.subheader("Files", anchor=False)
    st.caption(
        "A plot is saved as PNG with the camera that appears on it; the maps also here, with legend "
        "and scale bar."
    )
    stem = f"{printable(slide.info.path.stem)}-{request.run.run_id}-til"
    if request.part.name != WHOLE:  # or files of several parts would have one name
        stem += f"-{plain_name(request.part.name)}"
    run = request.run
    counted = counted_of(run, _rois(run), part=request.part, min_score=request.min_score)
    tables: dict[str, Callable[[], pd.DataFrame]] = {
        "Scores": lambda: score_table(result),
        "Squares": lambda: result.squares,
        "Phenotype": lambda: result.phenotype_squares,
        "Dilation": lambda: dilation_table(result),
        "L and G": lambda: cross_table(result),
        "Distances": lambda: result.distances_um,
    }
    maps: dict[str, MapName] = {"Map": "stil", "Hotspots": "hotspots"}
    with st.container(horizontal=True):
        for name, make in tables.items():
            _offer(name, "csv", "text/csv", partial(_csv, run, counted, make), stem)
        _offer("Everything", "json", "application/json", partial(_json, run, counted, result), stem)
        for name, shown in maps.items():
            write = partial(write_map_png, result, slide, shown)
            _offer(name, "png", "image/png", partial(written, write), stem)


def _offer(name: str, suffix: str, mime: str, make: Callable[[], str | bytes], stem: str) -> None:
    """Offer a file that is made when somebody asks for it."""
    st.download_button(
        f"{name}, {suffix.upper()}",
        make,
        f"{stem}-{name.lower().replace(' ', '-')}.{suffix}",
        mime,
        icon=":material/download:",
        on_click="ignore",
    )


def _json(run: Run, counted: Counted, result: TilResult) -> str:
    said = {"slide": run.slide_path.name, "run": run.run_id, **counted.scored(), **result.to_json()}
    return json.dumps(said, ensure_ascii=False, indent=1)


def _csv(run: Run, counted: Counted, make: Callable[[], pd.DataFrame]) -> str:
    """Return a table whose first columns say of what it is, the same in each row."""
    table, facts = make(), counted.facts()
    told: dict[str, object] = {"slide": run.slide_path.name, "run": run.run_id}
    told |= {name: facts[name] for name in ("part", "left_out", "min_score")}
    first = pd.DataFrame(told, index=table.index)
    return csv_text(pd.concat([first, table], axis=1))


def _rois(run: Run) -> list[Roi]:
    return slide_rois(state.ChosenSlide(run.slide_path))


def _like(number: float, example: float) -> float:
    """Return a number of the same type, which Streamlit asks for."""
    return type(example)(number)
