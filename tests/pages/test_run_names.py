"""Analyses of one slide are told apart, named, compared and deleted, and none takes another's place."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import resources, run_words, singletons
from pages.shared.visitor import COOKIE, folder_name
from seg_core import analysis
from seg_core.store import Run
from seg_core.store.label import RunLabel, name_run, read_label, write_label
from seg_core.unbroken import unbroken
from tests.pages.test_analyses import RunningJob

MPP = 0.25


def shown_list(page: AppTest) -> AppTest:
    return next(each for each in page.sidebar.selectbox if each.label.startswith("Shown analysis"))


def button(page: AppTest, label: str) -> AppTest:
    return next(each for each in page.button if each.label == label)


def words(page: AppTest) -> str:
    return " ".join(each.value for each in page.sidebar.caption).replace("\\", "")


def test_a_list_says_what_differs_and_a_caption_all_of_the_shown_one(
    visit, chosen, run, coarse
) -> None:
    page = visit("nuclei", slide=chosen, run=coarse.path)
    titles = shown_list(page).options
    assert "100 × 150 µm at x 0, y 0 · 0.5 µm/px · tiles of 512 px · by Dr Ada" in titles[0]
    assert "Whole slide · 0.25 µm/px · tiles of 256 px · by an unknown reader" in titles[1]
    assert not any("As scanned" in each for each in titles)
    for facet in (
        "blue",
        "32-bit (fp32)",
        "As scanned",
        "1 view",
        "0.5 µm/px",
        "by Dr Ada",
    ):
        assert unbroken(facet) in words(page)


def test_what_was_picked_in_one_analysis_is_not_picked_in_another(
    visit, chosen, run, coarse
) -> None:
    """The same numbers are other nuclei there."""
    page = visit("nuclei", slide=chosen, run=coarse.path, picked=(1, 3))
    assert page.session_state["picked"] == (1, 3)
    shown_list(page).set_value(coarse.path).run()
    assert page.session_state["picked"] == (1, 3)
    shown_list(page).set_value(run.path).run()
    assert not page.exception
    assert page.session_state["run"] == run.path
    assert "picked" not in page.session_state


def test_delete_pressed_with_the_choice_asks_about_the_one_chosen(
    visit, chosen, run, coarse, monkeypatch
) -> None:
    """The page turned to the choice by running anew, and what was pressed meanwhile was lost."""
    monkeypatch.setenv("SEG_LOCAL", "1")
    page = visit("nuclei", slide=chosen, run=coarse.path)
    shown_list(page).set_value(run.path)
    page.button(key="_delete_run").click()
    page.run()
    assert not page.exception
    assert page.session_state["run"] == run.path
    page.button(key="_really_delete_run").click().run()
    assert not run.path.exists()
    assert coarse.path.exists()


def test_another_analysis_is_picked_and_one_of_another_name_is_not_taken_for_none(
    visit, chosen, run, coarse
) -> None:
    page = visit("nuclei", slide=chosen, run=coarse.path)
    shown_list(page).set_value(run.path).run()
    assert page.session_state["run"] == run.path
    assert not shown_list(page).proto.set_value, "what the browser has said is not said again"
    on_its_way = page._tree.get_widget_states()
    name_run(run.path, "second look")
    page.run()
    assert "second look" in shown_list(page).options[1]
    page._run(on_its_way)
    assert page.session_state["run"] == run.path
    assert shown_list(page).value == run.path


def test_analyses_that_only_the_command_line_sets_apart_have_titles_of_their_own(
    run, coarse, monkeypatch
) -> None:
    facets = run_words.facets(run)
    monkeypatch.setattr(run_words, "facets", lambda _: facets)
    titles = run_words.titles([run, coarse])
    assert titles[run.path].endswith(run.run_id)
    assert titles[coarse.path].endswith(coarse.run_id)
    assert run_words.titles([run])[run.path].endswith(facets["Finished"])


def test_the_pixel_size_on_every_page_is_that_of_the_analysis(visit, chosen, run, coarse) -> None:
    for name in ("nuclei", "til_score"):
        page = visit(name, slide=chosen, run=coarse.path)
        assert unbroken("400 × 300 px · 0.5 µm/px") in words(page)
        assert "now said to have 0.25" in page.sidebar.warning[0].value
        assert unbroken("400 × 300 px · 0.25 µm/px") in words(
            visit(name, slide=chosen, run=run.path)
        )


def test_a_name_stands_first_and_lasts_with_the_run(
    visit, chosen, run, coarse, monkeypatch
) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    page = visit("viewer", slide=chosen, run=run.path)
    field = next(each for each in page.sidebar.text_input if each.label == "Name of the analysis")
    field.set_value("  first *look*\x07 ").run()
    assert not page.exception
    assert read_label(run.path).name == "first *look*"
    assert any(each.startswith("first *look* · Whole slide") for each in shown_list(page).options)
    again = analysis.analyse(
        chosen.path, run.path.parents[1], mpp=MPP, label=RunLabel(person="somebody")
    )
    assert read_label(again.path) == RunLabel("first *look*")


def test_what_another_reader_asked_is_neither_named_nor_deleted(
    visit, chosen, run, coarse, monkeypatch
) -> None:
    labels = [each.label for each in visit("viewer", slide=chosen, run=coarse.path).button]
    assert "Delete" not in labels
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: "mine"})
    write_label(coarse.path, RunLabel(owner=str(folder_name())))
    page = visit("viewer", slide=chosen, run=coarse.path)
    assert "Delete" in [each.label for each in page.button]
    assert "by you" in words(page)


def test_an_analysis_is_deleted_after_one_more_question(
    visit, chosen, run, coarse, monkeypatch
) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    page = visit("viewer", slide=chosen, run=coarse.path)
    button(page, "Delete").click().run()
    assert coarse.path.exists()
    button(page, "Delete it").click().run()
    assert not page.exception
    assert not coarse.path.exists()
    assert page.session_state["run"] == run.path


@pytest.mark.parametrize(
    ("nuclei", "name", "told"),
    [
        ([1], "epithelial", "corrections of 1 nucleus, made by hand, go with it"),
        ([1, 2], "epithelial", "corrections of 2 nuclei, made by hand, go with it"),
        # a label that confirms is somebody's work as well
        ([1, 2], "lymphocyte", "corrections of 2 nuclei, made by hand, go with it"),
    ],
)
def test_what_is_deleted_is_named_with_what_goes_with_it(
    visit, chosen, run, coarse, monkeypatch, nuclei: list[int], name: str, told: str
) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    run.journal().correct(nuclei, ["lymphocyte"] * len(nuclei), name, by="Ada")
    page = visit("viewer", slide=chosen, run=run.path)
    button(page, "Delete").click().run()
    assert any(f"{chosen.path.name} · Whole slide" in each.value for each in page.markdown)
    assert any(told in each.value for each in page.warning)


def test_an_analysis_that_somebody_else_reads_is_not_deleted(
    visit, chosen, run, coarse, monkeypatch
) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    theirs = singletons.visitors().look_at(coarse.path)
    page = visit("viewer", slide=chosen, run=coarse.path)
    button(page, "Delete").click().run()
    assert "somebody else is reading it" in page.error[0].value
    assert "Delete it" not in [each.label for each in page.button]
    assert theirs.run.exists()


def test_two_analyses_are_compared_where_both_have_looked(visit, chosen, run, coarse) -> None:
    page = visit("nuclei", slide=chosen, run=run.path)
    page.segmented_control(key="_section").set_value("Analyses").run()
    assert not page.exception
    listed, compared = (each.value for each in page.dataframe)
    assert listed["µm/px"].tolist() == ["0.5", "0.25"]
    assert listed["Shown"].tolist() == [False, True]
    row = compared.set_index("class_name").loc["all"]
    whole = resources.run(run.path).nuclei()
    assert row["count_first"] == (whole["x"] < 200).sum() == 6
    assert row["count_second"] == coarse.facts.counts["lymphocyte"]
    difference = row["count_second"] - row["count_first"]
    assert row["count_difference"] == f"{difference:+,d}".replace("-", "−")
    assert row["change"] == f"{100 * difference / row['count_first']:+.1f} %".replace("-", "−")
    assert row["density_first"] == round(row["density_first"]), "else 2,994.283 where 2,994 was"
    button(page, "Show that one instead, in the viewer").click().run()
    assert page.session_state["run"] == coarse.path


class FinishedJob(RunningJob):
    def __init__(self, run: Run) -> None:
        super().__init__()
        self.ended, self.run = True, run

    def result(self, timeout: float | None = None) -> object:
        return self.run


def test_what_was_asked_in_another_tab_is_offered_and_never_replaces_what_is_read(
    visit, chosen, run, coarse
) -> None:
    page = visit("viewer", slide=chosen, run=run.path, job=FinishedJob(coarse), adopted=True)
    assert page.session_state["run"] == run.path
    assert page.sidebar.success[0].value == "An analysis of this slide is done."
    button(page, "Show it").click().run()
    assert page.session_state["run"] == coarse.path
    assert not page.sidebar.success


def test_what_this_visit_asked_for_is_shown_at_once(visit, chosen, run, coarse) -> None:
    page = visit("viewer", slide=chosen, run=run.path, job=FinishedJob(coarse))
    assert page.session_state["run"] == coarse.path


@pytest.mark.parametrize("zone", ["Etc/Unknown", "../../etc/passwd", "", None])
def test_a_time_zone_that_is_none_is_the_servers(run: Run, zone, monkeypatch) -> None:
    monkeypatch.setattr(type(st.context), "timezone", zone)
    assert run_words.facets(run)["Finished"]
