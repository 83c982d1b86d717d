"""Password policy (api.md §5)."""

from typing import Any

import pytest

from backend.auth.schemas import password_policy
from tests.api.auth.registered_user import LOGIN, REGISTER, field_errors, form


def test_register_refuses_weak_password(api: Any) -> None:
    for password, violation in (
        ("Lamp-1!", "at least 8"),
        ("L" * 124 + "amp-1", "at most 128"),
        ("12345678-!", "a letter"),
        ("Quiet-lamps", "a digit"),
        ("Quiet lamps 1842", "a special character"),
        ("ada@university.edu", "a digit"),
        ("Password1!", "too common"),
        ("P@ssw0rd-2026", "too common"),
        ("!!qwerty123", "too common"),
        ("Luna-2026!", "too common"),
        ("1q2w3e4r!", "too common"),
    ):
        found = field_errors(api.post(REGISTER, json=form(password=password)))
        assert violation in found["password"][0]


def test_register_refuses_email_as_password(api: Any) -> None:
    email = "ada-1815@university.edu"
    for password in (email, "ADA-1815@University.edu", "Ada-1815"):
        found = field_errors(api.post(REGISTER, json=form(email, password=password)))
        assert "must not be the e-mail address" in found["password"][0]


def test_violations_lists_every_broken_rule() -> None:
    assert password_policy.violations("lamp", "ada@university.edu") == [
        "must have at least 8 characters",
        "must contain a digit",
        "must contain a special character",
    ]


@pytest.mark.parametrize(
    "password",
    ["Aa1!aaaa", "L" * 123 + "amp-1", "şifre-güçlü-9", "7 тихих ламп!", "🌙🌙🌙🌙🌙🌙a1"],
)
def test_login_accepts_only_exact_password(api: Any, password: str) -> None:
    assert api.post(REGISTER, json=form(password=password)).status_code == 201
    tries = (password, password[:-1], password + " ", password.swapcase())
    statuses = [
        api.post(LOGIN, json={"email": "ada@university.edu", "password": tried}).status_code
        for tried in tries
    ]
    assert statuses == [200, 401, 401, 401]


def test_login_accepts_any_unicode_composition(api: Any) -> None:
    assert api.post(REGISTER, json=form(password="caf\u00e9-lamps-18")).status_code == 201
    composed = {"email": "ada@university.edu", "password": "cafe\u0301-lamps-18"}
    assert api.post(LOGIN, json=composed).status_code == 200
