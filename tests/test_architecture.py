"""The page on the architecture against the code that it describes."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    """Return what stands below a heading."""
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str) -> list[list[str]]:
    """Return the names in the first column of a table, by row."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return [re.findall(r"`([^`]+)`", row) for row in rows]


def test_the_rooms_are_those_of_the_import_contract_in_its_order() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(
        each["layers"]
        for each in contracts["tool"]["importlinter"]["contracts"]
        if each["name"] == "one direction inside seg_core"
    )
    by_contract = [
        sorted(name.strip().removeprefix("seg_core.") for name in row.split("|")) for row in layers
    ]
    on_page = [
        sorted(name.removesuffix(".py") for name in row) for row in first_cells(section("seg_core"))
    ]
    assert on_page == by_contract


def test_every_room_of_the_code_has_its_line() -> None:
    named = {name for row in first_cells(section("seg_core")) for name in row} | {"samples"}
    there = {each.parent.name for each in (ROOT / "seg_core").glob("*/__init__.py")}
    there |= {each.name for each in (ROOT / "seg_core").glob("[!_]*.py")}
    assert named == there


def test_every_folder_of_the_pages_has_its_line() -> None:
    named = {name for row in first_cells(section("pages")) for name in row}
    assert named == {each.parent.name for each in (ROOT / "pages").glob("*/__init__.py")}


def test_every_file_that_is_said_to_hold_a_list_is_there() -> None:
    files = re.findall(r"`([^`]+\.py)`", section("Where lists stand"))
    assert files
    assert [each for each in files if not (ROOT / each).is_file()] == []
