"""E-mail addresses: one form for each, since people write theirs in many."""

import unicodedata

from email_validator import EmailNotValidError, validate_email

LONGEST = 254  # characters, RFC 5321


def canonical(text: str) -> str:
    """The address as it is stored and looked up: lower case, Unicode composed.

    ValueError when it is no address. A campus may have domains of its own, so a domain need not
    be one of the public Internet, but it has a dot.
    """
    if len(text) > LONGEST:
        raise ValueError(f"must have at most {LONGEST} characters")
    try:
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise ValueError("must be an e-mail address like name@university.edu") from error
    if "." not in found.domain:
        raise ValueError("must be an e-mail address like name@university.edu")
    return found.normalized.lower()


def as_asked(text: str) -> str:
    """The same for a sign-in, where what is no address is just one that nobody has."""
    try:
        return canonical(text)
    except ValueError:
        return unicodedata.normalize("NFC", text).lower()
