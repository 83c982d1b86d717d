"""Secrets of accounts: known devices, mailed tokens, second factors, failed sign-ins, service keys.

Written by the auth service. Secrets are stored as digests; a TOTP secret is encrypted.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.models.base import Base, CreatedAt, Id, text_enum


class KnownDevice(Base):
    """A device from which an account has signed in; its token proves no identity."""

    __tablename__ = "known_devices"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_known_devices_user_id", "user_id"),
        Index("ix_known_devices_expires_at", "expires_at"),
    )


class PersonKey(Base):
    """The key of a person's values in the audit trail; made with the account by a trigger."""

    __tablename__ = "person_keys"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)


class SignInFailures(Base):
    """Failed sign-ins in a row, per account, known device or network address.

    `subject` holds a digest, never the address that was typed.
    """

    __tablename__ = "sign_in_failures"

    subject: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    blocked_until: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("ix_sign_in_failures_updated_at", "updated_at"),)


class TokenPurpose(StrEnum):
    RESET_PASSWORD = "RESET_PASSWORD"  # noqa: S105 (a purpose, not a secret)
    VERIFY_EMAIL = "VERIFY_EMAIL"


class AccountToken(Base):
    """A single-use token that was sent by mail."""

    __tablename__ = "account_tokens"

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    purpose: Mapped[TokenPurpose] = mapped_column(text_enum(TokenPurpose))
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_account_tokens_user_id", "user_id", "purpose"),
        Index("ix_account_tokens_expires_at", "expires_at"),
    )


class TotpFactor(Base):
    """The second factor of an account; in force once confirmed with a code."""

    __tablename__ = "totp_factors"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    encrypted_secret: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger)  # a code is accepted once
    created_at: Mapped[CreatedAt]


class RecoveryCode(Base):
    """A code that replaces the second factor once."""

    __tablename__ = "recovery_codes"

    code_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]

    __table_args__ = (Index("ix_recovery_codes_user_id", "user_id"),)


class LoginChallenge(Base):
    """A sign-in whose password was correct and whose second factor is pending."""

    __tablename__ = "login_challenges"

    challenge_hash: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    password_hash: Mapped[str]  # the sign-in fails once the password has changed
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_login_challenges_user_id", "user_id"),
        Index("ix_login_challenges_expires_at", "expires_at"),
    )


class ServiceKey(Base):
    """The key of a machine for RPC; after a rotation the previous key is valid for a while."""

    __tablename__ = "service_keys"

    id: Mapped[Id]
    name: Mapped[str]
    rpcs: Mapped[list[str]]
    prefix: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[str]
    previous_prefix: Mapped[str | None] = mapped_column(unique=True)
    previous_hash: Mapped[str | None]
    previous_expires_at: Mapped[datetime | None]
    created_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_service_keys_name", "name", unique=True, postgresql_where=text("revoked_at IS NULL")
        ),
        Index("ix_service_keys_created_by", "created_by"),
    )
