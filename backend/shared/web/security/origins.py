"""Origins: which web pages may call with the credentials that a browser adds by itself."""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from backend.shared.infra import config

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTP_SCHEMES = {"ws": "http", "wss": "https"}
Origin = tuple[str, str, int]


def is_allowed(connection: HTTPConnection, origin: str) -> bool:
    """Return whether a page's scheme, host and port are this site's or those of a setting."""
    settings = config.http()
    allowed = {_origin_of(url) for url in (settings.public_url, *settings.origins)}
    return _origin_of(origin) in {*allowed, _requested_origin(connection)} - {None}


def _requested_origin(connection: HTTPConnection) -> Origin | None:
    """Return the origin that the client has addressed; the gateway forwards it."""
    headers = connection.headers
    scheme = connection.url.scheme
    scheme = headers.get("x-forwarded-proto") or _HTTP_SCHEMES.get(scheme, scheme)
    host = headers.get("x-forwarded-host") or headers.get("host", "")
    return _origin_of(f"{scheme}://{host}")


def _origin_of(url: str) -> Origin | None:
    """Return scheme, host and port of a URL; None when it is not of the web."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None
