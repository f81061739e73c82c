"""References and evaluations of the chosen slide, kept where only the reader comes."""

from pathlib import Path

from pages.shared import own_answer, reader_place, singletons, state
from pages.shared.evaluation_files import OUTCOME_SCHEME
from pages.shared.uploads import UploadFolder
from seg_core.evaluation.kept import (
    KeptEvaluation,
    Reference,
    corrected_runs,
    evaluation_of_run,
    references_of,
)
from seg_core.evaluation.report_section import evaluation_section
from seg_core.report.document import Section
from seg_core.store import Run, Store

__all__ = ["OUTCOME_SCHEME", "place_of", "references", "sections_of", "show", "shown_key"]


def place_of(path: Path) -> Path:
    """Return where references of a slide are kept: with the reader, else for this session alone."""
    place = reader_place.of_slide(path)
    if place is not None:
        return place
    uploads = state.UPLOADS.get() or UploadFolder()
    state.UPLOADS.set(uploads)
    return uploads.path


def references(path: Path, slide_id: str) -> list[Reference]:
    """Return what a slide's analyses can be measured by: what was brought, then corrected analyses."""
    place = place_of(path)
    runs = [run for run in Store().runs_of_slide(path, slide_id) if run.status == "finished"]
    corrected = corrected_runs(place, [own_answer.with_own(run) for run in runs])
    return [*references_of(place, slide_id), *corrected]


def show(run: Run, evaluation: KeptEvaluation | None) -> None:
    """Have the viewer show an evaluation of a run, or none."""
    key = (
        None if evaluation is None else singletons.evaluation_files().add(evaluation.outcomes_file)
    )
    state.EVALUATED.set(state.ShownEvaluation(run.path, key))


def shown_key(run: Run) -> str | None:
    """Return the key of the evaluation of a run that is shown; what was kept is found again."""
    shown = state.EVALUATED.get()
    if shown is None or shown.run != run.path:
        show(run, evaluation_of_run(references(run.slide_path, run.slide_id), run))
        shown = state.EVALUATED.get()
    return None if shown is None else shown.key


def sections_of(run: Run, *, anonymous: bool) -> list[Section]:
    """Return what a report says of the latest evaluation of a run; none where there is none."""
    found = evaluation_of_run(references(run.slide_path, run.slide_id), run)
    return [] if found is None else [evaluation_section(found.result, anonymous=anonymous)]
