"""The version and hash of OpenSeadragon are those of the package that npm installs."""

import base64
import graphlib
import hashlib
import json
import re
from pathlib import Path

import pytest

from pages.viewer_page.server import web_files

ROOT = Path(__file__).parents[3]


def test_the_version_is_that_of_package_json() -> None:
    asked = json.loads((ROOT / "package.json").read_text())["dependencies"]["openseadragon"]
    assert f"openseadragon@{asked}/" in web_files.library()["sources"][-1]


def test_the_hash_is_that_of_the_installed_file() -> None:
    installed = web_files.public_files().get("openseadragon.min.js")
    if installed is None:
        pytest.skip("needs npm install")
    digest = base64.b64encode(hashlib.sha384(installed.read_bytes()).digest()).decode()
    assert web_files.library()["integrity"] == f"sha384-{digest}"


def test_every_part_of_the_style_is_sent_with_the_page() -> None:
    parts = (web_files.FOLDER / "style").glob("*.css")
    assert all(part.read_text("utf-8") in web_files.style_of_page() for part in parts)


def test_the_script_of_the_page_imports_nothing() -> None:
    """It has no address that another could be relative to."""
    script = web_files.script_of_page()
    assert "class Channel" in script
    assert "export default function" in script
    assert not re.search(r"^import\b", script, re.MULTILINE)


def test_modules_can_be_brought_one_by_one_where_no_address_leads_to_them() -> None:
    """`mount.js` then puts the address of a blob in place of each name: it must find all of them."""
    imports = {
        name: set(re.findall(r' from "\./([^"]+)";', path.read_text("utf-8")))
        for name, path in web_files.public_files().items()
        if path.parent == web_files.FOLDER
    }
    for name, found in imports.items():
        text = (web_files.FOLDER / name).read_text("utf-8")
        assert len(re.findall(r"^import\b", text, re.MULTILINE)) == len(found)
        assert not re.search(r"^export .* from |\bimport[.(]", text, re.MULTILINE)
    graphlib.TopologicalSorter(imports).prepare()  # none waits for another that waits for it
