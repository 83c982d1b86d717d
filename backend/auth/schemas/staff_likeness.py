"""Names and addresses that could be taken for the library's own staff."""

import re
import unicodedata

from backend.shared.infra import config

_STAFF_WORDS = frozenset({"admin", "administrator", "librarian", "library", "luna", "staff"})
# Written together in one language.
_SCRIPT_FAMILIES = {"HIRAGANA": "CJK", "KATAKANA": "CJK", "HANGUL": "CJK"}


def _scripts(word: str) -> set[str]:
    """Return the scripts of a word's letters: `{"LATIN", "CYRILLIC"}` imitates another name."""
    found = {unicodedata.name(char, "?").split()[0] for char in word if char.isalpha()}
    return {_SCRIPT_FAMILIES.get(script, script) for script in found}


def _of_name(name: str) -> str | None:
    words = re.split(r"[\s\-'.]+", name)
    if any(len(_scripts(word)) > 1 for word in words):
        return "must use the letters of one script in a word"
    if any(unicodedata.normalize("NFKC", word).casefold() in _STAFF_WORDS for word in words):
        return "must be a person's name"
    return None


def violations(names: dict[str, str]) -> dict[str, list[str]]:
    """Return the violation of each of `first_name`, `last_name` and `email`; empty if none."""
    found = {field: _of_name(text) for field, text in names.items() if field != "email"}
    domain = config.auth().staff_domain.strip().lower()
    address = names.get("email", "").rpartition("@")[2]
    if domain and (address == domain or address.endswith(f".{domain}")):
        found["email"] = "belongs to the library: ask an administrator for an account"
    return {field: [text] for field, text in found.items() if text is not None}
