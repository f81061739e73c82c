"""Names are shown as they are, whatever Markdown they hold."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pages.shared import resources, state
from pages.shared.literal import literal, printable
from seg_core.roi import Roi

# As far as Streamlit's Markdown goes beyond CommonMark: tables, struck-out words, bare addresses.
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})

PICTURE = "![x](http://elsewhere.example/p.png) **b** $x$ :red[r] :smile: a -> b _i_"


def shown(markdown: str) -> str:
    """What is read of a text; fails where anything else than letters comes of it."""
    (_, inline, _) = MARKDOWN.parse(markdown)
    assert inline.children is not None
    assert {child.type for child in inline.children} <= {"text", "text_special", "html_inline"}
    return "".join(child.content for child in inline.children)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_any_name_is_read_as_it_is(name: str) -> None:
    name = name.strip()
    assert shown(literal(name)).replace("\N{WORD JOINER}", "") == printable(name).strip()


@pytest.mark.parametrize("name", ["a -> b", "a -- b", "x >= 2", ":smile:", ":+1:"])
def test_what_streamlit_replaces_after_reading_is_kept_apart(name: str) -> None:
    assert shown(literal(name)) != name
    assert shown(literal(name)).replace("\N{WORD JOINER}", "") == name


def test_bytes_that_are_no_letters_are_shown_by_number() -> None:
    assert printable("lat\udce9\0.png") == "lat\\udce9\\x00.png"
    literal("lat\udce9.png").encode("utf-8")


def test_a_slide_with_markdown_for_a_name_is_shown_by_it(visit, slide_path, tmp_path) -> None:
    path = tmp_path / (PICTURE.replace("/", "∕") + ".png")
    path.write_bytes(slide_path.read_bytes())
    page = visit("slides", slide=state.ChosenSlide(path, 0.25))
    (head,) = page.subheader
    assert shown(head.value).replace("\N{WORD JOINER}", "") == path.name


def test_a_slide_whose_name_is_no_utf8_can_be_chosen_beside_others(
    visit, slide_path, tmp_path, monkeypatch
) -> None:
    odd = tmp_path / "lat\udce9.png"
    odd.write_bytes(slide_path.read_bytes())
    (tmp_path / "plain.png").write_bytes(slide_path.read_bytes())
    monkeypatch.setenv("SEG_SLIDE_DIR", str(tmp_path))
    page = visit("slides")
    page.session_state["_place"] = "Folder"
    page.run()
    assert not page.exception
    (slides,) = (each for each in page.selectbox if each.label == "Slide")
    assert slides.options == ["lat\\udce9.png", "plain.png"]
    page.session_state["slide"] = state.ChosenSlide(odd, 0.25)
    page.run()
    assert not page.exception
    assert "udce9" in page.subheader[0].value
    page.switch_page("pages/viewer.py").run()
    assert not page.exception


def test_a_region_with_markdown_for_a_name_is_shown_by_it(visit, run, chosen, monkeypatch) -> None:
    import shapely

    from seg_core.store.rois import keep_rois

    monkeypatch.setenv("SEG_LOCAL", "1")
    name = PICTURE[:60]
    keep_rois(
        Path(run.path).parents[1],
        resources.identity(chosen.path),
        [Roi(name, shapely.box(0, 0, 300, 300))],
    )
    page = visit("til_score", slide=chosen)
    part = next(each for each in page.sidebar.selectbox if each.label == "Scored part")
    assert name in part.options
    assert not any("![x](" in each.value for each in (*page.markdown, *page.caption, *page.error))


@pytest.mark.parametrize(
    "name", ["cmu_small_region.svs", "S-12 a.b (2).tif", "fold, 2", "病人.tif"]
)
def test_an_ordinary_name_is_left_as_it_is(name: str) -> None:
    assert literal(name) == name


@pytest.mark.parametrize(
    ("name", "markdown"),
    [
        ("*a*", r"\*a\*"),
        ("_a_", r"\_a\_"),
        ("a__b", r"a\_\_b"),
        ("[a](b)", r"\[a\](b)"),
        ("<b>", r"\<b\>"),
        ("$x$", r"\$x\$"),
        (":red[a]", "\\:\u2060red\\[a\\]"),
        ("`a`", r"\`a\`"),
        ("1. a", r"1\. a"),
        ("- a", r"\- a"),
        ("# a", r"\# a"),
        ("a\\*", r"a\\\*"),
    ],
)
def test_what_markdown_would_read_is_written_out(name: str, markdown: str) -> None:
    assert literal(name) == markdown


# What people have given a name, as attributes and as words of the code that shows it.
GIVEN_NAMES = {"name", "group", "patient"}
MARKDOWN_CALLS = {
    *("markdown", "caption", "write", "button", "info", "warning", "error", "success", "toast"),
    *("subheader", "header", "title", "progress", "checkbox", "expander", "link_button"),
}


def names_shown_as_markdown(file: Path) -> list[str]:
    """Return the f-strings of calls that show Markdown into which a given name goes as it is."""
    found = []
    for call in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in MARKDOWN_CALLS
        ):
            continue
        texts = [each for each in call.args if isinstance(each, ast.JoinedStr)]
        for value in (each for text in texts for each in text.values):
            inside = value.value if isinstance(value, ast.FormattedValue) else None
            if not (isinstance(inside, ast.Attribute) and inside.attr in GIVEN_NAMES):
                continue
            if not (isinstance(inside.value, ast.Name) and inside.value.id.isupper()):  # ours
                found.append(f"{file.name}:{call.lineno}: {ast.unparse(inside)}")
    return found


def test_no_page_writes_a_given_name_into_markdown() -> None:
    """A file's or a classifier's name was shown as Markdown on the Teach page."""
    pages = Path(__file__).parents[2] / "pages"
    found = [each for file in pages.rglob("*.py") for each in names_shown_as_markdown(file)]
    assert found == []


def test_tables_become_csv_in_one_way_alone() -> None:
    """What bypasses it holds formulas: two downloads of the Cohort page did."""
    root = Path(__file__).parents[2]
    calls = [
        file.relative_to(root).as_posix()
        for folder in ("pages", "seg_core")
        for file in (root / folder).rglob("*.py")
        if ".to_csv(" in file.read_text("utf-8")
    ]
    assert calls == ["seg_core/files/csv.py"]
