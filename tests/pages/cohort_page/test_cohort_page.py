"""The page of cohorts: what was found, who differs, and the command that it starts."""

import base64
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.cohort_page import cohort_table, working
from pages.cohort_page.cohort_table import report_of
from pages.shared import demonstration, resources, singletons, state
from pages.shared.cohort_process import CohortOrder
from pages.shared.cohorts import Cohorts
from pages.shared.literal import literal
from seg_core.cohort.catalog import RunCatalog
from seg_core.cohort.columns import groupings_of, measures_of
from seg_core.cohort.journal import Journal, Outcome
from seg_core.cohort.plan import CohortQuestion, Item, read_plan
from seg_core.cohort.thumbnails import THUMBNAIL_FILE
from seg_core.cohort.til_maps import MAP_FILE
from seg_core.files.lease import held
from seg_core.picture.encoding import encode_jpeg
from seg_core.roi import Roi
from seg_core.samples import sample_path
from seg_core.scoring.assessment import assess, keep_scores
from seg_core.store import Run, Store, open_run
from seg_core.store.answer import Answer, write_answer
from seg_core.store.label import read_label
from seg_core.store.rois import keep_rois
from seg_core.unbroken import unbroken

MODEL = "0" * 64
FAILED = "broken.svs is no slide; open another file."


@pytest.fixture
def cohort(run: Run, store: Path) -> Journal:
    """Six slides of six patients in two groups, one more that failed; lymphocytes grow in number."""
    journal = Journal(store, "trial")
    items = [
        Item(
            run.slide_path,
            0.25,
            patient=f"P{number}",
            group="AB"[number // 3],
            columns={"Stage": ["I", "II"][number % 2], "roi number": str(number)},
        )
        for number in range(6)
    ]
    for number in range(6):
        folder = copy_of(run, number)
        shutil.copytree(run.path, folder)
        facts = replace(run.facts, counts={**run.facts.counts, "lymphocyte": 12 + number})
        (folder / "run.json").write_text(json.dumps(facts.to_json()))
    items.append(Item(Path("/broken.svs"), patient="P9", group="B", columns={"Stage": "II"}))
    journal.write_plan(items, CohortQuestion("blue", MODEL))
    plan = journal.read_plan()
    # six times the same file: keys are told apart by hand
    for number, entry in enumerate(plan["items"]):
        entry["key"] = str(number)
    (journal.folder / "cohort.json").write_text(json.dumps(plan))
    for number in range(6):
        journal.record(
            Outcome(str(number), "finished", str(copy_of(run, number).relative_to(store)))
        )
    journal.record(Outcome("6", "failed", error=FAILED))
    return journal


def copy_of(run: Run, number: int) -> Path:
    """Return the folder of an analysis that looks like another one of the same slide."""
    return run.path.with_name(f"{number:016x}")


def shown_table(page: AppTest) -> pd.DataFrame:
    return page.dataframe[0].value


def at_section(page: AppTest, section: str) -> AppTest:
    next(each for each in page.segmented_control if each.label == "Section").set_value(section)
    page.run()
    assert not page.exception
    return page


def test_each_slide_has_a_row_and_what_failed_has_its_sentence(visit, cohort: Journal) -> None:
    page = visit("cohort")
    table = shown_table(page)
    assert list(table["patient"]) == [*(f"P{number}" for number in range(6)), "P9"]
    assert list(table["state"]) == ["finished"] * 6 + ["failed"]
    assert table["error"].iloc[-1] == FAILED
    assert list(table["nuclei"].iloc[:6]) == [12 + number for number in range(6)]
    assert str(table["picture"].iloc[0]).startswith("data:image/jpeg;base64,")
    assert any("7 slides · 6 finished · 1 failed" in each.value for each in page.caption)
    assert page.dataframe[0].proto.placeholder == "–"
    densities = page.dataframe[0].value["lymphocyte_per_mm2"].dropna()
    assert (densities == densities.round()).all()
    config = json.loads(page.dataframe[0].proto.columns)
    assert config["nuclei"]["type_config"]["format"] == "localized"


def test_columns_come_with_the_results_until_the_reader_chooses_some(
    visit, cohort: Journal
) -> None:
    """Whoever looked at a cohort before its first slide had ended saw none of its numbers later."""
    outcomes = cohort.folder / "outcomes.jsonl"
    kept = outcomes.read_text()
    outcomes.unlink()
    page = visit("cohort")
    assert "nuclei" not in shown_table(page)
    outcomes.write_text(kept)
    page.run()
    assert {"nuclei", "lymphocyte_per_mm2"} <= set(shown_table(page))
    page.multiselect(key="_columns_trial").set_value(["nuclei"]).run()
    page.run()
    assert list(shown_table(page).columns) == ["picture", "slide", "nuclei"]


def test_what_has_to_be_known_of_a_sample_stands_above_its_cohort(
    visit, cohort: Journal, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demonstration, "sample_note", {run.slide_path: "It is a mosaic."}.get)
    told = [each.value for each in visit("cohort").caption]
    assert [each for each in told if "mosaic" in each] == [
        f":material/info: {run.slide_path.name}: It is a mosaic."
    ]


def test_what_a_cell_cuts_off_can_be_read_in_full(visit, cohort: Journal) -> None:
    page = visit("cohort")
    (fold,) = (each for each in page.expander if each.label.startswith("Failures and warnings"))
    assert fold.label == "Failures and warnings (1 slide)"
    assert fold.markdown[0].value == f"- **broken.svs**: {literal(FAILED)}"


def test_while_a_cohort_is_at_work_one_line_says_how_far_it_is(
    visit, cohort: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below "2 finished, 1 at work" stood "3 waiting · 1 finished", of some seconds before."""
    monkeypatch.setattr(working, "is_at_work", lambda name: name == "trial")
    counts = [each.value for each in visit("cohort").caption if "7 slides" in each.value]
    assert counts == ["7 slides · 7 patients"]


def test_one_slide_is_counted_as_one() -> None:
    assert cohort_table.counted(1, "slide") == "1 slide"
    assert cohort_table.counted(1000, "patient") == "1,000 patients"


def test_groups_are_compared_by_patients(visit, cohort: Journal) -> None:
    page = at_section(visit("cohort"), "Groups")
    assert page.selectbox(key="_by").value == "group"
    page.multiselect(key="_measures").set_value(["count_lymphocyte"]).run()
    (row,) = shown_table(page).to_dict("records")
    assert (row["groups"], row["patients"], row["delta"]) == ("A – B", "3 / 3", "−1")
    assert row["p"] == "0.1"
    assert (row["shift"], set(row) & {"shift_low", "delta_low", "reason"}) == ("−3", set())
    told = literal("No intervals: 3 and 3 patients are too few for 95 % intervals")
    assert any(each.value.startswith(unbroken(told)) for each in page.caption)
    page.selectbox(key="_by").set_value("Stage").run()
    assert not page.exception
    assert shown_table(page)["groups"].item() == "I – II"


def test_the_table_follows_what_is_said_of_the_nuclei_and_what_is_left_out(
    run: Run, store: Path, cohort: Journal
) -> None:
    """It stood as before until something else of a run was written."""

    def nuclei() -> dict[str, float]:
        return resources.cohort("trial").set_index("patient")["nuclei"].dropna().to_dict()

    before, corrected, answered = nuclei(), open_run(copy_of(run, 0)), open_run(copy_of(run, 1))
    table = corrected.nuclei()
    first = table.iloc[0]
    corrected.journal().correct([first["nucleus_id"]], [first["class_name"]], None, by="a")
    assert nuclei() == before | {"P0": len(table) - 1}
    answer = table[["nucleus_id"]].assign(class_name="other", class_score=1.0)
    names = run.scheme.names_with_other
    write_answer(answered.path, Answer("mine", run.scheme, names, answer))
    assert nuclei() == before | {"P0": len(table) - 1, "P1": 0}
    bounds = shapely.box(*table.total_bounds).buffer(9)
    keep_rois(store, run.path.parent.name, [Roi("fold", bounds, "exclude")])
    assert {*nuclei().values()} == {0}


def test_a_filter_leaves_slides_out_everywhere(visit, cohort: Journal) -> None:
    page = visit("cohort")
    next(each for each in page.get("button_group") if each.key == "_group").set_value(["A"]).run()
    assert list(shown_table(page)["group"]) == ["A"] * 3


def test_any_column_filters_by_range_or_by_words(visit, cohort: Journal) -> None:
    page = visit("cohort")
    page.selectbox(key="_filter_by").set_value("count_lymphocyte").run()
    assert len(shown_table(page)) == 7  # also what has no number, as long as nothing is asked
    page.slider(key="_range_count_lymphocyte").set_value((13.0, 15.0)).run()
    assert not page.exception
    assert list(shown_table(page)["patient"]) == ["P1", "P2", "P3"]
    page.selectbox(key="_filter_by").set_value("Stage").run()
    page.multiselect(key="_words_Stage").set_value(["II"]).run()
    assert list(shown_table(page)["patient"]) == ["P1", "P3", "P5", "P9"]


def test_any_column_is_plotted_against_a_measure_with_its_rank_correlation(
    visit, cohort: Journal
) -> None:
    page = at_section(visit("cohort"), "Scatter")
    page.selectbox(key="_y").set_value("count_lymphocyte").run()
    page.selectbox(key="_x").set_value("roi number").run()
    assert not page.exception
    # of 720 orders of six patients two are as far from chance
    assert any(
        "correlation 1.00, no interval where it is 1 or −1, p = 0.003, n = 6 patients" in each.value
        for each in page.caption
    )
    page.selectbox(key="_x").set_value("Stage").run()
    assert not page.exception
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert figure["layout"]["xaxis"]["ticktext"] == ["I", "II"]
    assert not any("correlation" in each.value for each in page.caption)


def test_slides_that_were_drawn_around_alone_are_shown_until_all_are_again(
    visit, cohort: Journal, run: Run
) -> None:
    """In all sections, and nothing of another cohort."""
    plan = cohort.read_plan()
    for number, entry in enumerate(plan["items"]):
        entry["roi"] = f"roi {number}"  # the six are one file
    (cohort.folder / "cohort.json").write_text(json.dumps(plan))
    for number in range(6):
        Image.new("RGB", (40, 30)).save(copy_of(run, number) / MAP_FILE)
    page = visit("cohort")
    drawn = frozenset(f"{run.slide_path}\nroi {number}" for number in (0, 1, 2, 4))
    page.session_state[state.DRAWN_AROUND.name] = state.DrawnAround("trial", drawn)
    page.run()
    assert list(shown_table(page)["patient"]) == ["P0", "P1", "P2", "P4"]
    assert any("4 of 7 slides: those that were drawn around" in each.value for each in page.info)
    assert len(page.selectbox(key="_edited").options) == 4
    at_section(page, "TIL maps")
    assert sum(str(each.key).startswith("_map_") for each in page.button) == 4
    at_section(page, "Groups")
    page.multiselect(key="_measures").set_value(["count_lymphocyte"]).run()
    assert shown_table(page)["patients"].item() == "3 / 1"
    at_section(page, "Scatter")
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert figure["data"][0]["selectedpoints"] == [0, 1, 2, 4]
    assert list(shown_table(page)["patient"]) == ["P0", "P1", "P2", "P4"]
    shown_as = json.loads(page.dataframe[-1].proto.columns)
    assert shown_as["nuclei"]["type_config"]["format"] == "localized", "as in the table"
    at_section(page, "Table")
    page.button(key="_all_slides").click().run()
    assert len(shown_table(page)) == 7

    page.session_state[state.DRAWN_AROUND.name] = state.DrawnAround("another", drawn)
    page.run()
    assert len(shown_table(page)) == 7


def test_slides_are_chosen_from_those_that_are_known_here(
    visit, cohort: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Cohorts(lambda: True)
    monkeypatch.setattr(singletons, "cohorts", lambda: waiting)
    page = visit("cohort")
    page.segmented_control(key="_where").set_value("Slides that are known here").run()
    assert page.button(key="_start").disabled
    nest = sample_path("hgsc_nest")
    page.multiselect(key="_slides").set_value([nest, cohort_slide(cohort)]).run()
    page.text_input(key="_name").set_value("two slides").run()
    page.button(key="_start").click().run()
    assert "cohort cannot be called" in page.error[0].value
    page.text_input(key="_name").set_value("pair").run()
    page.button(key="_start").click().run()
    assert not page.exception
    (place,) = waiting.waiting()
    assert (place.order.name, place.order.total) == ("pair", 2)
    first, second = read_plan([place.order.source])
    assert (first.slide, second.slide) == (nest, cohort_slide(cohort))
    assert first.mpp == 0.25
    assert place.order.arguments(Path("events"))[3] == "pair"

    page.text_input(key="_name").set_value("trial").run()
    page.button(key="_start").click().run()
    assert "There is a cohort trial of other slides" in page.error[0].value
    assert len(shown_table(page)) == 7, "the cohort that is there stays in sight"


def test_each_of_two_slides_of_one_name_can_be_chosen(
    visit, cohort: Journal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whichever of them was chosen, the same one was taken."""
    monkeypatch.setattr(singletons, "cohorts", lambda: Cohorts(lambda: True))
    slides = [tmp_path / folder / "slide.png" for folder in ("before", "after")]
    monkeypatch.setattr(working, "analysed_slides", lambda: slides)
    page = visit("cohort")
    page.segmented_control(key="_where").set_value("Slides that are known here").run()
    for each in slides:
        page.multiselect(key="_slides").set_value([each]).run()
        assert page.multiselect(key="_slides").value == [each]


def cohort_slide(cohort: Journal) -> Path:
    return Path(cohort.read_plan()["items"][0]["slide"])


def test_a_kept_picture_of_a_slide_stands_in_the_table(visit, cohort: Journal, run: Run) -> None:
    small = np.full((20, 30, 3), 200, np.uint8)
    (copy_of(run, 1) / THUMBNAIL_FILE).write_bytes(encode_jpeg(small))
    page = visit("cohort")
    kept = base64.b64decode(shown_table(page)["picture"].iloc[1].partition(",")[2])
    assert kept == encode_jpeg(small)


def test_an_analysis_that_a_colleague_has_deleted_is_told_and_costs_nothing_else(
    visit, cohort: Journal, run: Run
) -> None:
    page = visit("cohort")
    Store(cohort.store).delete(open_run(copy_of(run, 3)))
    page.run()
    assert not page.exception
    table = shown_table(page)
    assert list(table["state"]) == ["finished"] * 3 + ["removed"] + ["finished"] * 2 + ["failed"]
    assert "was deleted, moved or damaged since" in table["error"].iloc[3]
    page.session_state["_table_trial"] = {"selection": {"rows": [3], "columns": []}}
    page.run()
    assert page.session_state[state.SLIDE.name].path == run.slide_path


def test_the_section_that_was_open_is_open_again(visit, cohort: Journal) -> None:
    at_section(visit("cohort"), "Scatter")
    assert visit("cohort").segmented_control(key="_cohort_section").value == "Scatter"


def test_measures_are_numbers_that_differ_and_groups_name_several_slides(cohort: Journal) -> None:
    table = RunCatalog(Store(cohort.store)).cohort("trial")
    measures = measures_of(table)
    assert {"nuclei", "count_lymphocyte", "roi number"} <= set(measures)
    assert not {"mpp", "seconds", "megapixels", "count_epithelial"} & set(measures)
    assert {"group", "Stage"} <= set(groupings_of(table))


def test_maps_are_shown_in_order_and_open_their_slides(visit, cohort: Journal, run: Run) -> None:
    page = at_section(visit("cohort"), "TIL maps")
    assert "No slide of this cohort has a TIL map" in page.info[0].value
    for number in range(3):
        Image.new("RGB", (40, 30)).save(copy_of(run, number) / MAP_FILE)
    page.run()
    page.selectbox(key="_map_order").set_value("count_lymphocyte").run()
    assert not page.exception
    buttons = [each for each in page.button if str(each.key).startswith("_map_")]
    first = copy_of(run, 2).relative_to(cohort.store).as_posix()
    assert next(str(each.key).removeprefix("_map_") for each in buttons) == first
    assert len(buttons) == 3
    assert any("4 slides without a map." in each.value for each in page.caption)
    # a map of nuclei that are called otherwise by now stood beside "no TIL score"
    scored = open_run(copy_of(run, 2))
    keep_scores(scored, assess(scored))
    page.run()
    assert any("4 slides without a map." in each.value for each in page.caption)
    scored.journal().correct([1], ["lymphocyte"], "epithelial", by="a")
    page.run()
    assert any("5 slides without a map." in each.value for each in page.caption)
    buttons[1].click().run()
    assert page.session_state[state.RUN.name] == copy_of(run, 1)


def test_an_analysis_of_the_table_is_named_moved_and_deleted(
    visit, cohort: Journal, run: Run, tmp_path: Path
) -> None:
    page = visit("cohort")
    chosen = copy_of(run, 2)
    page.selectbox(key="_edited").set_value(chosen.relative_to(cohort.store).as_posix()).run()
    page.text_input(key=f"_run_name_{chosen.name}").set_value("second look").run()
    assert not page.exception
    assert read_label(chosen).name == "second look"
    assert "second look" in page.selectbox(key="_edited").options[2]

    archive = tmp_path / "archive"
    page.text_input(key="_other_store").set_value(str(archive)).run()
    page.button(key="_move").click().run()
    assert not page.exception
    assert not chosen.exists()
    assert read_label(archive / chosen.relative_to(cohort.store)).name == "second look"
    page.run()
    assert pd.isna(shown_table(page)["nuclei"].iloc[2])
    assert len(page.selectbox(key="_edited").options) == 5
    page.button(key="_delete_run").click().run()
    page.button(key="_really_delete_run").click().run()
    assert not copy_of(run, 0).exists()


def test_what_becomes_of_another_analysis_turns_nobody_from_the_one_shown(
    visit, cohort: Journal, run: Run
) -> None:
    """To delete one of the table put away the analysis that was shown, and what was picked in it."""
    kept = {"run": copy_of(run, 5), "picked": (1, 2)}
    page = visit("cohort", **kept)
    page.button(key="_delete_run").click().run()
    page.button(key="_really_delete_run").click().run()
    assert not copy_of(run, 0).exists()
    assert {key: page.session_state[key] for key in kept} == kept


def test_an_analysis_that_is_shown_is_turned_from_as_it_is_moved(
    visit, cohort: Journal, run: Run, tmp_path: Path
) -> None:
    """What was picked in it stayed picked in the one that was shown next."""
    page = visit("cohort", run=copy_of(run, 0), picked=(1, 2))
    page.text_input(key="_other_store").set_value(str(tmp_path / "archive")).run()
    page.button(key="_move").click().run()
    assert not page.exception
    assert not copy_of(run, 0).exists()
    assert "picked" not in page.session_state


def test_an_analysis_that_somebody_turns_to_meanwhile_is_not_deleted(
    visit, cohort: Journal, run: Run
) -> None:
    """Whether anybody reads it was looked at before the question was answered, and not after."""
    page = visit("cohort")
    page.button(key="_delete_run").click().run()
    theirs = singletons.visitors().look_at(copy_of(run, 0))
    page.button(key="_really_delete_run").click().run()
    assert theirs.run.is_dir()
    assert any("somebody else is reading it" in each.value for each in page.error)


def test_a_cohort_is_removed_and_its_analyses_stay(visit, cohort: Journal, run: Run) -> None:
    """One that was started by mistake stood there for good."""
    page = visit("cohort")
    page.button(key="_remove_cohort").click().run()
    assert not page.checkbox(key="_also_runs").value
    page.button(key="_keep_cohort").click().run()
    assert cohort.folder.is_dir()
    page.button(key="_remove_cohort").click().run()
    page.button(key="_really_remove_cohort").click().run()
    assert not page.exception
    assert not cohort.folder.exists()
    assert all((copy_of(run, number) / "run.json").is_file() for number in range(6))
    assert [each.value for each in page.toast] == ["The cohort trial was removed."]
    assert any("There is no cohort yet" in each.value for each in page.info)


def test_its_analyses_go_with_it_where_that_is_asked_but_for_those_of_another(
    visit, cohort: Journal, run: Run
) -> None:
    other = Journal(cohort.store, "untouched")
    shutil.copytree(cohort.folder, other.folder)
    plan = other.read_plan()
    plan["items"] = plan["items"][:2]
    (other.folder / "cohort.json").write_text(json.dumps(plan))
    page = visit("cohort")
    page.button(key="_remove_cohort").click().run()
    also = page.checkbox(key="_also_runs")
    assert also.label == "Delete its 4 analyses too"
    also.check()
    page.button(key="_remove_cohort").click().run()  # the question was closed and is asked again
    assert not page.checkbox(key="_also_runs").value
    page.checkbox(key="_also_runs").check()
    page.button(key="_really_remove_cohort").click().run()
    assert not page.exception
    assert [each.value for each in page.toast] == [
        "The cohort trial was removed, and 4 analyses with it."
    ]
    assert [copy_of(run, number).exists() for number in range(6)] == [True] * 2 + [False] * 4
    assert page.selectbox(key="_cohort").value == "untouched"


def test_of_corrections_that_would_go_with_a_cohort_it_is_said_where_they_would(
    cohort: Journal, run: Run
) -> None:
    """It was said before anybody had asked for the analyses to be deleted."""

    def asking() -> None:
        from pages.cohort_page import removal

        removal._confirm("trial")

    open_run(copy_of(run, 3)).journal().correct([1], ["lymphocyte"], "lymphocyte", by="a")
    page = AppTest.from_function(asking).run()
    assert not page.warning
    page.checkbox(key="_also_runs").check().run()
    (warning,) = page.warning
    assert "corrections of 1 nucleus, made by hand, go with them" in warning.value


def test_analyses_that_somebody_reads_stay_when_their_cohort_is_removed(
    visit, cohort: Journal, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singletons.visitors(), "is_looked_at_by_others", lambda *_: True)
    page = visit("cohort")
    page.button(key="_remove_cohort").click().run()
    page.checkbox(key="_also_runs").check()
    page.button(key="_really_remove_cohort").click().run()
    assert not page.exception
    assert [each.value for each in page.toast] == [
        "The cohort trial was removed; 6 analyses in use stay."
    ]
    assert all(copy_of(run, number).is_dir() for number in range(6))


def test_a_cohort_that_a_command_works_off_is_not_removed(visit, cohort: Journal) -> None:
    page = visit("cohort")
    with held(cohort.folder):
        page.button(key="_remove_cohort").click().run()
        page.button(key="_really_remove_cohort").click().run()
        assert [
            "A command is at work on the cohort trial; stop it" in each.value for each in page.error
        ] == [True]
    assert cohort.folder.is_dir()


def test_a_cohort_that_is_at_work_or_waits_here_cannot_be_removed(
    visit, cohort: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohorts = Cohorts(lambda: True)  # somebody waits for an analysis, so that it is not begun
    monkeypatch.setattr(singletons, "cohorts", lambda: cohorts)
    cohorts.add(CohortOrder(Path("trial.csv"), "trial", 7))
    assert visit("cohort").button(key="_remove_cohort").disabled
    cohorts.stop("trial")
    assert not visit("cohort").button(key="_remove_cohort").disabled


def test_the_report_is_offered_as_html_and_pdf(visit, cohort: Journal) -> None:
    page = visit("cohort")
    labels = [each.label for each in page.get("download_button")]
    assert {"Report as HTML", "Report as PDF", "Table as CSV"} <= set(labels)
    assert report_of("trial", "pdf").startswith(b"%PDF")
    assert b"Cohort trial" in report_of("trial", "html")


def test_a_row_opens_its_slide_with_the_analysis_of_the_cohort(
    visit, cohort: Journal, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = visit("cohort")
    page.session_state["_table_trial"] = {"selection": {"rows": [2], "columns": []}}
    page.run()
    assert not page.exception
    assert page.session_state[state.SLIDE.name] == state.ChosenSlide(run.slide_path, 0.25)
    assert page.session_state[state.RUN.name] == copy_of(run, 2)


def test_a_row_opens_its_slide_where_that_is_now(
    visit, cohort: Journal, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slide that had been moved was said to be gone, though its folder was offered."""
    gone = Path("/another place") / run.slide_path.name
    for each in Store().runs():
        facts = each.with_slide_at(gone).facts
        (each.path / "run.json").write_text(json.dumps(facts.to_json()))
    plan = cohort.read_plan()
    plan["items"][2]["slide"] = str(gone)
    (cohort.folder / "cohort.json").write_text(json.dumps(plan))
    page = visit("cohort")
    page.session_state["_table_trial"] = {"selection": {"rows": [2], "columns": []}}
    page.run()
    assert [each.value for each in page.error] == [
        "discs.png is no longer where it was when the cohort was analysed."
    ]
    monkeypatch.setenv("SEG_SLIDE_DIR", str(run.slide_path.parent))
    page.session_state["_table_trial"] = {"selection": {"rows": [2], "columns": []}}
    page.run()
    assert page.session_state[state.SLIDE.name] == state.ChosenSlide(run.slide_path, 0.25)
    assert page.session_state[state.RUN.name] == copy_of(run, 2)


@pytest.mark.parametrize("local", ["0", "1"])
def test_names_of_slides_are_shown_to_nobody_elsewhere(
    visit, cohort: Journal, monkeypatch: pytest.MonkeyPatch, local: str
) -> None:
    monkeypatch.setenv("SEG_LOCAL", local)
    page = visit("cohort")
    assert bool(page.dataframe) == (local == "1")
    assert bool(page.text_input) == (local == "1")
    if local == "0":
        assert "Whoever runs this dashboard" in page.info[0].value
        assert "Analyse a cohort" not in page.info[0].value
