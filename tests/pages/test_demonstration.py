"""A sample that is no slide of one patient says so wherever its numbers are shown."""

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
