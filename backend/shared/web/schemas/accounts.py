"""Field types and base models of accounts, for every service that creates one."""

from typing import Annotated

from pydantic import AfterValidator, Field

from backend.shared.models import Role
from backend.shared.web.schemas import FilledText, PlainText, RequestModel, email_normalization


def _without_controls(text: str) -> str:
    if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text):  # noqa: PLR2004 (ASCII and Latin-1 control characters)
        raise ValueError("must not contain control characters")
    return text


EmailText = Annotated[PlainText, AfterValidator(email_normalization.normalize)]
NameText = Annotated[FilledText, Field(max_length=100), AfterValidator(_without_controls)]
PhoneText = Annotated[
    PlainText,
    Field(pattern=r"^\+?[0-9][0-9 ()./-]{3,28}[0-9]$", description="Digits, spaces, ( ) . / -"),
]


class PersonBody(RequestModel):
    email: EmailText
    first_name: NameText
    last_name: NameText
    phone_number: PhoneText | None = None


class NewUser(PersonBody):
    """An account to create, in any role."""

    role: Role = Role.STUDENT
