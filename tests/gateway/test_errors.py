"""Nginx refuses in the envelope of the API; what a service says is left alone."""

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import ask, exchange, parse, refusal


def test_a_request_that_is_not_http_is_400(gateway: Gateway) -> None:
    for request in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n",
        b"GET books HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        refusal(parse(exchange(gateway.port, request)), 400, "VALIDATION_ERROR")


def test_no_host_is_400_and_421_for_the_old_protocol(gateway: Gateway) -> None:
    new = exchange(gateway.port, b"GET /health HTTP/1.1\r\n\r\n")
    refusal(parse(new), 400, "VALIDATION_ERROR")
    refusal(ask(gateway.port, "/health", "Host:"), 400, "VALIDATION_ERROR")
    old = exchange(gateway.port, b"GET /health HTTP/1.0\r\n\r\n")
    refusal(parse(old), 421, "NOT_FOUND")


def test_the_old_protocol_is_served_when_it_names_the_host(gateway: Gateway) -> None:
    answer = parse(exchange(gateway.port, b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n"))
    assert answer.json() == {"service": "auth"}


def test_a_method_that_nginx_refuses_is_405_and_names_the_others(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/api/v1/books", method="TRACE")
    refusal(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.header("Allow") == ["GET, HEAD, POST, PUT, DELETE, OPTIONS"]


def test_a_body_over_one_mebibyte_is_413(gateway: Gateway) -> None:
    full = b"x" * (1 << 20)
    assert ask(gateway.port, "/api/v1/books", method="POST", body=full).status == 200
    announced = ask(gateway.port, "/api/v1/books", "Content-Length: 1048577", method="POST")
    refusal(announced, 413, "PAYLOAD_TOO_LARGE")
    sent = ask(gateway.port, "/api/v1/books", method="POST", body=b"x" * 10_000_000)
    refusal(sent, 413, "PAYLOAD_TOO_LARGE")
    assert len(gateway.reached()) == 1


def test_a_body_of_unknown_length_is_counted_too(gateway: Gateway) -> None:
    body = b"100001\r\n" + b"x" * 0x100001 + b"\r\n0\r\n\r\n"
    head = "Transfer-Encoding: chunked", "Expect: 100-continue"
    data = "\r\n".join(["POST /api/v1/books HTTP/1.1", "Host: localhost", *head]).encode()
    answer = exchange(gateway.port, data + b"\r\n\r\n" + body)
    refusal(parse(answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")), 413, "PAYLOAD_TOO_LARGE")
    assert gateway.reached() == []


def test_an_import_may_have_64_mebibytes(gateway: Gateway) -> None:
    path = "/api/v1/books/bulk-import"
    body = b"x" * (3 << 20)
    assert ask(gateway.port, path, method="POST", body=body).status == 200
    [got] = gateway.reached()
    assert got.body == body
    over = ask(gateway.port, path, f"Content-Length: {(64 << 20) + 1}", method="POST")
    refusal(over, 413, "PAYLOAD_TOO_LARGE")


def test_a_long_address_is_414_and_large_headers_are_431(gateway: Gateway) -> None:
    refusal(ask(gateway.port, "/" + "a" * 9000), 414, "PAYLOAD_TOO_LARGE")
    refusal(ask(gateway.port, "/health", "X-Long: " + "a" * 9000), 431, "PAYLOAD_TOO_LARGE")
    many = [f"X-Header-{number}: {'a' * 4000}" for number in range(20)]
    refusal(ask(gateway.port, "/health", *many), 431, "PAYLOAD_TOO_LARGE")


def test_a_token_of_eight_thousand_letters_passes(gateway: Gateway) -> None:
    assert ask(gateway.port, "/health", "Authorization: Bearer " + "a" * 8000).status == 200


def test_a_service_that_hangs_up_is_502(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/api/v1/requests?do=drop", method="POST", body=b"{}")
    refusal(answer, 502, "BAD_GATEWAY")
    assert answer.header("Retry-After") == ["1"]


def test_a_service_that_is_gone_is_502_for_large_imports_too(strict: Gateway) -> None:
    strict.services["book"].kill()
    body = b"x" * (2 << 20)
    answer = ask(strict.port, "/api/v1/books/bulk-import", method="POST", body=body)
    refusal(answer, 502, "BAD_GATEWAY")


def test_a_service_that_keeps_silent_is_504(strict: Gateway) -> None:
    answer = ask(strict.port, "/api/v1/books?do=silence")
    refusal(answer, 504, "SERVICE_UNAVAILABLE")
    assert answer.header("Retry-After") == ["2"]


def test_an_error_without_a_body_for_head(gateway: Gateway) -> None:
    answer = ask(gateway.port, "/nothing", method="HEAD")
    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize("status", [400, 401, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504])
def test_a_services_own_error_passes_untouched(gateway: Gateway, status: int) -> None:
    answer = ask(gateway.port, f"/api/v1/books?status={status}&body=its-own-words")
    assert (answer.status, answer.body) == (status, b"its-own-words")


def test_the_next_request_after_a_restart_is_served_at_once(strict: Gateway) -> None:
    """`strict` lets only four through: the service is not shunned after it failed."""
    delivery = strict.services["delivery"]
    path = "/api/v1/requests"
    assert ask(strict.port, path).status == 200
    delivery.kill()
    refusal(ask(strict.port, path), 502, "BAD_GATEWAY")
    delivery.start()
    assert ask(strict.port, path).status == 200
