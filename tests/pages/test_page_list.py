"""The one list of pages."""

import re
from pathlib import Path

import pytest

from pages.shared.page_list import PAGES, PageEntry

ROOT = Path(__file__).parents[2]


def test_every_page_file_is_in_the_list_and_every_entry_has_its_file() -> None:
    files = {f"pages/{path.name}" for path in (ROOT / "pages").glob("[!_]*.py")}
    assert {each.file for each in PAGES} == files


def test_no_two_pages_have_one_title_or_address() -> None:
    assert (
        len({each.title for each in PAGES}) == len({each.address for each in PAGES}) == len(PAGES)
    )
    assert [each.address for each in PAGES].count("") == 1


def test_no_file_of_a_page_is_named_outside_the_list() -> None:
    """Fifteen places once named them, and a page that was renamed was lost from some."""
    named = {
        str(path.relative_to(ROOT))
        for path in (*(ROOT / "pages").rglob("*.py"), ROOT / "streamlit_app.py")
        if re.search(r'"pages/\w+\.py"', path.read_text("utf-8"))
    }
    assert named == {"pages/shared/page_list.py"}


@pytest.mark.parametrize("entry", PAGES, ids=lambda each: each.title)
def test_every_page_has_the_same_menu_and_its_title_on_top(visit, chosen, entry: PageEntry) -> None:
    page = visit(Path(entry.file).stem, slide=chosen)
    menu = [each.proto.label for each in page.sidebar.get("page_link")]
    assert menu == [each.title for each in PAGES]
