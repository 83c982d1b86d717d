"""Routing by path and host."""

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import assert_error, send

ROUTES = {
    "/health": "auth",
    "/api/v1/docs": "auth",
    "/api/v1/openapi.json": "auth",
    "/api/v1/auth/login": "auth",
    "/api/v1/auth/.well-known/jwks.json": "auth",
    "/api/v1/books": "book",
    "/api/v1/books/bulk-import": "book",
    "/api/v1/books/bulk-import/7/rows": "book",
    "/api/v1/loans": "book",
    "/api/v1/holds/7": "book",
    "/api/v1/requests": "delivery",
    "/api/v1/returns/7": "delivery",
    "/api/v1/deliveries/locations": "delivery",
    "/api/v1/robot/status": "robot",
    "/api/v1/robot/bridge/commands/next": "robot",
    "/api/v1/robot/bridge/stop": "robot",
    "/api/v1/notifications": "notification",
    "/api/v1/notifications/ws": "notification",
}

UNKNOWN = [
    "/",
    "/api",
    "/api/v1",
    "/api/v2/books",
    "/api/v1/bookshelf",
    "/api/v1/robotics",
    "/API/V1/books",
    "/docs",
    "/openapi.json",
    "/metrics",
    "/metrics?x=/api/v1/books",
    "/health/live",
    "/health/ready",
    "/health/",
    "/_gateway/error",
    "/api/v1/books/",
    "/api/v1/auth/login/",
    "/api/v1/notifications/",
]

NON_CANONICAL = [
    "/api/v1/auth/../../metrics",
    "/api/v1/auth/../../../metrics",
    "/api/v1/auth/%2e%2e/%2e%2e/metrics",
    "/api/v1/auth/%2E%2E%2F%2e%2e%2fmetrics",
    "/api/v1/auth/..%2f..%2fmetrics",
    "/api/v1/auth/..%5c..%5cmetrics",
    "/api/v1/auth/..\\..\\metrics",
    "/api/v1/auth/..;/..;/metrics",
    "/api/v1/auth/..",
    "/api/v1/auth/.",
    "/api/v1/./books",
    "/api/v1/books/..?x=1",
    "//metrics",
    "//api/v1/books",
    "/api//v1/books",
    "/api/v1/books//x",
    "/api/v1/books/bulk-import/../../auth/login",
    "/api/v1/books//bulk-import",
    "/api/v1/notifications/%2fws",
    "/metrics/../api/v1/auth/login",
    "/health/ready/../../health",
    "/%6detrics",
    "/health%2fready",
    "/api/v1/books%2f..%2f..%2fmetrics",
    "http://localhost//metrics",
    "http://localhost/metrics",
    "http://localhost/api/v1/auth/../../metrics",
]


@pytest.mark.parametrize(("path", "service"), ROUTES.items())
def test_known_path_reaches_its_service_unchanged(
    gateway: Gateway, path: str, service: str
) -> None:
    assert send(gateway.port, f"{path}?q=a%2Fb//c").json() == {"service": service}
    [got] = gateway.reached()
    assert got.target == f"{path}?q=a%2Fb//c"


@pytest.mark.parametrize("path", UNKNOWN)
def test_unknown_path_is_404_and_reaches_no_service(gateway: Gateway, path: str) -> None:
    assert_error(send(gateway.port, path), 404, "NOT_FOUND")
    assert gateway.reached() == []


@pytest.mark.parametrize("path", NON_CANONICAL)
def test_non_canonical_path_reaches_no_service(gateway: Gateway, path: str) -> None:
    response = send(gateway.port, path)
    assert response.status in {400, 404}
    assert_error(
        response, response.status, {400: "VALIDATION_ERROR", 404: "NOT_FOUND"}[response.status]
    )
    assert gateway.reached() == []


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_every_method_of_the_api_reaches_the_service(gateway: Gateway, method: str) -> None:
    assert send(gateway.port, "/api/v1/books", method=method).status == 200
    assert [got.method for got in gateway.reached()] == [method]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1", "luna.example:80"])
def test_configured_host_is_served(gateway: Gateway, host: str) -> None:
    assert send(gateway.port, "/health", f"Host: {host}").status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "10.0.0.1", "_"])
def test_unknown_host_is_421(gateway: Gateway, host: str) -> None:
    assert_error(send(gateway.port, "/health", f"Host: {host}"), 421, "MISDIRECTED_REQUEST")
    assert gateway.reached() == []


def test_unknown_host_in_an_absolute_url_is_421(gateway: Gateway) -> None:
    assert_error(send(gateway.port, "http://evil.example/health"), 421, "MISDIRECTED_REQUEST")
    assert gateway.reached() == []
