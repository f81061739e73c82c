"""What is imported is asked for: nothing comes along only because something else brings it."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import starlette.testclient

ROOT = Path(__file__).parents[1]

# Quantising is done once a model, by who trains it; without nncf it says what to install.
OPTIONAL = {"nncf"}


def named_in(file: Path) -> set[str]:
    """Distributions of a requirements file and of those it includes, as pip compares names."""
    names: set[str] = set()
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            names |= named_in(file.parent / line.removeprefix("-r ").strip())
        elif found := re.match(r"[\w.-]+", line):
            names.add(canonical(found[0]))
    return names


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def modules_imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name.partition(".")[0] for each in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]


def importers(*folders: str) -> dict[str, list[str]]:
    """Files by the foreign modules that they import."""
    paths = [ROOT / "streamlit_app.py"]
    paths += [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    # Tests import their neighbours by a bare name.
    own = {"pages", "seg_core", "tests"} | {path.stem for path in (ROOT / "tests").rglob("*.py")}
    found: dict[str, list[str]] = {}
    for path in paths:
        for module in set(modules_imported(path)) - sys.stdlib_module_names - own:
            found.setdefault(module, []).append(str(path.relative_to(ROOT)))
    return found


@pytest.mark.parametrize(
    ("folders", "requirements", "optional"),
    [
        (("seg_core", "pages"), "requirements-spatialdata.txt", OPTIONAL),
        (("seg_core", "pages", "tests"), "tests/requirements.txt", set()),
    ],
)
def test_what_is_imported_is_named_in_the_requirements(
    folders: tuple[str, ...], requirements: str, optional: set[str]
) -> None:
    """Starlette was once imported and not named: it came only because Streamlit asks for it."""
    named = named_in(ROOT / "requirements.txt") | named_in(ROOT / requirements) | optional
    brought_by = packages_distributions()
    unnamed = {
        module: files
        for module, files in importers(*folders).items()
        if not named & {canonical(each) for each in brought_by.get(module, [module])}
    }
    assert unnamed == {}


def test_the_client_of_the_tests_asks_with_a_package_that_is_named() -> None:
    """With another one Starlette warns, and no test of the routes was even collected."""
    assert starlette.testclient.httpx.__name__ in named_in(ROOT / "tests" / "requirements.txt")


def test_the_licence_of_everything_asked_for_stands_in_the_documents() -> None:
    told = (ROOT / "docs" / "licences.md").read_text("utf-8")
    for file in ("requirements.txt", "requirements-spatialdata.txt"):
        for name in named_in(ROOT / file):
            assert f"| **{name}** |" in told, (
                f"python -m tests.bench.licences > docs/licences.md, {name}"
            )
