"""Requests that two parsers could read differently are rejected."""

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.raw_http import assert_error, exchange, parse

HEAD = b"POST /api/v1/books HTTP/1.1\r\nHost: localhost\r\n"
INNER = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
CORPUS = {
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    + INNER,
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"
    + INNER,
    "two lengths": b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + INNER,
    "two equal lengths": b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + INNER,
    "a list of lengths": b"Content-Length: 0, 44\r\n\r\n" + INNER,
    "a signed length": b"Content-Length: +0\r\n\r\n" + INNER,
    "a negative length": b"Content-Length: -1\r\n\r\n" + INNER,
    "a hexadecimal length": b"Content-Length: 0x2c\r\n\r\n" + INNER,
    "a space before the colon": b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER,
    "a tab before the colon": b"Content-Length\t: 44\r\n\r\n" + INNER,
    "two encodings": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + INNER,
    "encoding twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"
    + INNER,
    "an unknown encoding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + INNER,
    "a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + INNER,
    "a bad chunk": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n" + INNER,
    "a huge chunk": b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n" + INNER,
    "two hosts": b"Host: evil.example\r\n\r\n" + INNER,
    "a null in a header": b"X-A: b\x00c\r\n\r\n" + INNER,
    "a folded header": b"X-A: b\r\n Content-Length: 44\r\n\r\n" + INNER,
    "a bare return": b"X-A: b\rContent-Length: 44\r\n\r\n" + INNER,
}


@pytest.mark.parametrize("attack", CORPUS.values(), ids=CORPUS)
def test_ambiguous_request_gets_one_400_and_a_closed_connection(
    gateway: Gateway, attack: bytes
) -> None:
    response = exchange(gateway.port, HEAD + attack)
    assert response.count(b"HTTP/1.1 ") == 1
    assert_error(parse(response), 400, "VALIDATION_ERROR")
    assert gateway.reached() == []


def test_body_is_never_parsed_as_a_request(gateway: Gateway) -> None:
    length = f"Content-Length: {len(INNER)}\r\nConnection: close\r\n\r\n".encode()
    response = exchange(gateway.port, HEAD + length + INNER)
    assert response.count(b"HTTP/1.1 ") == 1
    assert [(got.method, got.body) for got in gateway.reached()] == [("POST", INNER)]
