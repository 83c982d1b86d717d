"""What clients send to the authentication service and get from it."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, ValidationInfo, field_validator

from backend.auth.schemas import email_normalization, password_policy
from backend.shared.errors import RoleNotAllowed
from backend.shared.models import Role
from backend.shared.web.schemas import FilledText, PlainText, RequestModel, ResponseModel, Timestamp

_ADA: dict[str, JsonValue] = {
    "email": "ada@university.edu",
    "first_name": "Ada",
    "last_name": "Lovelace",
}


TOKENS_EXAMPLE: dict[str, JsonValue] = {
    "access_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6Ij…",
    "refresh_token": "gAAAAABpXq3…",
    "expires_in": 3600,
}


_USER: dict[str, JsonValue] = {
    **_ADA,
    "id": "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44",
    "role": "STUDENT",
    "phone_number": "+90 555 010 0101",
    "is_active": True,
    "preferred_language": "en",
    "created_at": "2026-01-15T10:30:00.000Z",
    "updated_at": "2026-01-15T10:30:00.000Z",
}


def _without_controls(text: str) -> str:
    if any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in text):  # noqa: PLR2004 (ASCII and Latin-1 control characters)
        raise ValueError("must not contain control characters")
    return text


def _secret(text: str) -> str:
    """As typed: ends are not trimmed. Half a surrogate pair is no character."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode") from error
    return text


EmailText = Annotated[PlainText, AfterValidator(email_normalization.canonical)]


NameText = Annotated[FilledText, Field(max_length=100), AfterValidator(_without_controls)]


PhoneText = Annotated[
    PlainText,
    Field(pattern=r"^\+?[0-9][0-9 ()./-]{3,28}[0-9]$", description="Digits, spaces, ( ) . / -"),
]


Secret = Annotated[str, Field(max_length=1024), AfterValidator(_secret)]


class PersonBody(RequestModel):
    """Who someone is."""

    email: EmailText
    first_name: NameText
    last_name: NameText
    phone_number: PhoneText | None = None


class NewUser(PersonBody):
    """Someone to be given an account by the library, in any role."""

    role: Role = Role.STUDENT


class RegisterBody(PersonBody):
    """Someone who makes an account for themselves: a student."""

    password: Secret
    role: Role | None = Field(default=None, description="STUDENT, or left out")
    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_ADA, "password": "Read-books-2026!"}]}
    )

    @field_validator("role")
    @classmethod
    def _only_students(cls, role: Role | None) -> Role | None:
        if role not in {None, Role.STUDENT}:
            raise RoleNotAllowed("Only a student's account can be made this way.")
        return role

    @field_validator("password")
    @classmethod
    def _good(cls, password: str, info: ValidationInfo) -> str:
        found = password_policy.violations(password, info.data.get("email", ""))
        if found:
            raise ValueError("; ".join(found))
        return password


class ProfileBody(RequestModel):
    """What someone may change of themselves; what is left out stays."""

    first_name: NameText | None = None
    last_name: NameText | None = None
    phone_number: PhoneText | None = Field(default=None, description="null removes it")
    model_config = ConfigDict(json_schema_extra={"examples": [{"first_name": "Augusta Ada"}]})

    @field_validator("first_name", "last_name")
    @classmethod
    def _not_removed(cls, name: str | None) -> str:
        if name is None:
            raise ValueError("must not be null")
        return name

    def given(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)


class UserRead(ResponseModel):
    """A person's account, without its secrets."""

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
    model_config = ConfigDict(json_schema_extra={"examples": [_USER]})


class RegisteredRead(ResponseModel):
    """The new account, signed in."""

    user: UserRead
    access_token: str
    refresh_token: str
    expires_in: int
    model_config = ConfigDict(json_schema_extra={"examples": [{"user": _USER, **TOKENS_EXAMPLE}]})
