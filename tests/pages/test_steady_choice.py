"""A choice that the page sets, and one that the browser has made meanwhile."""

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import browser_answer

FIRST = {"a": "one", "b": "two", "c": "three"}
RENAMED = {"a": "one", "b": "second look", "c": "three"}


def offering() -> None:
    import streamlit as st

    from pages.shared.browser_answer import say
    from pages.shared.steady_choice import keep_chosen

    titles = st.session_state.setdefault("titles", {"a": "one", "b": "two", "c": "three"})
    keep_chosen("one", titles)
    st.selectbox("One", list(titles), format_func=titles.__getitem__, key="one")
    keep_chosen("many", titles)
    st.multiselect("Many", list(titles), format_func=titles.__getitem__, key="many")
    if not st.session_state.get("error"):
        say("kept", st.session_state.setdefault("wanted", "two"))
        st.selectbox("Kept", ["one", "two", "three"], key="kept")


@pytest.fixture
def page() -> AppTest:
    page = AppTest.from_function(offering).run()
    page.selectbox(key="one").set_value("b")
    page.multiselect(key="many").set_value(["c", "b"])
    return page.run()


def said(page: AppTest) -> dict[str, bool]:
    """Which of the choices are set over what the browser shows."""
    drawn: list[Any] = [*page.selectbox, *page.multiselect]
    return {each.key: each.proto.set_value for each in drawn}


def test_what_the_browser_has_said_is_not_said_to_it_again(page: AppTest) -> None:
    """An answer still on its way turned the next choice back, and *Delete* asked about the last one."""
    assert said(page) == {"one": False, "kept": False, "many": False}
    assert page.selectbox(key="one").value == "b"
    assert page.multiselect(key="many").value == ["c", "b"]


def test_what_is_called_otherwise_by_now_stays_chosen_and_is_said(page: AppTest) -> None:
    page.session_state["titles"] = RENAMED
    page.run()
    assert page.selectbox(key="one").value == "b"
    assert page.multiselect(key="many").value == ["c", "b"]
    assert said(page) == {"one": True, "kept": False, "many": True}
    page.run()
    assert said(page) == {"one": False, "kept": False, "many": False}


def test_an_answer_with_a_title_of_before_is_understood(page: AppTest) -> None:
    """Pressed right after an analysis was named, *Delete* went for the first of all."""
    on_its_way = page._tree.get_widget_states()
    page.session_state["titles"] = RENAMED
    page.run()
    page._run(on_its_way)
    assert page.selectbox(key="one").value == "b"
    assert page.multiselect(key="many").value == ["c", "b"]
    assert said(page) == {"one": True, "kept": False, "many": True}


def test_what_is_no_longer_offered_is_no_longer_chosen(page: AppTest) -> None:
    page.session_state["titles"] = {"a": "one", "c": "three"}
    page.run()
    assert page.selectbox(key="one").value == "a"
    assert page.multiselect(key="many").value == ["c"]


def test_what_the_page_wants_otherwise_is_said(page: AppTest) -> None:
    page.session_state["wanted"] = "three"
    page.run()
    assert page.selectbox(key="kept").value == "three"
    assert said(page)["kept"]


def test_a_widget_that_comes_back_is_told_what_holds(page: AppTest) -> None:
    page.session_state["error"] = True
    page.run()
    page.session_state["error"] = False
    page.run()
    assert page.selectbox(key="kept").value == "two"
    assert said(page)["kept"]


def test_a_browser_that_has_not_drawn_a_widget_is_told_again(page: AppTest) -> None:
    """In a popover that nobody had opened the first options came up instead of what was kept."""
    states = page._tree.get_widget_states()
    drawn = [each for each in states.widgets if each.id != page.selectbox(key="kept").id]
    del states.widgets[:]
    states.widgets.extend(drawn)
    page._run(states)
    assert page.selectbox(key="kept").value == "two"
    assert said(page)["kept"]


def test_a_streamlit_that_does_not_tell_has_each_value_said(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        browser_answer, "get_script_run_ctx", lambda: SimpleNamespace(session_state=0)
    )
    page.run()
    assert said(page) == {"one": True, "kept": True, "many": True}
    assert page.selectbox(key="one").value == "b"
