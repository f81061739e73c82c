"""A sample that is no slide of one patient says so wherever its numbers are shown."""

from pathlib import Path

import pytest

from pages.shared import demonstration
from seg_core.store import Run


@pytest.mark.parametrize("page", ["slides", "viewer", "nuclei", "til_score", "evaluate", "teach"])
def test_what_has_to_be_known_of_a_sample_stands_on_each_page_of_it(
    visit, chosen, run: Run, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demonstration, "sample_note", {chosen.path: "It is a mosaic."}.get)
    shown = visit(page, slide=chosen)
    assert [each.value for each in shown.caption if "mosaic" in each.value] == [
        ":material/info: It is a mosaic."
    ]
    monkeypatch.setattr(demonstration, "sample_note", {}.get)
    assert not [each for each in visit(page, slide=chosen).caption if "mosaic" in each.value]


def test_beside_other_slides_a_note_names_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the page of a cohort nobody could tell which of the slides is a mosaic."""
    said: list[str] = []
    paths = [Path("mosaic.tif"), Path("a.svs"), Path("mosaic.tif")]
    monkeypatch.setattr(demonstration, "sample_note", {paths[0]: "It is a mosaic."}.get)
    monkeypatch.setattr(demonstration.st, "caption", said.append)
    demonstration.show_notes(paths)
    demonstration.show_notes(paths[:1])
    assert said == [
        ":material/info: mosaic.tif: It is a mosaic.",
        ":material/info: It is a mosaic.",
    ]
