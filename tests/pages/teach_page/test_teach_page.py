"""The page Teach on a painted slide: labels, own classes, a classifier and its files."""

import getpass
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import shapely
from streamlit.testing.v1 import AppTest

from pages.shared import own_answer, runs, state
from pages.shared.page_list import NUCLEI, PageEntry
from pages.teach_page import labelling, training
from pages.teach_page.material import Material
from seg_core import analysis
from seg_core.classes import USUAL_PALETTE, NucleusClass
from seg_core.errors import StoreError
from seg_core.roi import Roi
from seg_core.store import Run, Selection
from seg_core.store.own_classes import read_own_classes, write_own_classes
from seg_core.teaching.apply import classify
from seg_core.teaching.classifier import read_classifier, write_classifier
from seg_core.teaching.labels import Labels
from seg_core.teaching.teach import teach
from tests.browser.starting import ROOT
from tests.seg_core import painted_slides
from tests.stand_in import stand_in

Visit = Callable[..., AppTest]


@pytest.fixture
def painted(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run of a painting, on the reader's own machine."""
    monkeypatch.setenv("SEG_LOCAL", "1")
    stand_in(monkeypatch, painted_slides.CARD, painted_slides.make_painted_engine)
    path = painted_slides.paint(500, 500).save(tmp_path / "painted.png")
    return analysis.analyse(
        path, store, mpp=painted_slides.MPP, settings=painted_slides.SMALL_TILES
    )


def label_some(run: Run, renamed: dict[str, str] | None = None) -> None:
    """Say of twelve nuclei of each class what they are."""
    for name, rows in run.as_found().nuclei().groupby("class_name"):
        ids = rows["nucleus_id"].tolist()[:12]
        said = (renamed or {}).get(str(name), str(name))
        run.journal().correct(ids, [str(name)] * len(ids), said, by="ada")


def open_section(page: AppTest, name: str) -> AppTest:
    page.session_state["_teach_section"] = name
    page.run()
    assert not page.exception
    return page


def told(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.success, *page.warning, *page.error]
    return "\n".join(part.value for part in parts)


def counts(run: Run) -> dict[str, int]:
    return run.nucleus_queries().counts(Selection(run.scheme.names_with_other))


def test_where_nothing_is_analysed_the_page_says_where_to_start(visit: Visit) -> None:
    page = visit("teach")
    assert "Nothing has been analysed yet" in told(page)


def test_the_address_names_the_analysis_and_brings_it_back(painted: Run, visit: Visit) -> None:
    """A reload turned to the latest analysis of all slides."""
    path = painted.slide_path
    later = analysis.analyse(path, painted.path.parents[1], mpp=2 * painted_slides.MPP)
    page = visit("teach", run=painted.path)
    assert page.multiselect(key="_teach_runs").value == [painted.path]
    assert page.query_params["run"] == painted.run_id
    again = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
    again.query_params.update(page.query_params)
    again.switch_page("pages/teach.py").run()
    assert again.multiselect(key="_teach_runs").value == [painted.path]
    assert later.path in {each.path for each in runs.finished_runs(state.ChosenSlide(path))}


def test_what_is_answered_by_keys_is_in_the_journal(painted: Run, visit: Visit) -> None:
    page = visit("teach")
    screen = page.session_state[state.LABEL_SCREEN.name]
    assert len(screen.nuclei) == labelling.ON_A_SCREEN
    assert set(screen.found) == set(painted.scheme.names_with_other)
    assert screen.pictures[0].startswith("data:image/jpeg")


def test_answers_that_come_twice_or_late_are_written_once(
    painted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    nuclei = ((0, 5), (0, 9), (0, 2))
    screen = state.LabelScreen("a", (painted,), nuclei, ("other",) * 3, ("",) * 3)
    kept: dict[str, object] = {state.LABEL_SCREEN.name: screen}
    monkeypatch.setattr(state.st, "session_state", kept)
    first = {"nucleus": 0, "name": "lymphocyte"}
    log = [first, {"nucleus": 1, "name": None}]
    labelling.take({"mount": "m", "screen": "a", "log": log[:1], "more": False})
    labelling.take({"mount": "m", "screen": "a", "log": log, "more": False})
    labelling.take({"mount": "m", "screen": "gone", "log": log, "more": False})
    said = {number: each.name for number, each in painted.journal().said().items()}
    assert said == {5: "lymphocyte", 9: None}
    assert len(painted.journal().entries()) == 2
    labelling.take({"mount": "m", "screen": "a", "log": [*log, "undo"], "more": True})
    assert list(painted.journal().said()) == [5]
    assert state.LABEL_SCREEN.name not in kept
    assert kept[state.PASSED_OVER.name] == {painted.path: {5, 9, 2}}


def test_what_was_written_before_the_disk_was_full_is_not_written_again(
    painted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = state.LabelScreen("a", (painted,), ((0, 5), (0, 9)), ("other",) * 2, ("",) * 2)
    monkeypatch.setattr(state.st, "session_state", {state.LABEL_SCREEN.name: screen})
    log = [{"nucleus": 0, "name": "lymphocyte"}, {"nucleus": 1, "name": None}]
    said = {"mount": "m", "screen": "a", "log": log, "more": False}

    def full_from_the_second_on(run: Run, ids: list[int], *said: object) -> None:
        if ids == [9]:
            raise StoreError("the disk is full.")
        write_down(run, ids, *said)

    write_down = labelling.write_down
    with monkeypatch.context() as patch:
        patch.setattr(labelling, "write_down", full_from_the_second_on)
        with pytest.raises(StoreError, match="full"):
            labelling.take(said)
    labelling.take(said)
    assert [each.nuclei for each in painted.journal().entries()] == [(5,), (9,)]
    assert [place for place, _ in screen.given] == [0, 1]


def test_a_class_of_ones_own_is_named_with_its_role(painted: Run, visit: Visit) -> None:
    page = open_section(visit("teach"), "Classes")
    named(page.text_input, "Name a class").set_value("plasma cell")
    named(page.selectbox, "Role in scores").set_value("lymphocyte")
    named(page.button, "Add").click().run()
    assert not page.exception
    (own,) = read_own_classes(painted.path)
    assert (own.name, own.role) == ("plasma cell", "lymphocyte")
    assert painted.scheme.names[-1] == "plasma cell"
    for once_more in ("plasma cell", "Plasma cell ", "Lymphocyte", "Other"):
        named(page.text_input, "Name a class").set_value(once_more)
        named(page.button, "Add").click().run()
        assert f"there is a class {once_more.strip().lower()} already" in told(page).lower()
    assert len(read_own_classes(painted.path)) == 1


@pytest.mark.parametrize("palette", [USUAL_PALETTE, "colour-blind"])
def test_the_table_of_classes_shows_their_colours(painted: Run, visit: Visit, palette: str) -> None:
    """They were given as borders, which the table does not paint, and not as the reader chose them."""
    page = open_section(visit("teach", palette=palette), "Classes")
    styles = page.dataframe[0].proto.arrow_data.styler.styles
    scheme = painted.scheme.recoloured(palette)
    for name in scheme.names_with_other:
        assert f"background-color: {scheme.colours[name]}" in styles


def test_what_is_no_nucleus_is_told_beside_the_labels_and_taken_back(
    painted: Run, visit: Visit
) -> None:
    """It was in neither number, and could not be taken back where nothing else was labelled."""
    ids = painted.nuclei()["nucleus_id"].tolist()[:3]
    painted.journal().correct(ids, ["other"] * 3, None, by=getpass.getuser())
    page = visit("teach")
    assert "**0 labels**; not a nucleus 3" in told(page)
    named(page.button, "Take back the last label").click().run()
    assert not painted.journal().said()


def test_the_chosen_slide_is_taught_where_none_of_its_analyses_was_looked_at(
    painted: Run, visit: Visit, tmp_path: Path
) -> None:
    """Straight from the page Slides one came to the latest analysis of whatever slide."""
    other = painted_slides.paint(500, 400).save(tmp_path / "other.png")
    later = analysis.analyse(
        other, painted.path.parents[1], mpp=painted_slides.MPP, settings=painted_slides.SMALL_TILES
    )
    for run in (painted, later):
        page = visit("teach", slide=state.ChosenSlide(run.slide_path))
        assert page.multiselect(key="_teach_runs").value == [run.path]


def test_other_pages_show_what_is_taught_where_no_slide_was_chosen(
    painted: Run, visit: Visit
) -> None:
    """A session that began on this page was told on the next one to choose a slide."""
    page = visit("teach")
    page.switch_page(NUCLEI.file).run()
    assert not page.exception
    assert page.session_state[state.RUN.name] == painted.path
    assert "Choose a slide" not in told(page)


def test_training_tells_how_well_and_what_changes_and_apply_and_forget_do_it(
    painted: Run, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the painting is smaller than a neighbourhood
    monkeypatch.setattr("seg_core.teaching.validation.AROUND_UM", 5.0)
    write_own_classes(painted.path, [NucleusClass(1, "plasma cell", "#123456")])
    label_some(painted, {"macrophage": "plasma cell"})
    before = counts(painted)
    page = open_section(visit("teach"), "Train")
    assert "labels are there; press Train" in told(page)
    named(page.button, "Train").click().run()
    assert "Macro F1" in told(page)
    lesson = page.session_state[state.LESSON.name]
    changed = len(lesson.changes[0].changed)
    assert changed > 0
    assert f"would change {changed:,} of" in told(page)
    assert counts(painted) == before
    named(page.button, "Apply").click().run()
    assert "named by the taught classifier my-classes" in told(page)
    after = counts(painted)
    assert after["plasma cell"] == before["plasma cell"] + before["macrophage"]
    assert after["macrophage"] == 0
    assert "Apply" not in [button.label for button in page.button]
    named(page.button, "Forget").click().run()
    assert counts(painted) == before
    named(page.button, "Apply")


def test_a_classifier_of_nuclei_that_were_named_otherwise_is_doubted_before_it_is_applied(
    painted: Run, visit: Visit
) -> None:
    label_some(painted, {"macrophage": "lymphocyte"})
    page = open_section(visit("teach"), "Train")
    named(page.button, "Train").click().run()
    assert "named nuclei otherwise" not in told(page)
    lesson = page.session_state[state.LESSON.name]
    earlier = replace(lesson.classifier, naming=("0" * 16,))
    page.session_state[state.LESSON.name] = replace(lesson, classifier=earlier)
    page.run()
    assert "named nuclei otherwise" in told(page)


def test_what_is_labelled_after_training_is_told_and_what_changes_keeps_up(
    painted: Run, visit: Visit
) -> None:
    """Figures of earlier labels stood there as if they were of those of now."""
    write_own_classes(painted.path, [NucleusClass(1, "plasma cell", "#123456")])
    label_some(painted, {"macrophage": "plasma cell"})
    page = open_section(visit("teach"), "Train")
    named(page.button, "Train").click().run()
    assert "press Train again" not in told(page)
    lesson = page.session_state[state.LESSON.name]
    first = lesson.changes[0].changed.iloc[0]
    number, found = int(first["nucleus_id"]), str(first["before"])
    painted.journal().correct([number], [found], found, by="ada")
    page.run()
    assert "Labels were given or taken back after **my-classes** was trained" in told(page)
    fewer = len(lesson.changes[0].changed) - 1
    assert f"would change {fewer:,} of" in told(page)
    named(page.button, "Train").click().run()
    assert "press Train again" not in told(page)
    named(page.button, "Apply").click().run()
    assert "press Train again" not in told(page)
    painted.journal().undo(by="ada")
    page.run()
    assert "press Train again" in told(page)


def test_a_place_of_the_chosen_slide_is_opened_with_what_was_drawn_on_it(
    painted: Run, monkeypatch: pytest.MonkeyPatch, visit: Visit
) -> None:
    """Where another analysis of the slide had been shown, regions that only the session has were lost."""
    label_some(painted, {"macrophage": "lymphocyte"})
    page = open_section(visit("teach"), "Train")
    named(page.button, "Train").click().run()
    (changes,) = page.session_state[state.LESSON.name].changes
    nest = Roi("nest", shapely.box(0, 0, 9, 9))
    slide = state.ChosenSlide(painted.slide_path, 0.3)
    earlier = painted.path.with_name("earlier")
    session = {state.SLIDE.name: slide, state.RUN.name: earlier, state.ROIS.name: (nest,)}
    monkeypatch.setattr(state.st, "session_state", session)
    monkeypatch.setattr(PageEntry, "open", lambda entry: None)
    training._open(changes, 20.0, 30.0)
    assert session[state.ROIS.name] == (nest,)
    assert session[state.SLIDE.name] == slide
    assert session[state.RUN.name] == painted.path
    assert session[state.GO_TO.name].x == 20.0
    session[state.SLIDE.name] = state.ChosenSlide(painted.slide_path.with_name("other.png"))
    training._open(changes, 20.0, 30.0)
    assert state.ROIS.name not in session
    assert session[state.SLIDE.name].path == painted.slide_path


def test_a_classifier_of_another_model_is_refused_in_a_sentence(
    painted: Run, visit: Visit, tmp_path: Path
) -> None:
    label_some(painted)
    classifier = teach(Material((painted,)).labels).classifier
    write_classifier(classifier, tmp_path / "mine.json")
    foreign = json.loads((tmp_path / "mine.json").read_text())
    foreign["model"]["sha256"] = "1" * 64
    page = open_section(visit("teach"), "Files")
    send(page, "A classifier from elsewhere", "foreign.json", json.dumps(foreign).encode())
    assert "was taught on what the model painted sees" in told(page)
    page = open_section(visit("teach"), "Files")
    send(page, "A classifier from elsewhere", "b.json", b"{}")
    assert "b.json is no classifier of nuclei" in told(page)
    page = open_section(visit("teach"), "Files")
    send(page, "A classifier from elsewhere", "mine.json", (tmp_path / "mine.json").read_bytes())
    assert page.session_state[state.LESSON.name].name == "mine"
    assert read_classifier(tmp_path / "mine.json").names == classifier.names


def test_an_error_in_one_column_leaves_what_stands_beside_it(painted: Run, visit: Visit) -> None:
    """A file that was no classifier took the column of labels away."""
    page = open_section(visit("teach"), "Files")
    send(page, "A classifier from elsewhere", "b.json", b"{}")
    assert len(page.error) == 1
    assert [each.value for each in page.subheader] == ["Classifier", "Labels"]
    assert [each.label for each in page.get("file_uploader")][1].startswith("Labels from elsewhere")

    write_own_classes(painted.path, (NucleusClass(1, "melanocyte", "#102030"),))
    page = open_section(page, "Classes")
    named(page.text_input, "Name a class").set_value("melanocyte")
    named(page.button, "Add").click().run()
    assert len(page.error) == 1
    assert "Remove a class" in [each.label for each in page.selectbox]


def test_labels_from_elsewhere_name_their_classes(painted: Run, visit: Visit) -> None:
    row = painted.nuclei().iloc[3]
    page = open_section(visit("teach"), "Files")
    text = f"x,y,class\n{row['x']},{row['y']},melanocyte\n"
    send(page, "Labels from elsewhere", "labels.csv", text.encode())
    assert "1 nucleus was labelled." in told(page)
    assert painted.nuclei().iloc[3]["class_name"] == "melanocyte"
    assert [each.name for each in read_own_classes(painted.path)] == ["melanocyte"]
    page = open_section(page, "Classes")
    assert "melanocyte" in page.dataframe[0].value["Class"].tolist()


def test_a_label_from_elsewhere_takes_back_that_something_is_no_nucleus(
    painted: Run, visit: Visit
) -> None:
    """It was said to be labelled and was not."""
    row = painted.nuclei().iloc[3]
    painted.journal().correct([row["nucleus_id"]], [row["class_name"]], None, by="ada")
    page = open_section(visit("teach"), "Files")
    text = f"x,y,class\n{row['x']},{row['y']},neutrophil\n"
    send(page, "Labels from elsewhere", "labels.csv", text.encode())
    assert "1 nucleus was labelled." in told(page)
    called = painted.nuclei().set_index("nucleus_id")["class_name"]
    assert called[row["nucleus_id"]] == "neutrophil"
    assert painted.journal().said()[row["nucleus_id"]].found == row["class_name"]


def test_who_would_not_be_known_again_changes_no_run_for_all(
    painted: Run, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser without cookies has no place of its own, so its answer became that of all readers."""
    label_some(painted)
    write_classifier(teach(Material((painted,)).labels).classifier, tmp_path / "mine.json")
    monkeypatch.setattr(own_answer, "corrector", lambda: None)
    page = open_section(visit("teach"), "Files")
    send(page, "A classifier from elsewhere", "mine.json", (tmp_path / "mine.json").read_bytes())
    page = open_section(page, "Train")
    named(page.button, "Apply").click().run()
    assert "takes no cookies" in told(page)
    assert painted.classifier is None
    page = open_section(page, "Classes")
    named(page.text_input, "Name a class").set_value("melanocyte")
    named(page.button, "Add").click().run()
    assert "takes no cookies" in told(page)
    assert read_own_classes(painted.path) == ()
    classify(painted, read_classifier(tmp_path / "mine.json"), name="skin")
    page = open_section(page, "Train")
    named(page.button, "Forget").click().run()
    assert "takes no cookies" in told(page)
    assert painted.classifier == "skin"


def test_an_answer_for_all_readers_is_not_offered_to_be_forgotten_by_one_of_them(
    painted: Run, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The button was there, and nothing happened."""
    label_some(painted)
    classifier = teach(Material((painted,)).labels).classifier
    classify(painted, classifier, name="skin")
    own = own_answer.Corrector("reader", tmp_path / "own")
    monkeypatch.setattr(own_answer, "corrector", lambda: own)
    page = open_section(visit("teach"), "Train")
    assert "named by the taught classifier skin" in told(page)
    assert "Forget" not in [button.label for button in page.button]
    classify(own_answer.with_own(painted), classifier, name="mine")
    page.run()
    named(page.button, "Forget").click().run()
    assert own_answer.with_own(painted).classifier == painted.classifier == "skin"


def test_the_page_of_scores_refuses_what_the_classifier_does_not_know(
    painted: Run, visit: Visit
) -> None:
    table = painted.nuclei()
    rows = (
        table[table["class_name"].isin(["epithelial", "macrophage"])].groupby("class_name").head(9)
    )
    labels = Labels(painted, rows["nucleus_id"].to_numpy(), tuple(rows["class_name"]))
    classify(painted, teach([labels], with_anchors=False).classifier, name="skin")
    chosen = state.ChosenSlide(painted.slide_path, painted_slides.MPP)
    page = visit("til_score", slide=chosen)
    for _ in range(60):
        if page.error:
            break
        time.sleep(0.5)
        page.run()
    assert "need lymphocytes, which the taught classifier skin does not tell" in told(page)


def named(elements: Iterable[Any], label: str) -> Any:
    (found,) = [each for each in elements if each.label.startswith(label)]
    return found


def send(page: AppTest, label: str, name: str, content: bytes) -> None:
    """Choose a file and press the button of its form."""
    named(page.file_uploader, label).set_value((name, content, "application/octet-stream"))
    sent = {"A": "Use it", "L": "Take them over"}[label[0]]
    named(page.button, sent).click().run()
    assert not page.exception
