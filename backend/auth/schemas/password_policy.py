"""What a password must be (api.md §5), and how many may be hashed at once."""

import unicodedata
from functools import cache
from pathlib import Path

SHORTEST, LONGEST = 8, 128  # characters
_COMMON = Path(__file__).with_name("common_passwords.txt")
_LOOK_ALIKES = str.maketrans("@4301!57$", "aaeoiists")


@cache
def _common() -> frozenset[str]:
    lines = _COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def normal(password: str) -> str:
    """One form for what looks the same, however the keyboard composes it (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def _is_common(password: str) -> bool:
    """`P@ssw0rd-2026!` is `password` with ornaments: they do not make it rare."""
    folded = password.casefold()
    ends = "".join(sign for sign in folded if not sign.isalpha())
    bare = folded.strip(ends)
    forms = {
        folded,
        bare,
        bare.translate(_LOOK_ALIKES),
        folded.translate(_LOOK_ALIKES),
        "".join(sign for sign in folded if sign.isalpha()),
    }
    return not forms.isdisjoint(_common())


def violations(password: str, email: str) -> list[str]:
    """Everything that is wrong with a password for this address; empty when it is good."""
    signs = normal(password)
    folded = signs.casefold()
    checks = (
        (len(signs) < SHORTEST, f"must have at least {SHORTEST} characters"),
        (len(signs) > LONGEST, f"must have at most {LONGEST} characters"),
        (not any(sign.isalpha() for sign in signs), "must contain a letter"),
        (not any(sign.isdigit() for sign in signs), "must contain a digit"),
        (
            all(sign.isalnum() or sign.isspace() for sign in signs),
            "must contain a special character",
        ),
        (folded in {email, email.partition("@")[0]}, "must not be the e-mail address"),
        (_is_common(signs), "is too common: choose one that others do not use"),
    )
    return [complaint for wrong, complaint in checks if wrong]
