"""Fifty borrowers of one copy over three protocols, and SIGTERM during two hundred calls."""

import asyncio
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import httpx
from sqlalchemy import Engine, text

from ops.servers import probes
from tests.api.rpc import foreign_stubs
from tests.api.rpc.clients import Client, GrpcWeb, NativeGrpc
from tests.api.rpc.conftest import Stack, running
from tests.api.rpc.connect_json import LIBRARY
from tests.factories import catalogue, users
from tests.ops.conftest import eventually

_CALLS = 200
_BORROWERS = 50


class _Connect:
    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def borrow(self, book: str, member: str, headers: dict[str, str]) -> bool:
        body = {"memberId": member, "bookId": book}
        return self._http.post(f"/{LIBRARY}/BorrowBook", json=body, headers=headers).is_success


class _Rest:
    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def borrow(self, book: str, member: str, headers: dict[str, str]) -> bool:
        body = {"user_id": member, "book_id": book}
        return self._http.post("/api/v1/loans", json=body, headers=headers).is_success


class _Rpc:
    def __init__(self, client: Client) -> None:
        self._client = client

    def borrow(self, book: str, member: str, headers: dict[str, str]) -> bool:
        body = {"memberId": member, "bookId": book}
        return self._client.call(f"{LIBRARY}/BorrowBook", body, headers).code == "ok"


def test_fifty_borrowers_over_mixed_protocols_get_one_loan(stack: Stack, owner: Engine) -> None:
    book = str(catalogue.add_book())
    headers = users.librarian().headers
    members = [str(users.student().id) for _ in range(_BORROWERS)]
    native = NativeGrpc(stack)
    with (
        ThreadPoolExecutor(_BORROWERS) as pool,
        httpx.Client(base_url=stack.address, timeout=30) as http,
    ):
        kinds: list[Any] = [_Rest(http), _Connect(http), _Rpc(native), _Rpc(GrpcWeb(stack))]
        won = list(
            pool.map(
                lambda each: kinds[each[0] % len(kinds)].borrow(book, each[1], headers),
                enumerate(members),
            )
        )
    native.close()
    assert won.count(True) == 1
    with owner.connect() as connection:
        loans = connection.execute(text("SELECT count(*) FROM loans")).scalar_one()
    assert loans == 1


def test_sigterm_during_200_calls_fails_none_that_was_accepted(
    servers: dict[str, str], api: Any, owner: Engine
) -> None:
    headers = users.librarian().headers
    with running(servers, ["book"]) as own:
        codes = asyncio.run(_calls_until_sigterm(own, owner, headers))
        assert own.processes["book"].wait(30) in {0, -signal.SIGTERM}  # uvicorn raises it again
    with owner.connect() as connection:
        written = connection.execute(text("SELECT count(*) FROM books")).scalar_one()
    assert codes == ["OK"] * _CALLS
    assert written == _CALLS


async def _calls_until_sigterm(stack: Stack, owner: Engine, headers: dict[str, str]) -> list[str]:
    """Start the calls behind a lock, end the service once all are accepted, then unlock."""
    metadata = [("authorization", headers["Authorization"])]
    request = foreign_stubs.messages(f"{LIBRARY}/CreateBook")[0]
    stubs = foreign_stubs.modules("LibraryService")[1]
    blocker = owner.connect()
    blocker.execute(text("LOCK TABLE audit_logs IN ACCESS EXCLUSIVE MODE"))
    async with (
        grpc.aio.insecure_channel(stack.socket("book")) as channel,
        httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=f"{stack.folder}/book.sock", limits=httpx.Limits(max_connections=_CALLS)
            ),
            base_url="http://service",
            timeout=30,
        ) as http,
    ):
        stub = stubs.LibraryServiceStub(channel)

        async def native(number: int) -> str:
            body = request(title=f"Native {number}", author="A")
            try:
                await stub.CreateBook(body, metadata=metadata)
            except grpc.RpcError as error:
                return str(error.code())
            return "OK"

        async def connect(number: int) -> str:
            body = {"title": f"Connect {number}", "author": "A"}
            answer = await http.post(f"/{LIBRARY}/CreateBook", json=body, headers=headers)
            return "OK" if answer.is_success else answer.text

        half = _CALLS // 2
        tasks = [asyncio.create_task(native(number)) for number in range(half)]
        tasks += [asyncio.create_task(connect(number)) for number in range(half)]
        await asyncio.to_thread(eventually, lambda: _accepted(stack) >= _CALLS, "all accepted")
        stack.processes["book"].terminate()
        await asyncio.to_thread(eventually, lambda: _is_stopping(stack), "it is not ready any more")
        blocker.close()
        return list(await asyncio.gather(*tasks))


def _accepted(stack: Stack) -> int:
    """Count the calls that the service runs now, by its own metric."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=f"{stack.folder}/book.sock")) as client:
        lines = client.get("http://service/metrics").text.splitlines()
    running_now = [line for line in lines if line.startswith("luna_rpc_calls_in_flight ")]
    return int(float(running_now[0].split()[1])) if running_now else 0


def _is_stopping(stack: Stack) -> bool:
    return not probes.http_answers(f"{stack.folder}/book.sock", "/health/ready")
