"""Validated text fields of accounts."""

from typing import Annotated

from pydantic import AfterValidator, Field

from backend.auth.schemas import email_normalization
from backend.shared.web.schemas import FilledText, PlainText


def _without_controls(text: str) -> str:
    if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text):  # noqa: PLR2004 (ASCII and Latin-1 control characters)
        raise ValueError("must not contain control characters")
    return text


def _valid_unicode(text: str) -> str:
    """Refuse unpaired surrogates; unlike `PlainText`, keep leading and trailing spaces."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode") from error
    return text


EmailText = Annotated[PlainText, AfterValidator(email_normalization.normalize)]
NameText = Annotated[FilledText, Field(max_length=100), AfterValidator(_without_controls)]
PhoneText = Annotated[
    PlainText,
    Field(pattern=r"^\+?[0-9][0-9 ()./-]{3,28}[0-9]$", description="Digits, spaces, ( ) . / -"),
]
PasswordText = Annotated[str, Field(max_length=1024), AfterValidator(_valid_unicode)]
