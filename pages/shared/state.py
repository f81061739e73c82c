"""What a session remembers: the one list of its keys, with their types."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import streamlit as st

from pages.shared.chosen_slide import ChosenSlide
from pages.shared.scoring import Waiting
from pages.shared.store_limit import LookedAt, Present
from pages.shared.tile_sources import TileSource
from pages.shared.uploads import UploadFolder
from seg_core.evaluation.folder_evaluation import FolderQuestion
from seg_core.process.worker import Job
from seg_core.roi import Roi
from seg_core.store import Run
from seg_core.til import TilSettings

if TYPE_CHECKING:  # scikit-learn is loaded where somebody teaches
    from seg_core.teaching.changes import Changes
    from seg_core.teaching.classifier import Classifier
    from seg_core.teaching.teach import Taught

T = TypeVar("T")

Address = tuple[str | None, str | None]
"""Slide and run that the address of a page names."""

__all__ = [
    "Address",
    "ChosenSlide",
    "Key",
    "LabelScreen",
    "Lesson",
    "Place",
    "ShownScores",
    "SignedIn",
    "choose_slide",
]


@dataclass(frozen=True)
class Key(Generic[T]):
    """One thing a session remembers, by name and type."""

    name: str

    def get(self) -> T | None:
        """Return it, None where it has not been set."""
        return cast("T | None", st.session_state.get(self.name))

    def set(self, value: T) -> None:
        """Remember it."""
        st.session_state[self.name] = value

    def clear(self) -> None:
        """Forget it."""
        st.session_state.pop(self.name, None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the viewer is to go, level-0 pixels.

    Attributes
    ----------
    x, y : float
        What comes to the middle.
    width : float or None
        How much of the slide is shown from left to right; None keeps the enlargement.
    nucleus_id : int or None
        A nucleus of the run shown, to be selected there.
    """

    x: float
    y: float
    width: float | None = None
    nucleus_id: int | None = None


@dataclass(eq=False)
class SignedIn:
    """That a session has signed in; the session alone holds it."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds that a program has found, and the name of the file."""

    file: str
    detections: tuple[Roi, ...]


@dataclass(frozen=True, slots=True)
class ShownScores:
    """An answer of `singletons.scorings`: its key, and the run with the names that were scored."""

    run: Path
    names: str
    key: str


@dataclass(frozen=True, slots=True)
class ShownEvaluation:
    """A run, and the key of its evaluation among `singletons.evaluation_files`; None: it has none."""

    run: Path
    key: str | None


@dataclass(frozen=True, slots=True)
class DrawnAround:
    """The slides of a cohort whose points were drawn around, by what no other row has."""

    cohort: str
    rows: frozenset[str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was taught last, and what it would change.

    Attributes
    ----------
    name : str
        What the classifier is called.
    classifier : Classifier
    taught : Taught or None
        How well it does; None where it came as a file.
    changes : tuple of Changes
        Of each chosen run, as its nuclei are called by ``names``.
    names : tuple of str
        The `seg_core.store.Run.names_version` of each.
    labels : str or None
        What `pages.teach_page.material.Material.labels_version` said when it was taught; None where
        it came as a file.
    """

    name: str
    classifier: "Classifier"
    taught: "Taught | None"
    changes: "tuple[Changes, ...]"
    names: tuple[str, ...] = ()
    labels: str | None = None


@dataclass
class LabelScreen:
    """Nuclei that are shown to be labelled, and what was answered.

    Attributes
    ----------
    name : str
        No other screen has it.
    runs : tuple of Run
    nuclei : tuple of (int, int)
        Place of the run among ``runs``, and id.
    found : tuple of str
        What each was called when it was shown.
    pictures : tuple of str
        Addresses of their pictures.
    given : list of (int, str or None)
        Place among ``nuclei``, and answer, in the order in which they were given.
    taken : dict of str to int
        For each time that the screen was put on a page, how much of its log was written down.
    revision : int
        Counts what was changed elsewhere than on the screen.
    """

    name: str
    runs: tuple[Run, ...]
    nuclei: tuple[tuple[int, int], ...]
    found: tuple[str, ...]
    pictures: tuple[str, ...]
    given: list[tuple[int, str | None]] = field(default_factory=list)
    taken: dict[str, int] = field(default_factory=dict)
    revision: int = 0


SLIDE = Key[ChosenSlide]("slide")
ADDRESSES = Key[tuple[Address, ...]]("addresses")  # those that were seen or written, the last first
PREFERENCES = Key[dict[str, Any]]("preferences")  # what lasts, as it is kept on the disk
TILES = Key[TileSource]("tiles")
ROI = Key[str]("roi")  # name of the slide's ROI that is selected
ROIS = Key[tuple[Roi, ...]]("rois")  # the slide's ROIs where they are kept nowhere else
REMOVED = Key[tuple[Roi, ...]]("removed")  # the ROIs that were removed last, to be brought back
IMPORTED = Key[Imported]("imported")  # detections of a file, until the reader says what they are
IMPORT_NOTE = Key[str]("import_note")  # what of a file was left out, until the next change
ROI_REVISION = Key[int]("roi_revision")  # the viewer's last change of them that was taken over
DRAWN = Key[bool]("drawn")  # the page has not followed yet what was done in the viewer
PROBLEM = Key[str]("problem")  # why what was done in the viewer was refused, until the next change
MEASURED = Key[float]("measured")  # length of the line measured last, level-0 pixels
JOB = Key[Job[Run]]("job")
STOPPED = Key[Job[Any]]("stopped")  # the job that this visit has stopped last
TOLD_DONE = Key[Job[Run]]("told_done")  # the job whose end another page has told of
ADOPTED = Key[bool]("adopted")  # the job was asked for by an earlier visit, or in another tab
RUN = Key[Path]("run")
REFUSED = Key[str]("refused")  # why what a widget was to do was not done, until the next try
REFUSED_ON = Key[str]("refused_on")  # the page that has said so
RUN_PROBLEM = Key[str]("run_problem")  # why a run was not named or deleted, until the next try
UNFINISHED = Key[dict[Path, bool]]("unfinished")  # whether the viewer shows a run that is not done
BESIDE = Key[str]("beside")  # id of the run that the viewer compares the shown one with
NEW_RUN = Key[Path]("new_run")  # of a job that was only followed, to be offered
GO_TO = Key[Place]("go_to")  # set by any page that opens the viewer, cleared by the viewer
GONE_TO = Key[tuple[int, Place]]("gone_to")  # the last of them, numbered, for the browser
PICKED = Key[tuple[int, ...]]("picked")  # ids of the nuclei selected in the run shown, on any page
NUCLEUS = Key[tuple[str, int]]("nucleus")  # run and id of the nucleus the viewer tells about
AS_FOUND = Key[bool]("as_found")  # nuclei as the model named them, without what was said since
MIN_SCORE = Key[float]("min_score")  # nuclei with a lower class score are uncertain
PALETTE = Key[str]("palette")  # name of the classes' colours, on every page
TIL_SETTINGS = Key[TilSettings]("til_settings")
SCORES_AWAITED = Key[Waiting]("scores_awaited")  # keeps them from being given up
NUCLEI_PARTS = Key[tuple[str, ...]]("nuclei_parts")  # names of what the Nuclei page tells of
TIL_PART = Key[str]("til_part")  # name of the ROI whose TIL scores are shown
TIL_SHOWN = Key[ShownScores]("til_shown")  # what the page of the TIL scores has shown last
EVALUATED = Key[ShownEvaluation]("evaluated")  # whose layers the viewer offers
LABELLED_FOLDER = Key[FolderQuestion]("labelled_folder")  # what a model was measured by last
MODEL_ADDED = Key[str]("model_added")  # title of the model just added, until the page has said so
TEACH_RUNS = Key[tuple[Path, ...]]("teach_runs")  # folders of the runs that are labelled
LABEL_SCREEN = Key[LabelScreen]("label_screen")
PASSED_OVER = Key[dict[Path, set[int]]]("passed_over")  # ids that were shown and not answered
TAKEN_LABELS = Key[str]("taken_labels")  # what came with a file, until the page has said so
LESSON = Key[Lesson]("lesson")
UPLOADS = Key[UploadFolder]("uploads")
LET_GO = Key[frozenset[str]]("let_go")  # uploads that lie on the disk and not in memory any more
DRAWN_AROUND = Key[DrawnAround]("drawn_around")  # the slides of a cohort that alone are shown
SIGNED_IN = Key[SignedIn]("signed_in")
PRESENT = Key[Present]("present")  # that the reader has a page open
LOOKED_AT = Key[LookedAt]("looked_at")  # keeps the run shown from making room for another


def choose_slide(chosen: ChosenSlide) -> None:
    """Turn to another slide; what was drawn on or found in the last one is put away.

    Nothing is where the slide is the same, whatever is said of its pixels.
    """
    before = SLIDE.get()
    if before is None or before.path != chosen.path:
        leave_slide()
    SLIDE.set(chosen)


def leave_slide() -> None:
    """Put away the slide, and what was drawn on it or found in it."""
    drawn = (ROI, ROIS, ROI_REVISION, PROBLEM, REMOVED, IMPORTED, IMPORT_NOTE, MEASURED)
    seen = (GO_TO, GONE_TO, PICKED, NUCLEUS)
    worked = (
        JOB,
        ADOPTED,
        UNFINISHED,
        BESIDE,
        RUN,
        NEW_RUN,
        NUCLEI_PARTS,
        TIL_PART,
        TIL_SHOWN,
        SCORES_AWAITED,
        EVALUATED,
    )
    for key in (SLIDE, TILES, *drawn, *seen, *worked):
        key.clear()


def show_run(path: Path) -> None:
    """Show a run of the slide; what was picked in another one is forgotten, whose nuclei have other numbers."""
    if RUN.get() not in (None, path):
        PICKED.clear()
        NUCLEUS.clear()
    RUN.set(path)


def turn_from_run() -> None:
    """Forget the run that was shown and what was picked in it; the next page shows another."""
    for key in (RUN, LOOKED_AT, PICKED, NUCLEUS, TIL_SHOWN, SCORES_AWAITED, EVALUATED):
        key.clear()
