"""Every RPC × every kind of caller, with service keys: admitted, or refused with the right code."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from backend.auth.rpc import RPC as AUTH
from backend.auth.schemas.service_keys import ServiceKeyCreate
from backend.auth.service import service_keys
from backend.book.rpc import RPC as BOOK
from backend.shared.domain.actor import Actor
from backend.shared.infra import config, database
from backend.shared.models import Role
from tests.api.rpc.connect_json import LIBRARY, USERS, call
from tests.authorization.access_matrix import ADMINS, STAFF, Caller
from tests.authorization.access_matrix import USERS as PEOPLE
from tests.authorization.test_access_matrix import _create_callers
from tests.factories import users

ALLOWED_CALLERS: dict[str, frozenset[Caller]] = {
    f"{LIBRARY}/CreateBook": STAFF,
    f"{LIBRARY}/UpdateBook": STAFF,
    f"{LIBRARY}/GetBook": PEOPLE,
    f"{LIBRARY}/SearchBooks": PEOPLE,
    f"{LIBRARY}/CreateMember": STAFF,
    f"{LIBRARY}/BorrowBook": STAFF,
    f"{LIBRARY}/ReturnBook": STAFF,
    f"{LIBRARY}/ListBorrowedBooks": PEOPLE,
    f"{USERS}/GetUser": ADMINS,
    f"{USERS}/CreateUser": ADMINS,
    f"{USERS}/ListUsers": ADMINS,
}
_REFUSED = {"unauthenticated", "permission_denied"}
_numbers = count(1)


def key_for(*rpcs: str) -> dict[str, str]:
    """Create a service key for these RPCs and return its header."""
    admin = users.admin()
    body = ServiceKeyCreate(name=f"machine {next(_numbers)}", rpcs=list(rpcs))
    actor = Actor(admin.id, Role.ADMIN, admin.session_id, admin.email)
    with database.transaction() as session:
        _, secret = service_keys.create(session, body, actor)
    return {"Authorization": f"Bearer {secret}"}


def test_every_rpc_has_an_expectation() -> None:
    methods = {
        f"{rpc.service.desc().type_name}/{method.name}"
        for rpc in (AUTH, BOOK)
        for method in rpc.service.desc().methods
    }
    assert methods == ALLOWED_CALLERS.keys()


@pytest.fixture(scope="module")
def gateway(_gateway: Any) -> Any:
    """All services over any database content: access does not depend on it."""
    return _gateway


@pytest.fixture(scope="module", autouse=True)
def _needs_second_factor(gateway: Any) -> Iterator[None]:
    """Require a second factor of administrators, as in production."""
    with pytest.MonkeyPatch.context() as patch:
        settings = config.auth().model_copy(update={"admin_second_factor": True})
        patch.setattr(config, "auth", lambda: settings)
        yield


@pytest.fixture(scope="module")
def callers(gateway: Any) -> dict[Caller, dict[str, str]]:
    return _create_callers()


@pytest.mark.parametrize("rpc", sorted(ALLOWED_CALLERS))
def test_rpc_admits_only_its_callers(
    gateway: Any, callers: dict[Caller, dict[str, str]], rpc: str
) -> None:
    for caller, headers in callers.items():
        code = call(gateway, rpc, {}, headers).code
        if caller in ALLOWED_CALLERS[rpc]:
            assert code not in _REFUSED, f"{caller} was refused"
        else:
            expected = "unauthenticated" if caller is Caller.ANONYMOUS else "permission_denied"
            assert code == expected, f"{caller} was not refused"


@pytest.mark.parametrize("rpc", sorted(ALLOWED_CALLERS))
def test_service_key_may_call_what_it_names_and_nothing_else(gateway: Any, rpc: str) -> None:
    others = ALLOWED_CALLERS.keys() - {rpc}
    assert call(gateway, rpc, {}, key_for(rpc)).code not in _REFUSED
    assert call(gateway, rpc, {}, key_for(*others)).code == "permission_denied"
    made_up = {"Authorization": "Bearer luna_sk_0123456789ab_nothing"}
    assert call(gateway, rpc, {}, made_up).code == "unauthenticated"


def test_caller_is_settled_before_the_message_is_read(gateway: Any) -> None:
    assert call(gateway, f"{LIBRARY}/CreateBook", "{", {}).code == "unauthenticated"


def test_service_key_is_no_credential_of_rest(gateway: Any) -> None:
    headers = key_for(f"{USERS}/GetUser")
    assert gateway.get("/api/v1/auth/me", headers=headers).status_code == 401
