"""Validated text of passwords; the fields of accounts are in shared.web.schemas.accounts."""

from typing import Annotated

from pydantic import AfterValidator, Field


def _valid_unicode(text: str) -> str:
    """Refuse unpaired surrogates; unlike `PlainText`, keep leading and trailing spaces."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("must be valid Unicode") from error
    return text


PasswordText = Annotated[str, Field(max_length=1024), AfterValidator(_valid_unicode)]
