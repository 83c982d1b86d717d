"""Clients that are not ours use the library through the real gateway, each by its protocol."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

from tests.api.rpc import foreign_stubs
from tests.api.rpc.clients import CHROMIUM, Client, Curl, GrpcWeb, NativeGrpc, Page
from tests.api.rpc.conftest import Stack
from tests.api.rpc.connect_json import LIBRARY, USERS
from tests.factories import users

_numbers = count(1)


@pytest.fixture
def native(stack: Stack) -> Iterator[NativeGrpc]:
    client = NativeGrpc(stack)
    yield client
    client.close()


def _walk_through(client: Client) -> None:
    """Create a member and a book, borrow it, be refused, list it, return it."""
    admin = users.admin().headers
    person = {"email": f"client{next(_numbers)}@university.edu"}
    person |= {"firstName": "Ada", "lastName": "Lovelace"}
    made = client.call(f"{LIBRARY}/CreateMember", person, admin)
    assert made.code == "ok", made
    member = made.message["member"]["id"]
    new = {"title": "Kindred", "author": "Octavia E. Butler"}
    book = client.call(f"{LIBRARY}/CreateBook", new, admin).message["book"]["id"]
    loan = {"memberId": member, "bookId": book}
    record = client.call(f"{LIBRARY}/BorrowBook", loan, admin).message["record"]
    assert record["memberId"] == member
    assert client.call(f"{LIBRARY}/BorrowBook", loan, admin).code == "failed_precondition"
    open_loans = {"memberId": member, "openOnly": True}
    listed = client.call(f"{LIBRARY}/ListBorrowedBooks", open_loans, admin).message["records"]
    assert [each["id"] for each in listed] == [record["id"]]
    back = client.call(f"{LIBRARY}/ReturnBook", {"recordId": record["id"]}, admin)
    assert back.message["record"]["state"] == "LOAN_STATE_RETURNED"
    assert client.call(f"{LIBRARY}/CreateMember", person, admin).code == "already_exists"
    assert client.call(f"{USERS}/GetUser", {"userId": member}, {}).code == "unauthenticated"


def test_grpcio_with_foreign_stubs_borrows_and_returns(native: NativeGrpc) -> None:
    _walk_through(native)


def test_curl_with_json_borrows_and_returns(stack: Stack) -> None:
    _walk_through(Curl(stack))


def test_grpc_web_borrows_and_returns(stack: Stack) -> None:
    _walk_through(GrpcWeb(stack))


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_fetch_of_another_origin_borrows_and_returns(stack: Stack, tmp_path: Path) -> None:
    with Page(stack).open(tmp_path) as page:
        _walk_through(page)


def test_native_error_has_the_standard_details(stack: Stack) -> None:
    request_class, _ = foreign_stubs.messages(f"{LIBRARY}/CreateBook")
    stubs = foreign_stubs.modules("LibraryService")[1]
    headers = [("authorization", users.librarian().headers["Authorization"])]
    with (
        grpc.insecure_channel(stack.socket("book")) as channel,
        pytest.raises(grpc.RpcError) as got,
    ):
        stubs.LibraryServiceStub(channel).CreateBook(request_class(title="x"), metadata=headers)
    assert got.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    status = rpc_status.from_call(got.value)
    reason, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.details[0].Unpack(reason)
    assert status.details[1].Unpack(bad)
    assert (reason.reason, reason.domain) == ("VALIDATION_ERROR", "luna")
    assert [each.field for each in bad.field_violations] == ["author"]


@pytest.mark.parametrize("service", ["auth", "book"])
def test_health_is_serving_inside_the_deployment_only(stack: Stack, service: str) -> None:
    own = {"auth": USERS, "book": LIBRARY}[service]
    with grpc.insecure_channel(stack.socket(service)) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        for name in ("", own):
            answer = check(health_pb2.HealthCheckRequest(service=name), timeout=60)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        with pytest.raises(grpc.RpcError) as unknown:
            check(health_pb2.HealthCheckRequest(service="other"), timeout=60)
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    trusted = grpc.ssl_channel_credentials(stack.certificate)
    with grpc.secure_channel(f"localhost:{stack.tls_port}", trusted) as channel:
        with pytest.raises(grpc.RpcError) as hidden:
            health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60)
        assert hidden.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_reflection_describes_the_contract_through_the_gateway(stack: Stack) -> None:
    trusted = grpc.ssl_channel_credentials(stack.certificate)
    with grpc.secure_channel(f"localhost:{stack.tls_port}", trusted) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert {LIBRARY, USERS} <= set(database.get_services())
        found: Any = DescriptorPool(database).FindServiceByName(LIBRARY)
        assert "BorrowBook" in [method.name for method in found.methods]


def test_unknown_method_is_unimplemented(stack: Stack) -> None:
    trusted = grpc.ssl_channel_credentials(stack.certificate)
    with grpc.secure_channel(f"localhost:{stack.tls_port}", trusted) as channel:
        call: Any = channel.unary_unary(f"/{LIBRARY}/BurnBook")
        with pytest.raises(grpc.RpcError) as got:
            call(b"", timeout=60)
    assert got.value.code() is grpc.StatusCode.UNIMPLEMENTED
