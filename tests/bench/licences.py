"""The licences of all packages that the requirements bring, as docs/licences.md has them.

    python -m tests.bench.licences > docs/licences.md

Reads what the installed packages say of themselves, nothing from the network.
"""

import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FILES = ("requirements.txt", "requirements-spatialdata.txt")

_HEAD = """# Licences of what the program uses

Printed by `python -m tests.bench.licences`, from what the installed packages say of themselves; **bold** is what the requirements
ask for, the others are brought by these. Packages for other systems than this one (Linux) are missing. The weights and the data that
they learned from have licences of their own: see [models](models.md).

| package | licence |
|---|---|
"""


def licences() -> dict[str, tuple[str, bool]]:
    """Return the licence of each package, and whether it is asked for directly."""
    direct = [name for file in FILES for name in _asked_in(ROOT / file)]
    found: dict[str, tuple[str, bool]] = {}
    waiting = [(name, True) for name in direct]
    while waiting:
        name, is_direct = waiting.pop(0)
        key = name.lower().replace("_", "-")
        if key in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:  # for another system, or an option
            continue
        found[key] = (_licence_of(package), is_direct)
        wanted = (Requirement(each) for each in package.requires or [])
        waiting += [
            (each.name, False)
            for each in wanted
            if each.marker is None or each.marker.evaluate({"extra": ""})
        ]
    return found


def as_markdown() -> str:
    """Return the whole document."""
    rows = [
        f"| {f'**{name}**' if direct else name} | {licence} |"
        for name, (licence, direct) in sorted(licences().items())
    ]
    return _HEAD + "\n".join(rows) + "\n"


def _asked_in(file: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return [Requirement(line).name for line in lines if line and not line.startswith("-")]


def _licence_of(package: Distribution) -> str:
    facts = package.metadata
    named = [
        each.rpartition(" :: ")[2]
        for each in facts.get_all("Classifier") or []
        if each.startswith("License :: ") and not each.endswith("OSI Approved")
    ]
    stated = dict(facts.items())  # type: ignore[attr-defined] # it is a Message, which has them
    said = stated.get("License-Expression") or ", ".join(named) or stated.get("License") or ""
    line = next((each.strip() for each in said.splitlines() if each.strip()), "")
    return line[:200].replace("|", "/") or "says none; see its own pages"


def main() -> int:
    """Print the document."""
    sys.stdout.write(as_markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main())
