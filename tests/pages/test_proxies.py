"""Whatever a proxy calls itself, a request that it hands on is known as such."""

import pytest

from pages.shared.proxies import is_by_tls, is_handed_on

BROWSERS = {
    "Host": "localhost:8501",
    "Origin": "http://localhost:8501",
    "User-Agent": "Mozilla/5.0",
    "Accept": "*/*",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "de",
    "Cookie": "seg_reader=1",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "a",
    "Sec-Fetch-Site": "same-origin",
    "Sec-CH-UA": "Chromium",
    "Sec-GPC": "1",
    "DNT": "1",
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Range": "bytes=0-",
    "If-None-Match": "a",
    "X-Requested-With": "XMLHttpRequest",
    "X-Xsrftoken": "1",
    "X-Streamlit-User": "a",
}


def test_a_browser_alone_is_no_proxy() -> None:
    assert not is_handed_on(BROWSERS)


@pytest.mark.parametrize(
    "name",
    [
        *("X-Forwarded-For", "X-Forwarded-Server", "X-Forwarded-Port", "X-Forwarded-Prefix"),
        *("X-Real-IP", "Forwarded", "Via", "X-Original-Forwarded-For", "X-Envoy-External-Address"),
        *("CF-Connecting-IP", "CF-Ray", "True-Client-IP", "X-Client-IP", "X-Cluster-Client-IP"),
        *(
            "Fly-Client-IP",
            "Fastly-Client-IP",
            "X-Amzn-Trace-Id",
            "X-Amz-Cf-Id",
            "X-Azure-ClientIP",
        ),
        *("X-ARR-LOG-ID", "X-AppEngine-User-IP", "Tailscale-User-Login", "X-Auth-Request-Email"),
        *("Remote-User", "X-Remote-User", "CDN-Loop", "X-ProxyContextPath", "X-Scheme"),
        *("Cloudfront-Viewer-Address", "Ngrok-Trace-Id", "x_forwarded_for", "x-real-ip"),
    ],
)
def test_each_way_to_say_it_counts(name: str) -> None:
    assert is_handed_on({**BROWSERS, name: "203.0.113.9"})


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Proto": "https"},
        {"x-forwarded-proto": "HTTPS, http"},
        {"X-Forwarded-Protocol": "https"},
        {"X-Forwarded-Scheme": "https"},
        {"X-Scheme": "https"},
        {"X-Forwarded-Ssl": "on"},
        {"Front-End-Https": "on"},
        {"X-ARR-SSL": "2048|256|C=US"},
        {"Forwarded": "for=203.0.113.9; proto=https; by=203.0.113.1"},
        {"Forwarded": 'by="[::1]";Proto="https", for=203.0.113.1;proto=http'},
        {"CloudFront-Forwarded-Proto": "https"},
    ],
)
def test_tls_before_a_proxy_is_seen(headers: dict[str, str]) -> None:
    assert is_by_tls({**BROWSERS, **headers}, "http")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Forwarded-Proto": "http"},
        {"X-Forwarded-Ssl": "off"},
        {"Forwarded": "for=203.0.113.9"},
        {"Forwarded": "proto=http"},
    ],
)
def test_what_is_not_tls_is_not(headers: dict[str, str]) -> None:
    assert not is_by_tls({**BROWSERS, **headers}, "http")
    assert is_by_tls(BROWSERS, "https")
