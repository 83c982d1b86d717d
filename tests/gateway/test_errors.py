"""Errors of Nginx have the envelope of the API; those of services pass unchanged."""

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import assert_error, exchange, parse, send


def test_invalid_http_is_400(gateway: Gateway) -> None:
    for request in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        b"GET books HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        assert_error(parse(exchange(gateway.port, request)), 400, "VALIDATION_ERROR")


def test_missing_host_is_400_and_421_with_http_1_0(gateway: Gateway) -> None:
    new = exchange(gateway.port, b"GET /health HTTP/1.1\r\n\r\n")
    assert_error(parse(new), 400, "VALIDATION_ERROR")
    assert_error(send(gateway.port, "/health", "Host:"), 400, "VALIDATION_ERROR")
    old = exchange(gateway.port, b"GET /health HTTP/1.0\r\n\r\n")
    assert_error(parse(old), 421, "MISDIRECTED_REQUEST")


def test_http_1_0_with_a_host_is_served(gateway: Gateway) -> None:
    response = parse(exchange(gateway.port, b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n"))
    assert response.json() == {"service": "auth"}


def test_trace_is_405_with_the_allowed_methods(gateway: Gateway) -> None:
    response = send(gateway.port, "/api/v1/books", method="TRACE")
    assert_error(response, 405, "METHOD_NOT_ALLOWED")
    assert response.header("Allow") == ["GET, HEAD, POST, PUT, DELETE, OPTIONS"]


def test_body_over_one_mebibyte_is_413(gateway: Gateway) -> None:
    full = b"x" * (1 << 20)
    assert send(gateway.port, "/api/v1/books", method="POST", body=full).status == 200
    announced = send(gateway.port, "/api/v1/books", "Content-Length: 1048577", method="POST")
    assert_error(announced, 413, "PAYLOAD_TOO_LARGE")
    sent = send(gateway.port, "/api/v1/books", method="POST", body=b"x" * 10_000_000)
    assert_error(sent, 413, "PAYLOAD_TOO_LARGE")
    assert len(gateway.reached()) == 1


def test_chunked_body_over_one_mebibyte_is_413(gateway: Gateway) -> None:
    body = b"100001\r\n" + b"x" * 0x100001 + b"\r\n0\r\n\r\n"
    head = "Transfer-Encoding: chunked", "Expect: 100-continue"
    data = "\r\n".join(["POST /api/v1/books HTTP/1.1", "Host: localhost", *head]).encode()
    response = exchange(gateway.port, data + b"\r\n\r\n" + body)
    assert_error(
        parse(response.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")), 413, "PAYLOAD_TOO_LARGE"
    )
    assert gateway.reached() == []


def test_import_body_may_have_64_mebibytes(gateway: Gateway) -> None:
    path = "/api/v1/books/bulk-import"
    body = b"x" * (3 << 20)
    assert send(gateway.port, path, method="POST", body=body).status == 200
    [got] = gateway.reached()
    assert got.body == body
    over = send(gateway.port, path, f"Content-Length: {(64 << 20) + 1}", method="POST")
    assert_error(over, 413, "PAYLOAD_TOO_LARGE")


def test_long_url_is_414_and_large_headers_are_431(gateway: Gateway) -> None:
    assert_error(send(gateway.port, "/" + "a" * 9000), 414, "URI_TOO_LONG")
    assert_error(send(gateway.port, "/health", "X-Long: " + "a" * 9000), 431, "HEADERS_TOO_LARGE")
    many = [f"X-Header-{number}: {'a' * 4000}" for number in range(20)]
    assert_error(send(gateway.port, "/health", *many), 431, "HEADERS_TOO_LARGE")


def test_token_of_eight_thousand_characters_is_accepted(gateway: Gateway) -> None:
    assert send(gateway.port, "/health", "Authorization: Bearer " + "a" * 8000).status == 200


def test_service_that_closes_the_connection_is_502(gateway: Gateway) -> None:
    response = send(gateway.port, "/api/v1/requests?do=drop", method="POST", body=b"{}")
    assert_error(response, 502, "BAD_GATEWAY")
    assert response.header("Retry-After") == ["1"]


def test_unavailable_service_is_502_for_a_large_import(strict: Gateway) -> None:
    strict.services["book"].kill()
    body = b"x" * (2 << 20)
    response = send(strict.port, "/api/v1/books/bulk-import", method="POST", body=body)
    assert_error(response, 502, "BAD_GATEWAY")


def test_service_timeout_is_504(strict: Gateway) -> None:
    response = send(strict.port, "/api/v1/books?do=silence")
    assert_error(response, 504, "SERVICE_UNAVAILABLE")
    assert response.header("Retry-After") == ["2"]


def test_head_error_has_no_body(gateway: Gateway) -> None:
    response = send(gateway.port, "/nothing", method="HEAD")
    assert (response.status, response.body) == (404, b"")


@pytest.mark.parametrize("status", [400, 401, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504])
def test_error_of_a_service_is_unchanged(gateway: Gateway, status: int) -> None:
    response = send(gateway.port, f"/api/v1/books?status={status}&body=its-own-words")
    assert (response.status, response.body) == (status, b"its-own-words")


def test_request_after_a_service_restart_is_served_at_once(strict: Gateway) -> None:
    """Nginx sends requests to a service again as soon as it has restarted."""
    delivery = strict.services["delivery"]
    path = "/api/v1/requests"
    assert send(strict.port, path).status == 200
    delivery.kill()
    assert_error(send(strict.port, path), 502, "BAD_GATEWAY")
    delivery.start()
    assert send(strict.port, path).status == 200
