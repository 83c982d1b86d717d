"""Request and response models of users, members, devices and the audit log, and settings."""

from typing import Any
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, field_validator

from backend.auth.schemas.accounts import UserRead
from backend.shared.models import Role
from backend.shared.web.schemas import RequestModel, ResponseModel, Timestamp
from backend.shared.web.schemas.accounts import NameText, NewUser, PhoneText

_ID = "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44"
_WHEN = "2026-01-15T10:30:00.000Z"
_EXPORT_EXAMPLE = {"exported_at": "2026-01-15T10:30:00.000Z", "data": {"users": []}}
EXPORTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"example": _EXPORT_EXAMPLE}}}
}
_USER: dict[str, JsonValue] = {
    "id": _ID,
    "email": "ruth@university.edu",
    "first_name": "Ruth",
    "last_name": "Okafor",
    "role": "LIBRARIAN",
    "phone_number": "+90 555 010 0101",
    "is_active": True,
    "preferred_language": "en",
    "created_at": _WHEN,
    "updated_at": _WHEN,
    "email_verified_at": _WHEN,
    "last_login_at": _WHEN,
}


class ManagedUserRead(UserRead):
    """An account as administrators see it."""

    email_verified_at: Timestamp | None
    last_login_at: Timestamp | None
    model_config = ConfigDict(json_schema_extra={"examples": [_USER]})


class UserCreate(NewUser):
    """An account in any role but ROBOT; its owner sets the password by a mailed link."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "email": "ruth@university.edu",
                    "first_name": "Ruth",
                    "last_name": "Okafor",
                    "role": "LIBRARIAN",
                }
            ]
        }
    )

    @field_validator("role")
    @classmethod
    def _is_of_a_person(cls, role: Role) -> Role:
        if role is Role.ROBOT:
            raise ValueError("must be STUDENT, LIBRARIAN or ADMIN")
        return role


class UserChange(RequestModel):
    """What an administrator changes; omitted fields keep their value."""

    first_name: NameText | None = None
    last_name: NameText | None = None
    phone_number: PhoneText | None = Field(default=None, description="null removes it")
    role: Role | None = None
    is_active: bool | None = None
    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "LIBRARIAN"}]})

    @field_validator("first_name", "last_name", "role", "is_active")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None or value is Role.ROBOT:
            raise ValueError("must not be null" if value is None else "must be of a person")
        return value

    def changes(self) -> dict[str, Any]:
        """Return the fields that the client sent."""
        return self.model_dump(exclude_unset=True)


class MemberRead(ResponseModel):
    """A member as staff look them up."""

    id: UUID
    first_name: str
    last_name: str
    email: str
    role: Role
    open_loans: int
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "first_name": "Ada",
                    "last_name": "Lovelace",
                    "email": "ada@university.edu",
                    "role": "STUDENT",
                    "open_loans": 2,
                }
            ]
        }
    )


class SessionRead(ResponseModel):
    """A signed-in device."""

    id: UUID
    user_agent: str | None
    ip_address: str | None
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp
    current: bool = Field(description="The session of this request")
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "user_agent": "Mozilla/5.0",
                    "ip_address": "198.51.100.7",
                    "created_at": _WHEN,
                    "last_used_at": _WHEN,
                    "expires_at": "2026-01-22T10:30:00.000Z",
                    "current": True,
                }
            ]
        }
    )


class AuditLogRead(ResponseModel):
    """Who did what, when, and from which address."""

    id: UUID
    user_id: UUID | None
    action: str
    resource_type: str
    resource_id: str | None
    changes: dict[str, Any]
    ip_address: str | None
    request_id: str | None
    created_at: Timestamp
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "user_id": _ID,
                    "action": "user.changed",
                    "resource_type": "user",
                    "resource_id": _ID,
                    "changes": {"role": {"before": "STUDENT", "after": "LIBRARIAN"}},
                    "ip_address": "198.51.100.7",
                    "request_id": "req_019bc0de",
                    "created_at": _WHEN,
                }
            ]
        }
    )


class ClientSettingsRead(ResponseModel):
    """What a client needs to know before anybody signs in."""

    library_name: str
    accent_colour: str | None = Field(description="`#rrggbb`; null: LUNA's blue")
    logo: str | None = Field(description="A `data:` address of an image; null: LUNA's logo")
    welcome: dict[str, str] = Field(
        description="Text of the sign-in page by language; empty: LUNA's text"
    )
    time_zone: str
    languages: list[str]
    registration: str = Field(description="open, or verify")
    oidc: bool = Field(description="Whether campus sign-in is available")
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "library_name": "LUNA",
                    "accent_colour": "#1b5fd0",
                    "logo": "data:image/svg+xml;base64,PHN2Zy8+",
                    "welcome": {"en": "", "de": ""},
                    "time_zone": "UTC",
                    "languages": ["en", "de"],
                    "registration": "open",
                    "oidc": False,
                }
            ]
        }
    )
