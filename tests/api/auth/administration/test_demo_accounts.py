"""Accounts created without HTTP: the first administrator and demo accounts, in any role."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.auth.service import accounts
from backend.shared.errors import EmailTaken, Invalid
from backend.shared.infra import database
from backend.shared.models import Role
from backend.shared.web.schemas.accounts import NewUser
from tests.api.auth.registered_user import LOGIN, PASSWORD


def _new_user(role: Role) -> NewUser:
    return NewUser(email="Ruth@Luna.example", first_name="Ruth", last_name="Okafor", role=role)


@pytest.mark.parametrize("role", [Role.STUDENT, Role.LIBRARIAN, Role.ADMIN])
def test_create_user_accepts_any_role(
    api: Any, role: Role, audit_trail: Callable[[], list[Any]]
) -> None:
    with database.transaction() as session:
        made = accounts.create_user(session, _new_user(role), PASSWORD)
    assert (made.role, made.email) == (role, "ruth@luna.example")
    assert audit_trail()[-1].changes == {"role": {"before": None, "after": role.value}}
    login = api.post(LOGIN, json={"email": made.email, "password": PASSWORD})
    assert login.status_code == 200


def test_create_user_applies_password_policy_and_unique_email(api: Any) -> None:
    with database.transaction() as session:
        with pytest.raises(Invalid) as refused:
            accounts.create_user(session, _new_user(Role.ADMIN), "password")
        assert list(refused.value.details["fields"]) == ["password"]
        accounts.create_user(session, _new_user(Role.ADMIN), PASSWORD)
        with pytest.raises(EmailTaken):
            accounts.create_user(session, _new_user(Role.ADMIN), PASSWORD)
        # The transaction stays usable: a loader may skip accounts that exist.
        other = _new_user(Role.LIBRARIAN).model_copy(update={"email": "upstairs@luna.example"})
        assert accounts.create_user(session, other, PASSWORD).role is Role.LIBRARIAN
