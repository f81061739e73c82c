"""Analyses belong to the server and to a slide: joined, found again, listed, stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from streamlit.testing.v1 import AppTest

from pages.shared import resources, singletons
from pages.shared.analyses import Analyses, Asked, Wanted
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.folder_evaluations import FolderEvaluations
from pages.shared.uploads import UploadFolder
from seg_core.errors import JobCancelled
from seg_core.evaluation.folder_evaluation import FolderQuestion
from seg_core.process.progress import Progress
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.store import Run
from seg_core.unbroken import unbroken
from tests.pages.conftest import use_blue_engine

MPP = 0.25
NEST = Roi("nest", shapely.Polygon([(0, 0), (200, 0), (0, 100)]))


class RunningJob:
    stopping = False

    def __init__(self) -> None:
        self.progress = Progress("tiles", 30, 120, 95.0)
        self.ended = self.is_last = False

    def put_last(self) -> None:
        self.is_last = True

    def done(self) -> bool:
        return self.ended

    def cancel(self) -> None:
        self.ended = True

    def result(self, timeout: float | None = None) -> object:
        raise AssertionError("nobody asks a job for its result that has none")


class HoldingWorker:
    """Never ends a job by itself."""

    def __init__(self) -> None:
        self.submitted: list[RunningJob] = []

    def submit(self, _act: object, **_arguments: object) -> RunningJob:
        self.submitted.append(RunningJob())
        return self.submitted[-1]


@pytest.fixture
def worker() -> HoldingWorker:
    return HoldingWorker()


@pytest.fixture
def analyses(worker: HoldingWorker, monkeypatch: pytest.MonkeyPatch) -> Analyses:
    found = Analyses(lambda: worker)  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(singletons, "analyses", lambda: found)
    return found


def asked(chosen: ChosenSlide, owner: str | None = None, roi: Roi | None = None) -> Asked:
    slide_id = resources.identity(chosen.path)
    wanted = Wanted(slide_id, MPP, roi, False, None, AnalysisSettings())
    return Asked(chosen, wanted, owner, None)


def buttons(page: AppTest) -> list[str]:
    return [button.label for button in page.sidebar.button]


def captions(page: AppTest) -> str:
    return " ".join(each.value for each in page.sidebar.caption)


def test_the_identical_question_joins_the_job_that_runs(
    analyses: Analyses, worker: HoldingWorker, chosen: ChosenSlide
) -> None:
    first = analyses.ask(asked(chosen, "one", NEST))
    assert analyses.ask(asked(chosen, "two", replace(NEST, name="other name"))) is first
    assert analyses.ask(asked(chosen, "two")) is not first
    worker.submitted[0].ended = True
    assert analyses.ask(asked(chosen, "two", NEST)) is not first


def test_what_is_being_stopped_answers_nobody_who_asks_meanwhile(
    analyses: Analyses, worker: HoldingWorker, chosen: ChosenSlide
) -> None:
    first = analyses.ask(asked(chosen, "Ada"))
    worker.submitted[0].stopping = True
    second = analyses.ask(asked(chosen, "Bob"))
    assert second is not first
    assert analyses.ask(asked(chosen, "Ada")) is second


def test_a_folder_that_is_asked_for_while_its_measurement_stops_is_measured_anew(
    worker: HoldingWorker,
) -> None:
    measurements = FolderEvaluations(lambda: worker)  # type: ignore[arg-type,return-value]
    question = FolderQuestion(Path("images"), "monusac", None, None, None, None)
    first = measurements.ask(question)
    assert measurements.ask(question) is first
    worker.submitted[0].stopping = True
    assert measurements.ask(question) is not first


def test_whoever_has_stopped_an_analysis_may_ask_for_it_again_at_once(
    visit, chosen: ChosenSlide, analyses: Analyses, worker: HoldingWorker, monkeypatch
) -> None:
    """Both are shown until the first has ended; they have one switch, since they have one run."""
    monkeypatch.setenv("SEG_LOCAL", "1")
    use_blue_engine(monkeypatch)
    first = analyses.ask(asked(chosen))
    worker.submitted[0].stopping = True
    second = analyses.ask(asked(chosen))
    page = visit("viewer", slide=chosen, job=second)
    assert buttons(page) == ["Stop", "Stop"]
    assert len(page.sidebar.toggle) == 1
    assert visit("viewer", slide=chosen).session_state["job"] is second
    assert first is not second


def test_whoever_joins_an_analysis_has_it_as_their_own(
    visit, chosen: ChosenSlide, analyses: Analyses, worker: HoldingWorker, monkeypatch
) -> None:
    job = analyses.ask(asked(chosen, "Ada"))
    monkeypatch.setenv("SEG_LOCAL", "1")
    assert analyses.ask(asked(chosen)) is job
    assert [each.owner for each in analyses.at_work()[0][1].everyone] == ["Ada", None]
    page = visit("viewer", slide=chosen)
    assert page.session_state["job"] is job
    assert page.sidebar.button[0].help == "Another reader waits for it; it ends for everybody."
    assert visit("nuclei", slide=chosen, job=job).sidebar.get("progress")


def test_an_analysis_waits_for_others_only_when_all_who_asked_have_left(
    analyses: Analyses, worker: HoldingWorker, chosen: ChosenSlide
) -> None:
    analyses.ask(asked(chosen, "Ada"))
    analyses.ask(asked(chosen, "Bob"))
    analyses.put_absent_last({"Bob"})
    assert not worker.submitted[0].is_last
    analyses.put_absent_last({"Eve"})
    assert worker.submitted[0].is_last


def test_who_has_stopped_it_is_told_otherwise_than_who_waited_with_them(
    visit, chosen: ChosenSlide, analyses: Analyses, worker: HoldingWorker, monkeypatch
) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    job = analyses.ask(asked(chosen))
    mine, others = (visit("viewer", slide=chosen, job=job) for _ in range(2))
    monkeypatch.setattr(RunningJob, "result", stopped)
    mine.sidebar.button[0].click().run()
    others.run()
    told = [page.sidebar.info[0].value for page in (mine, others)]
    assert told[0].startswith("Stopped. What was finished is kept")
    assert told[1].startswith("Stopped by another reader, or by you in another tab.")


def stopped(job: RunningJob, timeout: float | None = None) -> object:
    raise JobCancelled("the analysis was stopped.")


def test_a_visit_loaded_anew_finds_its_running_analysis_and_can_stop_it(
    visit, chosen: ChosenSlide, analyses: Analyses, worker: HoldingWorker, monkeypatch
) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    job = analyses.ask(asked(chosen))
    page = visit("viewer", slide=chosen)
    assert page.sidebar.get("progress")[0].proto.text == unbroken("Tile 30 of 120, 2 min left")
    assert buttons(page) == ["Stop"]
    page.sidebar.button[0].click().run()
    assert job.done()


def test_whoever_opens_the_slide_sees_the_analysis_of_another_and_may_ask_more(
    visit, chosen: ChosenSlide, analyses: Analyses, worker: HoldingWorker
) -> None:
    analyses.ask(asked(chosen, "somebody", NEST))
    page = visit("viewer", slide=chosen)
    assert "Asked for by another reader: nest" in captions(page)
    assert buttons(page)[0] == "Stop"
    assert "Analyse slide" in buttons(page)
    page.sidebar.button[0].click().run()
    assert worker.submitted[0].ended


def test_analyses_of_other_slides_are_listed_without_the_names_of_others_uploads(
    visit, chosen: ChosenSlide, analyses: Analyses, store: Path
) -> None:
    uploads = UploadFolder()
    path = uploads.path / "a patient.png"
    path.write_bytes(chosen.path.read_bytes() + b" ")
    analyses.ask(asked(ChosenSlide(path), "somebody"))
    page = visit("viewer", slide=chosen)
    assert page.sidebar.expander[-1].label == "Analyses of other slides (1)"
    assert "A slide uploaded by another reader, whole slide" in captions(page)
    assert "patient" not in captions(page)
    assert "Stop" not in buttons(page)
    assert "Analyses of other slides (1)" in [
        each.label for each in visit("slides").sidebar.expander
    ]


def test_on_a_local_server_anybody_can_stop_what_another_has_left(
    visit, chosen: ChosenSlide, analyses: Analyses, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    path = tmp_path / "other.png"
    path.write_bytes(chosen.path.read_bytes() + b" ")
    job = analyses.ask(asked(ChosenSlide(path), "somebody"))
    page = visit("viewer", slide=chosen)
    next(each for each in page.sidebar.button if each.label == "Stop").click().run()
    assert job.done()


def test_a_job_that_is_told_to_stop_says_so_until_it_has(
    visit, chosen: ChosenSlide, analyses: Analyses, monkeypatch
) -> None:
    monkeypatch.setattr(RunningJob, "cancel", lambda job: setattr(job, "stopping", True))
    analyses.ask(asked(chosen, "somebody"))
    page = visit("viewer", slide=chosen)
    page.sidebar.button[0].click().run()
    assert page.sidebar.get("progress")[0].proto.text == "Stopping …"
    assert page.sidebar.button[0].disabled


class EndedJob(RunningJob):
    """Ends while the reader is on another page."""

    def __init__(self, run: object) -> None:
        super().__init__()
        self.run = run

    def result(self, timeout: float | None = None) -> object:
        return self.run


def test_another_page_follows_the_readers_analysis_and_tells_its_end_once(
    visit, chosen: ChosenSlide, run: Run
) -> None:
    job = EndedJob(run)
    page = visit("nuclei", slide=chosen, job=job)
    assert "Your analysis goes on:" in captions(page)
    assert page.sidebar.get("progress")[0].proto.text == unbroken("Tile 30 of 120, 2 min left")
    job.ended = True
    page.run()
    assert page.toast[0].value == "Your analysis of discs.png is done; the viewer shows it."
    assert not page.run().toast
