"""A slide that is analysed anew, with other ids of nuclei: what pages keep of the run before is not shown."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import resources
from seg_core.analysis import analyse
from seg_core.store import Run
from seg_core.teaching.apply import classify
from seg_core.teaching.labels import corrected_labels
from seg_core.teaching.teach import teach
from tests.seg_core import painted_slides
from tests.seg_core.painted_slides import MPP, SMALL_TILES
from tests.stand_in import stand_in


@pytest.fixture
def painted(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run of a painting, on the reader's own machine."""
    monkeypatch.setenv("SEG_LOCAL", "1")
    stand_in(monkeypatch, painted_slides.CARD, painted_slides.make_painted_engine)
    path = painted_slides.paint(500, 500).save(tmp_path / "painted.png")
    return analyse(path, store, mpp=MPP, settings=SMALL_TILES)


@pytest.fixture
def made_anew(painted: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Run]:
    def make() -> Run:
        stand_in(monkeypatch, painted_slides.CARD, lambda *_: painted_slides.BlindInTheCorner())
        nuclei = painted.path / "nuclei.parquet"
        nuclei.write_bytes(nuclei.read_bytes()[:-100])
        again = analyse(painted.slide_path, store, mpp=MPP, settings=SMALL_TILES)
        assert again.path == painted.path
        assert again.nuclei_checksum != painted.nuclei_checksum
        return again

    return make


def seen(run: Run) -> list[object]:
    """What pages show of a run's last nucleus, by its place."""
    last = run.nuclei().iloc[-1]
    found = resources.nucleus_index(run).at(last["x"], last["y"], run.scheme.names_with_other)
    return [
        found == last["nucleus_id"],
        resources.known(run).table["nucleus_id"].tolist() == run.nuclei()["nucleus_id"].tolist(),
        sum(resources.counts(run, 0.0).values()) == len(run.nuclei()),
    ]


@pytest.mark.parametrize("corrected", [False, True])
def test_pages_show_the_nuclei_that_are_there(
    painted: Run, made_anew: Callable[[], Run], *, corrected: bool
) -> None:
    if corrected:
        last = painted.nuclei().iloc[-1]
        painted.journal().correct([last["nucleus_id"]], [last["class_name"]], "other", by="ada")
    assert seen(painted) == [True] * 3
    assert seen(made_anew()) == [True] * 3


def test_teach_tells_of_a_classifier_that_is_to_be_applied_again(
    painted: Run, made_anew: Callable[[], Run], visit: Callable[..., AppTest]
) -> None:
    for name, rows in painted.nuclei().groupby("class_name"):
        ids = rows["nucleus_id"].tolist()[:12]
        painted.journal().correct(ids, [str(name)] * len(ids), str(name), by="ada")
    classify(painted, teach([corrected_labels(painted)]).classifier, name="skin")
    again = made_anew()
    assert again.classifier is None
    page = visit("teach")
    page.session_state["_teach_section"] = "Train"
    page.run()
    assert not page.exception
    (warning,) = (each.value for each in page.warning if "skin" in each.value)
    assert "named the nuclei of an earlier analysis; apply it again" in warning
    assert "named by the taught classifier" not in str([each.value for each in page.success])
    next(each for each in page.button if each.label == "Forget").click().run()
    assert not page.exception
    assert again.outdated_classifier is None
