"""What there is one of in a server, for all its sessions, from the first who asks until it ends."""

from pages.shared import analyses as analysing
from pages.shared import scoring
from pages.shared.analyses import Analyses
from pages.shared.cohorts import Cohorts
from pages.shared.evaluation_files import EvaluationFiles
from pages.shared.folder_evaluations import FolderEvaluations
from pages.shared.left_out import LeftOut
from pages.shared.once import once
from pages.shared.scoring import Scorings
from pages.shared.store_limit import Visitors
from pages.shared.tile_sources import TileSources
from seg_core.process.worker import Worker


@once
def worker() -> Worker:
    """Return the one process that analyses, with the model it has loaded."""
    return Worker(each=analysing.WAITING_EACH, most=analysing.WAITING_MOST)


@once
def scorings() -> Scorings:
    """Return the TIL scores of all sessions, with a process that does not wait for analyses."""
    return Scorings(Worker(each=scoring.WAITING_EACH, most=scoring.WAITING_MOST))


@once
def tile_sources() -> TileSources:
    """Return which session may see which slide's tiles."""
    return TileSources()


@once
def visitors() -> Visitors:
    """Return which runs are shown by any session."""
    return Visitors()


@once
def analyses() -> Analyses:
    """Return the analyses of all sessions that wait or run."""
    return Analyses(worker)


@once
def cohorts() -> Cohorts:
    """Return the cohorts that were started from pages; they make way for analyses."""
    return Cohorts(lambda: worker().is_busy)


@once
def left_out() -> LeftOut:
    """Return what the ROIs to exclude of all sessions cover."""
    return LeftOut()


@once
def evaluation_files() -> EvaluationFiles:
    """Return which evaluations the tiles of all sessions may show."""
    return EvaluationFiles()


@once
def folder_evaluations() -> FolderEvaluations:
    """Return what measures models by folders of labelled images."""
    return FolderEvaluations(worker)
