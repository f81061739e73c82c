"""Docstrings against the signatures that they describe."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_functions() -> Iterator[tuple[str, Function, str]]:
    """Yield each public function and method of the program by its place, with its docstring."""
    for folder in ("seg_core", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node, owner in functions_in(ast.parse(path.read_text("utf-8"))):
                docstring = ast.get_docstring(node)
                if docstring is not None:
                    place = f"{path.relative_to(ROOT).as_posix()}: {owner}{node.name}"
                    yield place, node, docstring


def functions_in(
    tree: ast.Module | ast.ClassDef, owner: str = ""
) -> Iterator[tuple[Function, str]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from functions_in(node, f"{node.name}.")
        elif isinstance(node, Function) and not node.name.startswith("_"):
            yield node, owner


def parameters_of(node: Function) -> list[str]:
    given = node.args
    all_given = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    all_given += [each for each in (given.vararg, given.kwarg) if each is not None]
    return [each.arg for each in all_given if each.arg not in ("self", "cls")]


def parameters_told(docstring: str) -> list[str] | None:
    """Return the names in the section on parameters, None where there is none."""
    found = re.search(
        r"^Parameters\n-+\n(.*?)(?=^[^\n]+\n---|\Z)", docstring, re.MULTILINE | re.DOTALL
    )
    if found is None:
        return None
    lines = re.findall(r"^(\*{0,2}\w[^:\n]*?)(?: :.*)?$", found[1], re.MULTILINE)
    return [name.strip(" *") for line in lines for name in line.split(",")]


def test_parameters_that_are_told_are_those_of_the_signature() -> None:
    compared = 0
    wrong = []
    for place, node, docstring in public_functions():
        told = parameters_told(docstring)
        if told is not None:
            compared += 1
            if sorted(told) != sorted(parameters_of(node)):
                wrong.append(place)
    assert wrong == []
    assert compared
