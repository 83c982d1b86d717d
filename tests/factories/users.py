"""Signed-in users for tests: rows in the database and tokens signed by the real module."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.shared.infra import clock, database, ids
from backend.shared.models import Role, TotpFactor, User, UserSession
from backend.shared.web.security import api_keys, encryption, passwords, tokens

PASSWORD = "Read-books-2026!"
_numbers = count(1)
_hashes: dict[str, str] = {}


@dataclass(frozen=True)
class SignedInUser:
    id: UUID
    email: str
    role: Role
    token: str
    session_id: UUID

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


def _hash(password: str) -> str:
    """Hash each password once per run: hashing is slow by design."""
    if password not in _hashes:
        _hashes[password] = passwords.hash_password(password)
    return _hashes[password]


def create_user(role: Role = Role.STUDENT, **changes: Any) -> SignedInUser:
    """Create a user with a session and an access token."""
    number = next(_numbers)
    with database.transaction() as session:
        user = User(
            **{
                "email": f"{role.value.lower()}{number}@example.edu",
                "password_hash": _hash(PASSWORD),
                "first_name": role.value.title(),
                "last_name": f"Number{number}",
                "role": role,
                **changes,
            }
        )
        session.add(user)
        session.flush()
        device = _add_session(session, user.id)
        token = tokens.sign(
            user_id=user.id,
            email=user.email,
            role=user.role,
            session_id=device.id,
            epoch=user.token_epoch,
        )
        return SignedInUser(user.id, user.email, user.role, token, device.id)


def _add_session(session: Session, user_id: UUID) -> UserSession:
    device = UserSession(
        user_id=user_id,
        refresh_hash=api_keys.digest(ids.uuid7().hex),
        expires_at=clock.now() + timedelta(days=7),
    )
    session.add(device)
    session.flush()
    return device


def add_session(user: SignedInUser) -> UUID:
    """Sign the user in on another device; returns the id of that session."""
    with database.transaction() as session:
        return _add_session(session, user.id).id


def student() -> SignedInUser:
    return create_user(Role.STUDENT)


def librarian() -> SignedInUser:
    return create_user(Role.LIBRARIAN)


def admin() -> SignedInUser:
    return create_user(Role.ADMIN)


def with_second_factor(user: SignedInUser) -> SignedInUser:
    """Give an account a second factor that is in force; its secret is a constant."""
    secret = encryption.encrypt(b"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP").decode()
    with database.transaction() as session:
        session.add(
            TotpFactor(
                user_id=user.id, encrypted_secret=secret, confirmed_at=clock.now(), last_step=0
            )
        )
    return user
