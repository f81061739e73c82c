"""What a proxy in front of this server adds to a request.

No standard says which headers that are; these are what servers, clouds and tunnels are known to write,
and no browser writes any of them by itself.
"""

from collections.abc import Mapping

_NAMES = frozenset(
    {
        *("forwarded", "via", "cdn-loop", "client-ip", "true-client-ip", "x-client-ip"),
        *("x-cluster-client-ip", "x-real-ip", "x-real-port", "x-scheme", "x-url-scheme"),
        *("x-script-name", "x-proxycontextpath", "front-end-https", "x-proxyuser-ip"),
        *("remote-user", "remote-groups", "x-remote-user", "x-forwarder-for", "x-gateway-host"),
    }
)
_BEGINNINGS = (
    *("x-forwarded", "x-original-", "x-proxy-", "x-envoy-", "x-amz", "x-azure-", "x-arr-"),
    *("x-appengine-", "x-appgw-", "x-goog-", "x-ms-", "x-auth-request-", "x-authentik-"),
    *("x-vercel-", "x-nginx-", "x-haproxy-", "x-traefik-", "x-varnish", "x-jupyter", "cf-"),
    *("cloudfront-", "fastly-", "fly-", "ngrok-", "tailscale-", "akamai-"),
)

_SCHEMES = (
    *("x-forwarded-proto", "x-forwarded-protocol", "x-forwarded-scheme", "x-scheme"),
    *("x-url-scheme", "cloudfront-forwarded-proto", "x-appengine-https"),
)
_SWITCHES = ("x-forwarded-ssl", "front-end-https", "x-arr-ssl")


def is_handed_on(headers: Mapping[str, str]) -> bool:
    """Tell whether a request came by a proxy that says so, by any of its headers.

    Examples
    --------
    >>> is_handed_on({"Host": "localhost", "X-Forwarded-Server": "web"})
    True
    >>> is_handed_on({"Host": "localhost", "Origin": "http://localhost"})
    False
    """
    names = [name.lower().replace("_", "-") for name in headers]
    return any(name in _NAMES or name.startswith(_BEGINNINGS) for name in names)


def is_by_tls(headers: Mapping[str, str], scheme: str) -> bool:
    """Tell whether a browser reaches this server by TLS, as the outermost proxy says.

    Parameters
    ----------
    headers : mapping
        Names in any case.
    scheme : str
        That of the request as it has come here.

    Examples
    --------
    >>> is_by_tls({"Forwarded": 'for=203.0.113.9;proto="https"'}, "http")
    True
    """
    said = {name.lower(): value.split(",")[0].strip().lower() for name, value in headers.items()}
    parts = (each.partition("=") for each in said.get("forwarded", "").split(";"))
    schemes = [value.strip('" ') for name, _, value in parts if name.strip() == "proto"]
    schemes += [said[name] for name in _SCHEMES if name in said] or [scheme]
    return any(each in ("https", "wss", "on") for each in schemes) or any(
        said.get(name, "off") not in ("off", "0", "") for name in _SWITCHES
    )
