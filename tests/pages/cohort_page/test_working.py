"""Cohorts are started, followed and stopped from the page."""

import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from pages.cohort_page import working
from pages.shared import singletons
from pages.shared.cohort_process import (
    EVENTS_FILE,
    CohortOrder,
    CohortProcess,
    order_of,
    start,
)
from pages.shared.cohorts import Cohorts
from seg_core.errors import CohortError
from seg_core.process.worker import NICENESS


def test_model_and_pixel_size_reach_the_command(tmp_path: Path) -> None:
    (tmp_path / "a.svs").write_bytes(b"no slide")
    order = order_of(tmp_path / "a.svs", model="resnet18", mpp=0.5, retry_failed=True)
    said = order.arguments(tmp_path / "events")
    assert said[said.index("--model") + 1] == "resnet18"
    assert said[said.index("--mpp") + 1] == "0.5"
    assert "--override-mpp" not in said, "what a file says stays"
    order = replace(order, override_mpp=True)
    assert "--override-mpp" in order.again().arguments(tmp_path / "events")
    assert "--retry-failed" in said
    assert "--retry-failed" not in order.again().arguments(tmp_path / "events")


def test_a_cohort_is_started_followed_and_ends_in_the_table(visit, tmp_path: Path) -> None:
    """The real command, on two files that are no slides: it needs no model to find that out."""
    folder = tmp_path / "slides"
    folder.mkdir()
    for number in range(2):
        (folder / f"broken{number}.svs").write_bytes(b"no slide")
    page = visit("cohort")
    page.text_input(key="_source").set_value(str(folder)).run()
    page.button(key="_start").click().run()
    process = singletons.cohorts().current
    assert process is not None
    assert page.button(key="_stop").label == "Stop"
    if not page.dataframe:  # its plan is not written yet
        assert [each.value for each in page.info] == [
            "The cohort is being started; its table stands here in a moment."
        ]
    wait(process)
    page.run()
    assert list(page.dataframe[0].value["state"]) == ["failed", "failed"]
    assert page.dataframe[0].value["error"].str.contains("broken").all()
    assert singletons.cohorts().current is None
    assert not process.folder.exists()


def test_the_table_follows_a_cohort_at_work_but_not_each_slide_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It stood as it was until the whole cohort had ended."""
    now, reruns = [100.0], []
    session: dict[str, object] = {}

    def rerun(scope: str) -> None:
        reruns.append((now[0], scope))

    monkeypatch.setattr(working, "st", SimpleNamespace(session_state=session, rerun=rerun))
    monkeypatch.setattr(working, "time", SimpleNamespace(monotonic=lambda: now[0]))
    for at, ended in ((100, 0), (102, 1), (111, 1), (113, 2), (122, 9), (150, 9)):
        now[0] = at
        working._look_again("trial-7", ended)
    assert reruns == [(111, "app"), (122, "app")]
    session[working.SECTION], now[0] = "Scatter", 200
    working._look_again("trial-7", 12)
    assert len(reruns) == 2, "somebody may be drawing around points"
    now[0] = 201
    working._look_again(None, 0)
    assert reruns[2:] == [(201, "app")], "at once at the end"


def test_a_folder_that_is_not_there_is_told(visit, tmp_path: Path) -> None:
    page = visit("cohort")
    page.text_input(key="_source").set_value(str(tmp_path / "nowhere")).run()
    page.button(key="_start").click().run()
    assert "There is no " in page.error[0].value
    assert "check the name" in page.error[0].value


def test_a_pixel_size_that_no_microscope_gives_starts_nothing(visit, tmp_path: Path) -> None:
    """The field turned red, and the cohort was started as if nothing had been typed."""
    (tmp_path / "a.svs").write_bytes(b"no slide")
    page = visit("cohort")
    page.text_input(key="_source").set_value(str(tmp_path)).run()
    page.number_input(key="_cohort_mpp").set_value(25.0).run()
    page.button(key="_start").click().run()
    assert page.error[0].value == "µm per pixel is 25; give 0.05 to 4, or leave it empty."
    assert singletons.cohorts().current is None


def test_a_pixel_size_overrides_what_files_say_only_where_that_is_chosen(
    visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Cohorts(lambda: True)
    monkeypatch.setattr(singletons, "cohorts", lambda: waiting)
    page = visit("cohort")
    assert page.checkbox(key="_cohort_override").disabled
    for name, is_chosen in (("usual", False), ("overridden", True)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a.svs").write_bytes(b"no slide")
        page.text_input(key="_source").set_value(str(folder)).run()
        page.number_input(key="_cohort_mpp").set_value(0.5).run()
        page.checkbox(key="_cohort_override").set_value(is_chosen).run()
        page.button(key="_start").click().run()
        order = waiting.waiting()[-1].order
        assert (order.mpp, order.override_mpp) == (0.5, is_chosen)
    page.number_input(key="_cohort_mpp").set_value(None).run()
    assert page.checkbox(key="_cohort_override").disabled


def test_the_page_turns_to_the_cohort_that_was_started(visit, tmp_path: Path) -> None:
    """It went on showing the first of the alphabet, and nothing of what had just been asked for."""
    page = visit("cohort")
    for name in ("early", "late"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.svs").write_bytes(b"no slide")
        page.text_input(key="_source").set_value(str(folder)).run()
        page.button(key="_start").click().run()
        process = singletons.cohorts().current
        assert process is not None
        assert process.order.name.startswith(name)
        wait(process)
        page.run()
        page.run()
        assert page.selectbox(key="_cohort").value == process.order.name
        assert list(page.dataframe[0].value["slide"]) == [f"{name}.svs"]
    page.selectbox(key="_cohort").set_value(page.selectbox(key="_cohort").options[0]).run()
    assert list(page.dataframe[0].value["slide"]) == ["early.svs"]


def test_a_command_that_cannot_begin_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.svs").write_bytes(b"no slide")
    monkeypatch.setenv("SEG_MODEL", "nobody's")
    process = start(order_of(tmp_path / "a.svs"))
    wait(process)
    process.progress()
    assert "did not come to its end: there is no model" in str(process.problem())
    process.clear_up()
    assert not process.folder.exists()
    (tmp_path / "slides.csv").write_text("slide\n")
    with pytest.raises(CohortError, match="there is no slide in"):
        order_of(tmp_path / "slides.csv")


def test_a_page_that_asks_while_a_cohort_is_cleared_up_is_told_what_was_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another thread clears up; the file was looked for, and was gone when it was opened."""
    folder = tmp_path / "told"
    folder.mkdir()
    ended = {"event": "ended", "key": "a", "slide": "a.svs", "state": "finished"}
    (folder / EVENTS_FILE).write_text(json.dumps(ended) + "\n")
    order = CohortOrder(tmp_path, "trial", 2)
    process = CohortProcess(order, Mock(), folder, partial(shutil.rmtree, folder))
    assert process.progress().ended == 1
    opened = Path.open

    def opened_too_late(path: Path, *how: Any) -> Any:
        if folder.is_dir():
            process.clear_up()
        return opened(path, *how)

    monkeypatch.setattr(Path, "open", opened_too_late)
    assert process.progress().ended == 1
    assert process.progress().ended == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_a_cohort_has_a_lower_priority_than_its_dashboard_whatever_that_has(tmp_path: Path) -> None:
    """It had always 10, so beside a dashboard of 10 its tiles waited for the cohort."""
    (tmp_path / "a.svs").write_bytes(b"no slide")

    def both() -> tuple[int, int]:
        process = start(order_of(tmp_path / "a.svs"))
        try:
            pid = process.process.pid
            return os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, pid)
        finally:
            process.stop()
            process.process.wait()
            process.clear_up()

    with ThreadPoolExecutor(1, initializer=os.nice, initargs=(3,)) as dashboard:
        own, of_the_cohort = dashboard.submit(both).result()
    assert of_the_cohort == min(own + NICENESS, 19)


def wait(process: CohortProcess, seconds: float = 240) -> None:
    until = time.monotonic() + seconds
    while process.is_running():
        assert time.monotonic() < until
        time.sleep(0.2)
