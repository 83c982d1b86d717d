"""Password rules (api.md §5)."""

import unicodedata
from functools import cache
from pathlib import Path

MIN_LENGTH, MAX_LENGTH = 8, 128  # characters
_COMMON_PASSWORDS_FILE = Path(__file__).with_name("common_passwords.txt")
_LOOK_ALIKES = str.maketrans("@4301!57$", "aaeoiists")


@cache
def _common_passwords() -> frozenset[str]:
    lines = _COMMON_PASSWORDS_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def normalize(password: str) -> str:
    """Return the NFKC form, so that the keyboard's way of composing letters does not matter."""
    return unicodedata.normalize("NFKC", password)


def _is_common(password: str) -> bool:
    """Check the list also without added digits and signs: `P@ssw0rd-2026!` is `password`."""
    folded = password.casefold()
    stripped = folded.strip("".join(char for char in folded if not char.isalpha()))
    forms = {
        folded,
        stripped,
        stripped.translate(_LOOK_ALIKES),
        folded.translate(_LOOK_ALIKES),
        "".join(char for char in folded if char.isalpha()),
    }
    return not forms.isdisjoint(_common_passwords())


def violations(password: str, email: str) -> list[str]:
    """Return every rule that the password breaks for this address; empty if it is acceptable."""
    normalized = normalize(password)
    folded = normalized.casefold()
    rules = (
        (len(normalized) < MIN_LENGTH, f"must have at least {MIN_LENGTH} characters"),
        (len(normalized) > MAX_LENGTH, f"must have at most {MAX_LENGTH} characters"),
        (not any(char.isalpha() for char in normalized), "must contain a letter"),
        (not any(char.isdigit() for char in normalized), "must contain a digit"),
        (
            all(char.isalnum() or char.isspace() for char in normalized),
            "must contain a special character",
        ),
        (folded in {email, email.partition("@")[0]}, "must not be the e-mail address"),
        (_is_common(normalized), "is too common: choose one that others do not use"),
    )
    return [violation for broken, violation in rules if broken]
