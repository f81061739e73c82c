"""The version and hash of OpenSeadragon are those of the package that npm installs."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from pages.shared import viewer_files

ROOT = Path(__file__).parents[2]


def test_the_version_is_that_of_package_json() -> None:
    asked = json.loads((ROOT / "package.json").read_text())["dependencies"]["openseadragon"]
    assert f"openseadragon@{asked}/" in viewer_files.library()["sources"][-1]


def test_the_hash_is_that_of_the_installed_file() -> None:
    installed = viewer_files.public_files().get("openseadragon.min.js")
    if installed is None:
        pytest.skip("needs npm install")
    digest = base64.b64encode(hashlib.sha384(installed.read_bytes()).digest()).decode()
    assert viewer_files.library()["integrity"] == f"sha384-{digest}"
