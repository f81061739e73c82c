"""What documents and comments name is there: files, headings, commands, options, functions."""

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

import pytest

from seg_core.commands import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "seg_core").rglob("*.md")]
)
USE = ROOT / "docs" / "use.md"

# What changed is told in the words of its time.
OF_TODAY = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]

SOURCES = sorted(
    [
        *(path for folder in ("seg_core", "pages") for path in (ROOT / folder).rglob("*.py")),
        *(ROOT / "tests" / "bench").glob("*.py"),
    ]
)

# Where models lie that people add, and what is kept beside one in an example.
MADE_BY_PEOPLE = {"weights/own", "weights/profiles/mine.json"}

FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
each_of_today = pytest.mark.parametrize("document", OF_TODAY, ids=name_of)


def prose(document: Path) -> str:
    """Return a document without its blocks of code."""
    return FENCED.sub("", document.read_text("utf-8"))


def anchors(document: Path) -> set[str]:
    """Return what a link may name of a document: its headings as GitHub spells them."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(document), re.MULTILINE)
    words = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", each) for each in headings]
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in words}


@each_document
def test_every_link_leads_somewhere(document: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(document)):
        if re.match(r"\w+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = document.parent / file if file else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert lost == []


@each_of_today
def test_every_file_of_the_repository_that_is_named_is_there(document: Path) -> None:
    assert files_not_there(document.read_text("utf-8"), r"[\w./-]*\w") == set()


def files_not_there(text: str, rest: str) -> set[str]:
    """Return which files a text names below the repository's folders that are not there."""
    named = re.findall(rf"(?<![\w./-])((?:docs|pages|seg_core|tests|weights)/{rest})", text)
    return {each for each in named if not (ROOT / each).exists()} - MADE_BY_PEOPLE


def test_every_file_that_the_code_speaks_of_is_there() -> None:
    lost = {}
    for path in SOURCES:
        rest = r"[\w./-]*\.(?:conf|csv|js|json|md|py|sh|toml|txt|yaml)\b"
        if names := files_not_there(path.read_text("utf-8"), rest):
            lost[name_of(path)] = names
    assert lost == {}


def test_everything_that_the_code_refers_to_by_its_full_name_is_there() -> None:
    lost = []
    for path in [*SOURCES, *OF_TODAY]:
        text = path.read_text("utf-8")
        for name in sorted(set(re.findall(r"`((?:seg_core|pages)(?:\.\w+)+)`", text))):
            if not is_there(name):
                lost.append(f"{name_of(path)}: {name}")
    assert lost == []


@each_of_today
def test_what_is_said_to_stand_in_a_file_does(document: Path) -> None:
    """As in: `make_engine` of `seg_core/model/engine_choice.py`."""
    told = re.findall(r"`(\w+)`\s+(?:of|in)\s+`([\w/]+\.py)`", document.read_text("utf-8"))
    for name, file in told:
        assert re.search(rf"\b{name}\b", (ROOT / file).read_text("utf-8")), f"{name} in {file}"


def is_there(name: str) -> bool:
    """Tell whether a module, or something in one, or a field of a class there, has a name."""
    try:
        resolve_name(name)
    except (ImportError, AttributeError):
        of, _, last = name.rpartition(".")
        try:
            fields = getattr(resolve_name(of), "__dataclass_fields__", ())
        except (ImportError, AttributeError):
            return False
        return last in fields
    return True


def commands_in(document: Path) -> Iterator[tuple[str, str]]:
    """Yield each module that a document has Python run, with what is given to it.

    A command goes on in lines that are further in, and ends with the inline code it stands in.
    """
    text = re.sub(r"\n +(?=[\[(-])", " ", document.read_text("utf-8"))
    for module, given in re.findall(r"python -m ((?:seg_core|tests)[\w.]*)([^`\n]*)", text):
        yield module, given.partition(" # ")[0]


@cache
def usage_of_commands() -> dict[str, str]:
    """Return how each command of the program is used, by its name."""
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers()
    for command in COMMANDS:
        command.add_to(subparsers)
    return {name: each.format_usage() for name, each in subparsers.choices.items()}


def options_in(text: str) -> set[str]:
    return set(OPTION.findall(text))


def takes_in(module: str, options: set[str]) -> bool:
    """Tell whether a module of tests names options, by itself or in what it imports from its folder.

    An option may be made of a field's name.
    """
    words = strings_in(module)
    return all(each in words or each[2:].replace("-", "_") in words for each in options)


def strings_in(module: str) -> set[str]:
    """Return all strings and fields of a module and of what it imports from its own folder."""
    path = ROOT / f"{module.replace('.', '/')}.py"
    folder = module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{folder}."):
            found |= strings_in(str(node.module))
    return found


@each_of_today
def test_every_command_that_is_named_takes_the_options_it_is_given(document: Path) -> None:
    for module, given in commands_in(document):
        if module != "seg_core":
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file(), module
            assert takes_in(module, options_in(given)), f"{module}{given}"
        elif command := re.match(r" ([a-z]+)", given):
            usage = usage_of_commands()[command[1]]
            assert options_in(given) <= options_in(usage), f"{module}{given}"


def test_the_list_of_commands_is_whole() -> None:
    """Three commands and a dozen options once stood in no document."""
    told: dict[str, str] = {}
    for module, given in commands_in(USE):
        if module == "seg_core" and (command := re.match(r" ([a-z]+)", given)):
            told[command[1]] = f"{told.get(command[1], '')} {given}"
    usage = usage_of_commands()
    assert set(told) == set(usage)
    of_analyse = options_in(usage["analyse"])
    for name, text in told.items():
        known = options_in(text)
        if "all options of analyse" in text:
            known |= of_analyse
        assert options_in(usage[name]) - known == set(), name


def test_the_words_that_an_option_takes_are_those_in_the_list() -> None:
    """``--engine auto|torch`` in the list is ``--engine {auto,torch}`` in the program."""
    usage = usage_of_commands()
    compared = 0
    for module, given in commands_in(USE):
        command = re.match(r" ([a-z]+)", given)
        if module != "seg_core" or command is None:
            continue
        for option, words in re.findall(r"(--[a-z-]+) ([a-z\d_-]+(?:\|[a-z\d_-]+)+)", given):
            takes = re.search(rf"{option} {{([^}}]*)}}", usage[command[1]])
            if takes is not None:
                compared += 1
                assert set(words.split("|")) == set(takes[1].split(",")), f"{command[1]} {option}"
    assert compared


def test_every_variable_of_the_environment_has_its_row() -> None:
    rows = set(re.findall(r"^\| `(SEG_\w+)`", USE.read_text("utf-8"), re.MULTILINE))
    code = [*(ROOT / "seg_core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    read = {name for path in code for name in re.findall(r"\"(SEG_\w+)\"", path.read_text("utf-8"))}
    assert rows == read
