"""Every page opens without an error, however the dashboard is started."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.starting import README_COMMAND, ROOT, serve

pytestmark = pytest.mark.browser

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def image_command() -> list[str]:
    """The start command of the image, word for word; its streamlit is the one of these tests."""
    (script,) = re.findall(r'^CMD \["sh", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)
    own = Path(sys.executable).parent
    return ["sh", "-c", f'PATH="{own}:$PATH"; ' + script.replace('\\"', '"')]


def image_folder(folder: Path) -> Path:
    """What `COPY . .` puts into the image, OpenSeadragon included."""
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if line.startswith("!"):
            source, target = ROOT / line[1:], folder / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
    (folder / "node_modules").symlink_to((ROOT / "node_modules").resolve())
    return folder


@pytest.mark.parametrize("prefix", ["", "pathology/nuclei"])
@pytest.mark.parametrize("way", ["readme", "image"])
def test_all_pages_open_without_an_error(way: str, prefix: str, page: Page, tmp_path: Path) -> None:
    store = {"SEG_STORE": str(tmp_path / "store"), "SEG_LOG": "json"}
    command, folder = README_COMMAND, ROOT
    if way == "image":
        command, folder = image_command(), image_folder(tmp_path / "app")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    with serve(tmp_path / "log.txt", command, folder=folder, prefix=prefix, environment=store) as (
        address,
        _,
    ):
        page.goto(f"{address}/")
        page.get_by_role("button", name="Choose").first.click()
        with page.expect_response(lambda answer: "/slide/" in answer.url) as tile:
            page.get_by_role("button", name="Open in the viewer").click()
        assert tile.value.headers["content-type"] == "image/jpeg"
        for link in page.locator("a[data-testid=stPageLink-NavLink]").all_inner_texts():
            page.get_by_role("link", name=link.split("\n")[-1], exact=False).first.click()
            expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
            expect(page.get_by_test_id("stException")).to_have_count(0)
            expect(page.get_by_test_id("stAlertContentError")).to_have_count(0)
    assert not errors
    assert "Traceback" not in (tmp_path / "log.txt").read_text("utf-8")
