"""What a browser may say of nuclei, and what comes of it."""

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
import shapely
from starlette.testclient import TestClient

from pages.shared import own_answer, resources, singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.tile_sources import TileSource
from pages.viewer_page import correcting
from pages.viewer_page.server.channel import answers_to
from seg_core.picture.viewport import Viewport
from seg_core.store import Run

MACROPHAGE = 4
ALL = [0, 1, 2, 3, 4]
LEFT_COLUMN = [[0, 0], [100, 0], [100, 300], [0, 300]]


def session_of(run: Run, who: str | None = "ada") -> TileSource:
    """What a browser has that shows the run."""
    source = singletons.tile_sources().add(ChosenSlide(run.slide_path, 0.25))
    source.runs[run.run_id] = run
    source.corrector = who
    return source


@pytest.fixture
def source(run: Run) -> TileSource:
    return session_of(run)


class Browser:
    """Sends corrections as the viewer does."""

    def __init__(self, client: TestClient, source: TileSource, run: Run) -> None:
        self.client, self.source, self.sent = client, source, 0  # a session holds its source
        self.address = f"/{source.folder}corrections.json?run={run.run_id}"

    def ask(self, action: str, **more: object):
        self.sent += 1
        body = {"action": action, "id": f"{id(self)} {self.sent}", **more}
        return self.client.post(self.address, content=json.dumps(body))


@pytest.fixture
def browser(client, source, run) -> Browser:
    return Browser(client, source, run)


def named(run: Run) -> dict[int, str]:
    table = run.nuclei()
    return dict(zip(table["nucleus_id"].tolist(), table["class_name"], strict=True))


def test_a_nucleus_at_a_point_and_those_in_an_outline_are_selected(browser, run) -> None:
    (one,) = browser.ask("select", point=[150, 150], classes=ALL).json()["nuclei"]
    row = run.nuclei().set_index("nucleus_id").loc[one["id"]]
    assert (row["x"], row["y"]) == pytest.approx((150, 150), abs=1)
    assert one["name"] == "lymphocyte"
    assert len(one["ring"]) == len(row["geometry"].exterior.coords) - 1
    three = browser.ask("select", ring=LEFT_COLUMN, classes=ALL).json()["nuclei"]
    inside = run.nuclei().query("x < 100")["nucleus_id"]
    assert [each["id"] for each in three] == inside.tolist() != []
    for nothing in ({"point": [100, 100], "classes": ALL}, {"ring": LEFT_COLUMN, "classes": [1]}):
        assert browser.ask("select", **nothing).json() == {"nuclei": []}


def test_a_correction_is_in_the_journal_when_it_is_answered(browser, client, run) -> None:
    version = client.get(browser.address).json()["names"]
    answer = browser.ask("correct", nuclei=[1, 2, 2], name="macrophage")
    assert answer.json() == {"done": True, "names": run.names_version}
    assert client.get(browser.address).json()["names"] == run.names_version != version
    (entry,) = run.journal().entries()
    assert (entry.by, entry.nuclei, entry.found) == ("ada", (1, 2), ("lymphocyte",) * 2)
    assert named(run)[1] == "macrophage"
    browser.ask("correct", nuclei=[3], name=None)
    assert 3 not in named(run)
    assert browser.ask("undo").json()["done"]
    assert named(run)[3] == "lymphocyte"
    assert browser.ask("redo").json()["done"]
    assert 3 not in named(run)


def test_a_correction_makes_no_index_of_the_outlines_anew(browser, run, monkeypatch) -> None:
    """A million outlines take seconds to be read and sorted; a correction changes names alone."""
    made = []
    for module, name in ((shapely, "STRtree"), (shapely, "bounds"), (np, "lexsort")):
        real = getattr(module, name)
        spy = partial(lambda real, *a, **k: (made.append(real), real(*a, **k))[1], real)
        monkeypatch.setattr(module, name, spy)

    def shown() -> list[bool]:
        """Whether nucleus 1 is drawn as a macrophage, at once and by the browser, and found as one."""
        row = run.as_found().nuclei().set_index("nucleus_id").loc[1]
        box = Viewport(0, 0, 1.0, 400, 300)
        square = resources.outline_squares(run).packed(0, 0)
        return [
            bool(resources.nucleus_painter(run).paint(box, {MACROPHAGE}).any()),
            MACROPHAGE in square[-12:],
            resources.nucleus_index(run).at(row["x"], row["y"], ["macrophage"]) == 1,
        ]

    assert shown() == [False] * 3
    assert made
    made.clear()
    browser.ask("correct", nuclei=[1], name="macrophage")
    assert shown() == [True] * 3
    browser.ask("undo")
    assert shown() == [False] * 3
    assert not made


def test_where_nothing_was_corrected_nothing_is_taken_back(browser, run) -> None:
    assert browser.ask("undo").json() == {"done": False, "names": run.names_version}
    assert not run.journal().exists


def test_what_is_sent_twice_is_done_once(browser, client, run) -> None:
    for number in (1, 2):
        browser.ask("correct", nuclei=[number], name="macrophage")
    twice = json.dumps({"action": "undo", "id": "once"})
    answers = [client.post(browser.address, content=twice).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert list(run.corrections()) == [1]


def test_of_two_browsers_the_later_correction_counts_and_both_are_kept(client, run) -> None:
    ada, bo = (
        Browser(client, session, run) for session in (session_of(run), session_of(run, "bo"))
    )
    ada.ask("correct", nuclei=[1], name="macrophage")
    bo.ask("correct", nuclei=[1], name="epithelial")
    assert named(run)[1] == "epithelial"
    assert [(each.by, each.name) for each in run.journal().entries()] == [
        ("ada", "macrophage"),
        ("bo", "epithelial"),
    ]
    bo.ask("undo")
    assert named(run)[1] == "macrophage"


def test_two_browsers_at_once_lose_nothing(client, run) -> None:
    sessions = [session_of(run, who) for who in ("ada", "bo")]
    browsers = [Browser(client, session, run) for session in sessions]
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(
                lambda k: browsers[k % 2].ask("correct", nuclei=[k % 12 + 1], name="macrophage"),
                range(24),
            )
        )
    assert {answer.status_code for answer in answers} == {200}
    assert len(run.journal().entries()) == 24
    assert set(named(run).values()) == {"macrophage"}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"action": "correct", "nuclei": [1], "name": "melanocyte"}, "there is no class"),
        ({"action": "correct", "nuclei": [1], "name": 7}, "there is no class"),
        ({"action": "correct", "nuclei": [1], "name": ["other"]}, "there is no class"),
        ({"action": "correct", "nuclei": [999], "name": "other"}, "no longer there"),
        ({"action": "correct", "nuclei": [-1], "name": "other"}, "no longer there"),
        ({"action": "correct", "nuclei": [2**70], "name": "other"}, "no longer there"),
        ({"action": "correct", "nuclei": [True], "name": "other"}, "no nuclei are selected"),
        ({"action": "correct", "nuclei": ["1"], "name": "other"}, "no nuclei are selected"),
        ({"action": "correct", "nuclei": [], "name": "other"}, "no nuclei are selected"),
        ({"action": "correct", "name": "other"}, "no nuclei are selected"),
        (
            {"action": "correct", "nuclei": list(range(20_001)), "name": "other"},
            "at most 20,000 can be corrected",
        ),
        ({"action": "forget"}, "no correction"),
        ({"action": ["undo"]}, "no correction"),
        ({"action": "undo", "id": 5}, "no id"),
        ({"action": "undo", "id": "x" * 65}, "no id"),
        ({"action": "select", "classes": ALL}, "selects nothing"),
        ({"action": "select", "ring": [[0, 0]] * 2, "classes": ALL}, "selects nothing"),
        ({"action": "select", "point": [1], "classes": ALL}, "no point"),
        ({"action": "select", "point": ["a", 1], "classes": ALL}, "no point"),
        ({"action": "select", "point": [10**400, 1], "classes": ALL}, "no point"),
        (
            {"action": "select", "ring": [[0, 0], [9, 9], [9, 0], [0, 9]], "classes": ALL},
            "crosses itself",
        ),
        ([], "no correction"),
        (7, "no correction"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(client, browser, run, asked, told) -> None:
    if isinstance(asked, dict):
        asked = {"id": "one", **asked}
    answer = client.post(browser.address, content=json.dumps(asked))
    assert answer.status_code == 400
    assert told in answer.text
    assert answer.text.endswith(".")
    assert not run.journal().exists


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff", b"[" * 100_000, b" " * 1_100_000, b'{"id": NaN}']
)
def test_bytes_that_are_no_correction_are_refused(client, browser, run, content) -> None:
    answer = client.post(browser.address, content=content)
    assert answer.status_code == 400
    assert not run.journal().exists


def test_whoever_may_not_correct_is_told_and_others_find_nothing(client, run) -> None:
    reading = Browser(client, session_of(run, None), run)
    answer = reading.ask("correct", nuclei=[1], name="other")
    assert (answer.status_code, answer.text) == (400, "you cannot correct here; reload the page.")
    reading.address = reading.address.replace(run.run_id, "another")
    assert reading.ask("correct", nuclei=[1], name="other").status_code == 404
    assert not run.journal().exists


def test_the_viewer_is_told_what_may_be_said_and_who_may_not(run, source, monkeypatch) -> None:
    monkeypatch.setattr(own_answer, "corrector", lambda: own_answer.Corrector("ada", None))
    told = correcting.describe(run, source)
    assert [each["name"] for each in told["classes"]] == list(run.scheme.names_with_other)
    assert (told["refused"], source.corrector) == (None, "ada")
    assert "own answer" in correcting.describe(run.as_found(), source)["refused"]
    assert source.corrector is None
    monkeypatch.setattr(own_answer, "corrector", lambda: None)
    assert "cookies" in correcting.describe(run, source)["refused"]
    assert correcting.describe(None, source) is None


def test_corrections_of_a_stranger_are_kept_in_a_folder_that_is_made_for_them(
    client, run, tmp_path
) -> None:
    own = run.corrected_in(tmp_path / "readers" / "one")
    answer = Browser(client, session_of(own), own).ask("correct", nuclei=[1], name="macrophage")
    assert answer.json()["done"]
    assert named(own)[1] == "macrophage"
    assert named(run)[1] == "lymphocyte"


def test_through_the_pages_channel_a_correction_is_done_once(source, run) -> None:
    address = f"{source.folder}corrections.json?run={run.run_id}"
    body = json.dumps({"action": "correct", "id": "one", "nuclei": [1], "name": "macrophage"})
    question = {"number": "1", "addresses": [{"address": address, "body": body}]}
    for _ in range(2):  # each run of the fragment answers it
        (answer,) = answers_to(question, source)["answers"]
        assert answer["status"] == 200
    assert len(run.journal().entries()) == 1
