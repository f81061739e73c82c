"""What is taught from: the chosen runs, and what people have said of their nuclei."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import own_answer, resources, run_words, slide_places, state, uploads
from pages.shared.literal import printable
from pages.shared.page_list import VIEWER
from pages.shared.steady_choice import keep_chosen
from seg_core.classes import ClassScheme
from seg_core.errors import TeachingError
from seg_core.samples import SAMPLES, sample_path
from seg_core.store import Run, Store
from seg_core.store.said import place_to_say
from seg_core.teaching.known import Known
from seg_core.teaching.labels import Labels, corrected_labels


@dataclass(frozen=True)
class Material:
    """Finished runs of one model that are labelled and answered together.

    Attributes
    ----------
    runs : tuple of Run
        At least one.
    """

    runs: tuple[Run, ...]

    @property
    def scheme(self) -> ClassScheme:
        """All classes of the runs: the model's, then people's own."""
        first, *others = (run.scheme for run in self.runs)
        for each in others:
            first = first.joined_with(each.classes)
        return first

    @property
    def labels(self) -> list[Labels]:
        """What people have said of the nuclei of each run."""
        return [corrected_labels(run) for run in self.runs]

    @property
    def labels_version(self) -> str:
        """A word that is another one whenever somebody gives a label or takes one back."""
        said = [
            [(number, each.name) for number, each in run.journal().said().items()]
            for run in self.runs
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]

    @property
    def names_versions(self) -> tuple[str, ...]:
        """For each run a word that is another one whenever its nuclei are called something else."""
        return tuple(run.names_version for run in self.runs)

    @property
    def known(self) -> list[Known]:
        """What a classifier may be told of the nuclei of each run."""
        return [resources.known(run) for run in self.runs]

    def counts(self) -> dict[str, int]:
        """Return the number of labels of each class."""
        return dict(Counter(name for each in self.labels for name in each.names))

    def not_nuclei(self) -> int:
        """Return how many people have called no nuclei; these teach nothing, and are taken away."""
        said = (each.name for run in self.runs for each in run.journal().said().values())
        return sum(name is None for name in said)


def write_down(run: Run, nuclei: Sequence[int], found: Sequence[str], name: str | None) -> None:
    """Keep what the reader calls nuclei, None for no nuclei, in the journal of the run.

    Raises
    ------
    TeachingError
        If nobody would know the reader again.
    """
    by = reader()
    place_to_say(run)
    run.journal().correct(nuclei, found, name, by=by)


def take_back(run: Run) -> bool:
    """Take back what the reader has said last of a run; False where there is nothing."""
    return run.journal().exists and run.journal().undo(by=reader())


def reader() -> str:
    """Return under what name the reader changes runs.

    Raises
    ------
    TeachingError
        If nobody would know the reader again: what such a reader says would be said to all.
    """
    who = own_answer.corrector()
    if who is None:
        raise TeachingError(
            "this browser takes no cookies, so nobody would know again what you say; allow them."
        )
    return who.name


def choose_runs(place: DeltaGenerator) -> Material:
    """Let the reader choose among finished runs; end the page where there is none."""
    offered = {run.path: run for run in _offered()}
    if not offered:
        st.info(f"Nothing has been analysed yet; start on the {VIEWER.title} page.")
        VIEWER.link("Go to the viewer")
        st.stop()
    parts = run_words.titles(list(offered.values()))
    titles = {
        path: printable(f"{run.slide_path.name} · {parts[path]}") for path, run in offered.items()
    }
    if "_teach_runs" not in st.session_state:
        remembered = [path for path in state.TEACH_RUNS.get() or () if path in offered]
        st.session_state["_teach_runs"] = remembered or [_first(offered)]
    keep_chosen("_teach_runs", titles)
    chosen = place.multiselect(
        "Analyses",
        list(titles),
        format_func=titles.__getitem__,
        key="_teach_runs",
        help="Labels of several slides join, and what was taught is applied to all that are chosen.",
    )
    if not chosen:
        st.info("Choose at least one analysis.")
        st.stop()
    state.TEACH_RUNS.set(tuple(chosen))
    models = {offered[path].facts.question.model_sha256 for path in chosen}
    if len(models) > 1:
        raise TeachingError(
            "the chosen analyses were made by different models, which see nuclei differently; choose "
            "those of one model."
        )
    return Material(tuple(own_answer.with_own(offered[path]) for path in chosen))


def _first(offered: dict[Path, Run]) -> Path:
    """Return the run that other pages show, else the latest of the chosen slide, else of all."""
    shown = state.RUN.get()
    if shown in offered:
        return shown
    chosen = state.SLIDE.get()
    here = resources.identity(chosen.path) if chosen is not None and chosen.path.exists() else None
    return next(
        (path for path, run in offered.items() if run.slide_id == here), next(iter(offered))
    )


def _offered() -> list[Run]:
    """List the finished runs whose slides the reader may know of, the latest first."""
    local = slide_places.reader_is_local()
    chosen = state.SLIDE.get()
    paths = [sample_path(each.name) for each in SAMPLES] + uploads.earlier_uploads()
    paths += [chosen.path] if chosen is not None and chosen.path.exists() else []
    own = {resources.identity(path): path for path in paths}
    folder = slide_places.offered_folder()
    runs = (
        run.with_slide_at(own[run.slide_id]) if run.slide_id in own else run
        for run in Store().runs()
    )
    return [
        run
        for run in runs
        if run.status == "finished"
        and run.slide_path.exists()
        and (
            local
            or run.slide_id in own
            or (folder is not None and run.slide_path.is_relative_to(folder.absolute()))
        )
    ]
