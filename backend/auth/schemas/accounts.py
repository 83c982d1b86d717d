"""Request and response models of accounts."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from backend.auth.schemas import password_policy
from backend.auth.schemas.field_types import PasswordText
from backend.auth.schemas.sessions import TOKENS_EXAMPLE, TokenPairRead
from backend.shared.errors import RoleNotAllowed
from backend.shared.models import Role
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp
from backend.shared.web.schemas.accounts import NameText, PersonBody, PhoneText

_PERSON_EXAMPLE: dict[str, JsonValue] = {
    "email": "ada@university.edu",
    "first_name": "Ada",
    "last_name": "Lovelace",
}
_USER_EXAMPLE: dict[str, JsonValue] = {
    **_PERSON_EXAMPLE,
    "id": "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44",
    "role": "STUDENT",
    "phone_number": "+90 555 010 0101",
    "is_active": True,
    "preferred_language": "en",
    "created_at": "2026-01-15T10:30:00.000Z",
    "updated_at": "2026-01-15T10:30:00.000Z",
}


class RegisterBody(PersonBody):
    """A student's own registration."""

    password: PasswordText
    role: Role | None = Field(default=None, description="STUDENT, or omitted")
    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_PERSON_EXAMPLE, "password": "Read-books-2026!"}]}
    )

    @field_validator("role")
    @classmethod
    def _only_student(cls, role: Role | None) -> Role | None:
        if role not in {None, Role.STUDENT}:
            raise RoleNotAllowed("Registration creates student accounts only.")
        return role

    @field_validator("password")
    @classmethod
    def _meets_policy(cls, password: str, info: ValidationInfo) -> str:
        violations = password_policy.violations(password, info.data.get("email", ""))
        if violations:
            raise ValueError("; ".join(violations))
        return password


class ProfileBody(RequestModel):
    """Profile fields to change; omitted fields keep their value."""

    first_name: NameText | None = None
    last_name: NameText | None = None
    phone_number: PhoneText | None = Field(default=None, description="null removes it")
    model_config = ConfigDict(json_schema_extra={"examples": [{"first_name": "Augusta Ada"}]})

    @field_validator("first_name", "last_name")
    @classmethod
    def _not_null(cls, name: str | None) -> str:
        if name is None:
            raise ValueError("must not be null")
        return name

    def changes(self) -> dict[str, Any]:
        """Return the fields that the client sent."""
        return self.model_dump(exclude_unset=True)


class UserRead(ResponseModel):
    """An account without its secrets."""

    id: UUID
    email: str
    first_name: str
    last_name: str
    role: Role
    phone_number: str | None
    is_active: bool
    preferred_language: str
    created_at: Timestamp
    updated_at: Timestamp
    model_config = ConfigDict(json_schema_extra={"examples": [_USER_EXAMPLE]})


class RegisteredRead(TokenPairRead):
    """The new account and the tokens of its first session."""

    user: UserRead
    device_token: str | None = Field(description="null in browsers, which get a cookie")
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"user": _USER_EXAMPLE, **TOKENS_EXAMPLE, "device_token": "kP7c…"}]
        }
    )
