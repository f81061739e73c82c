from pathlib import Path

import pytest

from pages.shared.page_list import PAGES, PageEntry


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.title)
def test_every_page_tells_how_to_use_it_and_what_the_model_learnt(visit, entry: PageEntry) -> None:
    page = visit(Path(entry.file).stem)
    shown = "\n".join(each.value for each in page.markdown)
    assert "How to use it" in shown
    assert all(f"**{each.title}** – {each.manual.strip()[:20]}" in shown for each in PAGES)
    assert "Compare with your own eyes" in shown
    assert "The model: " in shown


def test_a_missing_model_is_one_sentence_in_the_help(
    visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEG_MODEL", "nobody's")
    page = visit("slides")
    assert any("there is no model" in each.value for each in page.error)
