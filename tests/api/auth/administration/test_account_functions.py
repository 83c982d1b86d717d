"""The functions of the database that write accounts for services that may not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backend.shared.domain.accounts.creation import add_member
from backend.shared.errors import EmailTaken
from backend.shared.infra import clock, database, ids
from backend.shared.models import Role, User
from tests import service_roles
from tests.factories import users

FIELDS = {"email": "new@example.edu", "first_name": "New", "last_name": "Member"}


@contextmanager
def _transaction(program: str) -> Iterator[Session]:
    with service_roles.running_as(program), database.transaction() as session:
        yield session


def _row(owner: Engine, email: str) -> dict[str, Any]:
    with owner.connect() as connection:
        statement = text("SELECT * FROM users WHERE email = :email")
        return dict(connection.execute(statement, {"email": email}).mappings().one())


def _refused(session: Session, statement: str, **values: object) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|the account is in use"):
        session.execute(text(statement), values)
    session.rollback()


def test_book_service_creates_a_student_without_a_password(clean: None, owner: Engine) -> None:
    actor = users.librarian()
    with _transaction("book") as session:
        made = add_member(session, {**FIELDS, "phone_number": None}, actor_id=actor.id)
    row = _row(owner, FIELDS["email"])
    assert row["id"] == made.id
    assert (row["role"], row["password_hash"], row["is_active"]) == ("STUDENT", "!", True)
    assert (row["email_verified_at"], row["token_epoch"], row["lock_version"]) == (None, 0, 0)


def test_taken_address_changes_nothing(clean: None, owner: Engine) -> None:
    taken = users.create_user(Role.LIBRARIAN)
    before = _row(owner, taken.email)
    fields = {**FIELDS, "phone_number": None, "email": taken.email.upper()}
    with pytest.raises(EmailTaken), _transaction("book") as session:
        add_member(session, fields, actor_id=taken.id)
    assert _row(owner, taken.email) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE users SET role = 'ADMIN' WHERE id = :id",
        "UPDATE users SET password_hash = '!' WHERE id = :id",
        "SELECT password_hash FROM users WHERE id = :id",
        "INSERT INTO users (id) VALUES (:id)",
        "INSERT INTO sessions (id) VALUES (:id)",
        "SELECT refresh_hash FROM sessions WHERE id = :id",
        "INSERT INTO service_keys (id) VALUES (:id)",
        "UPDATE robot_keys SET revoked_at = now() WHERE id = :id",
        "SELECT erase_person(:id, now())",
    ],
)
def test_book_service_writes_no_account_in_another_way(clean: None, statement: str) -> None:
    with _transaction("book") as session:
        _refused(session, statement, id=ids.uuid7())


def test_book_service_changes_the_column_of_the_lock(clean: None) -> None:
    user = users.student()
    with _transaction("book") as session:
        locked = database.row_lock(session, User, user.id)
        assert locked.id == user.id
        session.execute(text("UPDATE users SET lock_version = lock_version + 1"))


@pytest.mark.parametrize("program", ["delivery", "robot", "notification", "worker", "auth"])
def test_others_create_no_member(clean: None, program: str) -> None:
    with _transaction(program) as session:
        call = "SELECT create_member(:id, 'a@b.cd', 'A', 'B', NULL, now())"
        _refused(session, call, id=ids.uuid7())


def test_account_in_use_is_not_erased(clean: None, owner: Engine) -> None:
    user = users.student()
    before = _row(owner, user.email)
    with _transaction("auth") as session:
        _refused(session, "SELECT erase_person(:id, :now)", id=user.id, now=clock.now())
    assert _row(owner, user.email) == before
