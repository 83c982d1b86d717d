"""Normalize e-mail addresses, so that each account is found however its address is typed."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

MAX_LENGTH = 254  # characters, RFC 5321


def normalize(text: str) -> str:
    """Return the address as it is stored: lower case, Unicode composed; ValueError if invalid.

    A domain need not be public, since a campus may have its own, but it must contain a dot.
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"must have at most {MAX_LENGTH} characters")
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError("must be an e-mail address like name@university.edu") from error
    if "." not in found.domain:
        raise ValueError("must be an e-mail address like name@university.edu")
    return found.normalized.lower()


def normalize_for_lookup(text: str) -> str:
    """Normalize for a sign-in, where an invalid address is just one without an account."""
    try:
        return normalize(text)
    except ValueError:
        return unicodedata.normalize("NFC", text).lower()
