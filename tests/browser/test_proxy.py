"""Behind a reverse proxy, under a path of its own."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect
from serving import serve_dashboard
from viewing import draw_rectangle, open_sample

from tests.browser.starting import free_port, wait_until_answered

pytestmark = pytest.mark.browser

BASE = "lab/nuclei"

CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location /{base}/ {{
            proxy_pass {dashboard}/;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
        }}
    }}
}}
"""


def test_everything_loads_below_the_path(page: Page, tmp_path: Path) -> None:
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("needs nginx")
    port, file = free_port(), tmp_path / "nginx.conf"
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    with serve_dashboard(tmp_path, BASE) as dashboard:
        file.write_text(
            CONFIGURATION.format(folder=tmp_path, port=port, base=BASE, dashboard=dashboard)
        )
        address, log = f"http://localhost:{port}/{BASE}", tmp_path / "error.log"
        with subprocess.Popen([nginx, "-c", file, "-p", tmp_path, "-e", log]) as proxy:
            try:
                wait_until_answered(f"{address}/_stcore/health", proxy, log)
                viewer = open_sample(page, f"{address}/")
                draw_rectangle(page, viewer)
                expect(page.get_by_text("Rectangle of")).to_be_visible()
                page.wait_for_url(re.compile(rf"{address}/viewer\?slide="))
                page.reload()
                expect(viewer.get_by_role("button", name="Region Region 1")).to_be_visible()
            finally:
                proxy.terminate()
    own = [answer for answer in answers if "/app/static/" in answer.url]
    assert own
    assert {answer.status for answer in own} <= {200, 304}
    assert all(answer.url.startswith(f"{address}/app/static/") for answer in own)
