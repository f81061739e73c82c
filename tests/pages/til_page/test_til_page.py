"""The page of the TIL scores, on scores whose layout is known."""

import io
import json
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import shapely
from streamlit.testing.v1 import AppTest

from pages.shared import resources, singletons, state
from pages.shared.literal import literal
from pages.shared.scoring import ScoringRequest, Scorings
from pages.til_page import panel
from pages.viewer_page.layers.til_layers import COMPARTMENTS
from seg_core.digits import in_percent
from seg_core.errors import RegionError, SegCoreError
from seg_core.process.progress import Progress
from seg_core.process.worker import Worker
from seg_core.roi import Roi
from seg_core.scoring import parts_of
from seg_core.store import Run
from seg_core.store.rois import keep_rois
from seg_core.til import Confusion, TilResult, TilSettings, score_tils, tumour_of
from seg_core.unbroken import unbroken

sys.path.append(str(Path(__file__).parents[2] / "seg_core" / "til"))
from til_layouts import block, nuclei, scatter, tissue

FAST = TilSettings(labellings=9)


class Answered:
    """Stands for `Scorings`: every request has this answer, or is on its way."""

    def __init__(self, result: TilResult | None = None, error: SegCoreError | None = None) -> None:
        self.result_, self.error = result, error
        self.progress = Progress("scores", 2, 8)
        self.asked: list[ScoringRequest] = []
        self.forgotten: list[ScoringRequest] = []

    def ask(self, request: ScoringRequest, visitor: str | None = None) -> "Answered":
        self.asked.append(request)
        return self

    @property
    def job(self) -> "Answered":
        return self

    def forget(self, request: ScoringRequest) -> None:
        self.forgotten.append(request)

    def find(self, key: str) -> TilResult | None:
        return self.result_

    def done(self) -> bool:
        return self.result_ is not None or self.error is not None

    def result(self, timeout: float | None = None) -> TilResult:
        if self.error is not None:
            raise self.error
        assert self.result_ is not None
        return self.result_


@pytest.fixture(scope="module")
def band() -> TilResult:
    """1 mm² with a band of epithelium 200 µm wide; 79 of 100 lymphocytes in S."""
    points = {
        "epithelial": block(500, 0, 700, 1000),
        "lymphocyte": [*scatter(79, 10, 0, 490, 1000), *scatter(21, 500, 0, 700, 1000)],
        "other": scatter(158, 10, 0, 490, 1000),
    }
    result = score_tils(nuclei(**points), tissue(1000, 1000), settings=FAST)
    return replace(result, confusion=Confusion("held out", 1000, 50, 200))


def answer(monkeypatch: pytest.MonkeyPatch, **given: object) -> Answered:
    answered = Answered(**given)  # type: ignore[arg-type]
    monkeypatch.setattr(singletons, "scorings", lambda: answered)
    resources.til_backdrop.clear()
    return answered


def texts(page: AppTest) -> str:
    return plain(" ".join(each.value for each in (*page.markdown, *page.caption)))


def plain(words: str) -> str:
    """Return words whose numbers may stand apart from their units."""
    return words.replace("\N{NO-BREAK SPACE}", " ")


def test_with_nothing_chosen_it_says_where_to_choose(visit) -> None:
    page = visit("til_score")
    assert page.info[0].value == "Choose a slide on the Slides page first."
    assert [each.value for each in page.header] == ["TIL score"]


def test_before_an_analysis_it_says_where_to_start_one(visit, chosen) -> None:
    page = visit("til_score", slide=chosen)
    assert page.info[0].value.startswith("Nothing has been analysed on this slide yet")


def test_the_score_stands_with_what_it_is_made_of_and_what_could_be_wrong(
    visit, chosen, run: Run, band: TilResult, monkeypatch
) -> None:
    answer(monkeypatch, result=band)
    page = visit("til_score", slide=chosen)
    told = texts(page)
    assert "0.79 mm² stroma S; 100 lymphocytes, 79 of them in S" in told
    assert "called 5.0 % of other nuclei" in told
    assert "25.0 % of what it called so" in told
    assert "the score would be 0.30 %" in told
    assert "in this stroma 2.0" in told
    # one figure is rounded alike wherever it stands: 0.26 % was 0.3 % two lines below
    stil, tiger, etils = map(in_percent, (band.stil_area_pct.value, band.tiger_til, band.etils_pct))
    assert (stil, tiger) == ("0.40", "0.64")
    assert f"TIGER-style {tiger} %: each lymphocyte in S counts as a box of 64 µm²" in told
    assert f"eTILs reads {etils} % where sTIL area reads {stil} % because it is a share of" in told
    assert "If some of these are not lymphocytes" in told
    shown = [each.proto.body for each in page.get("html") if "til-score" in each.proto.body]
    assert f"{stil}\N{NO-BREAK SPACE}%" in shown[0]
    assert f"{tiger}\N{NO-BREAK SPACE}%" in shown[0]
    assert not any(band in shown[0] for band in ("low", "intermediate", "high"))
    assert "For research only." in told
    cards = {each.label: each.value for each in page.metric}
    assert cards["Immune phenotype"] == "–"
    assert cards["eTILs"] == f"{etils}\N{NO-BREAK SPACE}%"
    assert float(cards["Lymphocytes in stroma, per mm²"]) > 0
    assert "a phenotype needs at least 3 valid squares" in told
    assert "hotspots need at least" in told
    scores = page.table[0].value.set_index("Score")
    for name, figure in {"sTIL area": stil, "TIGER-style": tiger, "eTILs": etils}.items():
        assert scores.loc[name, "Value"] == literal(figure)
    assert len(page.get("plotly_chart")) == 5
    assert page.session_state["til_shown"].run == run.path


def test_what_cannot_be_scored_says_why_and_shows_no_plots(
    visit, chosen, run: Run, monkeypatch
) -> None:
    small = score_tils(nuclei(epithelial=[(5, 5)]), tissue(100, 100), settings=FAST)
    answer(monkeypatch, result=small)
    page = visit("til_score", slide=chosen)
    assert not page.get("plotly_chart")
    notes = page.table[0].value["Note"].map(plain)
    assert notes.str.contains("a score needs at least 0.5 mm² of tissue").sum() == 1
    assert (notes == "as for sTIL area").sum() > 5, "one sentence stood there fifteen times"


def test_while_it_is_computed_the_page_says_so(visit, chosen, run: Run, monkeypatch) -> None:
    answer(monkeypatch)
    page = visit("til_score", slide=chosen)
    assert page.get("progress")[0].proto.text == "Computing the scores …"
    assert not page.table


def test_a_failure_is_one_sentence_and_is_tried_again(visit, chosen, run, monkeypatch) -> None:
    answered = answer(monkeypatch, error=RegionError("the ROI has nothing in common."))
    page = visit("til_score", slide=chosen)
    assert page.error[0].value == "The ROI has nothing in common."
    assert answered.forgotten


def test_a_roi_is_scored_without_what_is_excluded(
    visit, chosen, run: Run, store: Path, band: TilResult, monkeypatch, slide_path: Path
) -> None:
    rois = [
        Roi("nest", shapely.box(0, 0, 200, 200)),
        Roi("fold", shapely.box(100, 0, 300, 200), "exclude"),
    ]
    monkeypatch.setenv("SEG_LOCAL", "1")  # the store is the reader's own
    keep_rois(store, resources.identity(slide_path), rois)
    answered = answer(monkeypatch, result=band)
    page = visit("til_score", slide=chosen)
    part = next(each for each in page.sidebar.selectbox if each.label == "Scored part")
    part.set_value("nest").run()
    assert not page.exception
    assert answered.asked[-1].part.polygon.area == 100 * 200
    assert "what lies in fold" in " ".join(each.value for each in page.sidebar.caption)


def test_what_is_uncertain_is_told_where_it_is_in_no_score(
    visit, chosen, run: Run, band: TilResult, monkeypatch
) -> None:
    """The class score of the Nuclei page changed the scores of this one without a word."""
    answered = answer(monkeypatch, result=band)
    page = visit("til_score", slide=chosen, **{state.MIN_SCORE.name: 0.6})
    assert answered.asked[-1].min_score == 0.6
    told = [each.value for each in page.sidebar.caption if "class score" in each.value]
    assert len(told) == 1
    assert "below 0.60 are uncertain" in told[0]


def test_the_tumour_that_was_drawn_is_asked_with_every_part_and_told(
    visit, chosen, run: Run, store: Path, band: TilResult, monkeypatch, slide_path: Path
) -> None:
    nest = Roi("nest_1", shapely.box(0, 0, 200, 200), "tumour")
    monkeypatch.setenv("SEG_LOCAL", "1")
    keep_rois(store, resources.identity(slide_path), [nest])
    field = replace(band.compartments.field, tumour=tumour_of([nest]))
    told = replace(band, compartments=replace(band.compartments, field=field))
    answered = answer(monkeypatch, result=told)
    page = visit("til_score", slide=chosen)
    assert not page.exception
    asked = answered.asked[-1]
    assert asked.part.name == "Whole analysis"
    assert asked.part.tumour == tumour_of([nest])
    assert asked.key != ScoringRequest(run, replace(asked.part, tumour=None), TilSettings()).key
    words = literal("Tumour as drawn (ROI nest_1)")
    assert any(words in each.value for each in page.markdown)


def test_a_figure_that_is_missing_says_why(visit, chosen, run: Run, monkeypatch) -> None:
    """Without lymphocytes Morisita-Horn and the distance were dashes without a word."""
    layout = nuclei(epithelial=block(500, 0, 700, 1000))
    answer(monkeypatch, result=score_tils(layout, tissue(1000, 1000), settings=FAST))
    page = visit("til_score", slide=chosen)
    assert not page.exception
    said = [each.value for each in page.caption]
    for told in (
        "Distance to epithelium, median: there is no lymphocyte in the tissue.",
        "Morisita-Horn, 250 µm: there is no lymphocyte in squares with enough tissue.",
    ):
        assert unbroken(told) in map(unbroken, said)


def test_settings_are_sent_as_a_form_and_can_be_put_back(
    visit, chosen, run: Run, band: TilResult, monkeypatch
) -> None:
    answered = answer(monkeypatch, result=band)
    page = visit("til_score", slide=chosen)
    dilation = next(each for each in page.sidebar.number_input if each.label == "Dilation, µm")
    dilation.set_value(30.0)
    next(b for b in page.sidebar.button if b.label == "Compute again").click().run()
    assert answered.asked[-1].settings.dilation_um == 30
    next(b for b in page.sidebar.button if b.label.startswith("Back to")).click().run()
    assert answered.asked[-1].settings == TilSettings()


def test_files_say_which_part_they_are_of(run: Run, band: TilResult, monkeypatch) -> None:
    """Those of a ROI had the names of those of the whole, and nothing in them said otherwise."""
    offered: dict[str, Callable[[], str]] = {}

    def take(label: str, data: Callable[[], str], name: str, *_: object, **__: object) -> None:
        offered[name] = data

    monkeypatch.setattr(panel.st, "download_button", take)
    rois = [
        Roi("nest 1/2", shapely.box(0, 0, 200, 200)),
        Roi("fold", shapely.box(100, 0, 300, 200), "exclude"),
    ]
    monkeypatch.setattr(panel, "slide_rois", lambda _chosen: rois)
    parts = parts_of(run, rois)
    with closing(run.open_slide()) as slide:
        for part in parts:
            panel.offer_downloads(slide, ScoringRequest(run, part, TilSettings(), 0.5), band)
    of_whole = [name for name in offered if "nest" not in name]
    assert len(offered) == 2 * len(of_whole) > 0
    (file,) = (name for name in offered if "-til-nest 1_2-" in name and name.endswith(".json"))
    told = json.loads(offered[file]())
    assert (told["part"], told["left_out"], told["min_score"]) == ("nest 1/2", ["fold"], 0.5)
    for name, make in offered.items():
        if name.endswith(".csv") and "-til-nest 1_2-" in name:
            [row] = pd.read_csv(io.StringIO(make())).iloc[:, :5].drop_duplicates().to_numpy()
            assert list(row) == [run.slide_path.name, run.run_id, "nest 1/2", "fold", 0.5]


def test_a_real_worker_answers_once(run: Run) -> None:
    request = ScoringRequest(run, parts_of(run)[0], TilSettings())
    with Worker() as worker:
        scorings = Scorings(worker)
        waiting = scorings.ask(request)
        job = waiting.job
        assert scorings.ask(request).job is job
        result = job.result(timeout=300)
        assert scorings.find(request.key) is result
        scorings.forget(request)
        assert scorings.find(request.key) is None
    assert "not evaluable" in (result.reason or "")


def test_scores_that_somebody_has_corrected_meanwhile_are_shown_as_of_before(
    visit, chosen, run: Run, band: TilResult, monkeypatch
) -> None:
    """The viewer then offered layers of scores that were of other names."""
    answered, before = answer(monkeypatch, result=band), run.names_version

    def ask(request: ScoringRequest, _visitor: str | None = None) -> Answered:
        answered.asked.append(request)
        run.journal().correct([1], ["lymphocyte"], "epithelial", by="ada")
        return answered

    monkeypatch.setattr(answered, "ask", ask)
    page = visit("til_score", slide=chosen)
    assert not page.exception
    (request,) = answered.asked
    assert request.names == before != run.names_version
    assert page.session_state["til_shown"] == state.ShownScores(run.path, before, request.key)
    assert request.key != replace(request).key  # one that is made now


def test_layers_are_offered_once_the_page_has_shown_scores(
    visit, chosen, run: Run, band: TilResult, monkeypatch
) -> None:
    answer(monkeypatch, result=band)
    shown = state.ShownScores(run.path, run.names_version, "key")
    monkeypatch.setattr(state.Key, "get", lambda self: shown if self.name == "til_shown" else None)
    assert COMPARTMENTS.offered(run.facts.slide, run)
    assert COMPARTMENTS.options() == {"til": "key"}
    other = Run(run.path / "other", run.facts)
    assert not COMPARTMENTS.offered(run.facts.slide, other)
    # other names of the nuclei have other scores, which the page has not shown
    run.journal().correct([1], ["lymphocyte"], "epithelial", by="ada")
    assert not COMPARTMENTS.offered(run.facts.slide, run)
