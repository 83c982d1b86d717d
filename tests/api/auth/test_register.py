"""A student makes an account: form → 201 with the account and its first tokens, signed in."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine, text

from tests.api.auth.registered_user import (
    LOGIN,
    ME,
    PASSWORD,
    REGISTER,
    Newcomer,
    code,
    complaints,
    form,
)


def test_a_newcomer_is_a_student_and_signed_in(api: Any) -> None:
    answered = api.post(REGISTER, json=form(phone_number="+90 555 010 0101"))

    assert answered.status_code == 201
    assert answered.headers["location"] == "/api/v1/auth/me"
    data = answered.json()["data"]
    assert set(data) == {"user", "access_token", "refresh_token", "expires_in"}
    assert data["expires_in"] == 3600
    assert data["user"]["role"] == "STUDENT"
    assert data["user"]["phone_number"] == "+90 555 010 0101"
    assert "password" not in answered.text
    headers = {"Authorization": f"Bearer {data['access_token']}"}
    assert api.get(ME, headers=headers).json()["data"] == data["user"]


def test_nobody_gives_themselves_a_role(api: Any) -> None:
    """403 comes before what is wrong with the rest of the form."""
    for role in ("LIBRARIAN", "ADMIN", "ROBOT"):
        answered = api.post(REGISTER, json=form(role=role, password="short"))
        assert code(answered) == (403, "ROLE_NOT_ALLOWED")
    assert api.post(REGISTER, json=form(role="STUDENT")).status_code == 201


def test_an_unknown_field_is_refused(api: Any) -> None:
    for field, value in (("is_active", True), ("id", "1"), ("token_epoch", 7), ("roles", [])):
        assert list(complaints(api.post(REGISTER, json={**form(), field: value}))) == [field]


def test_an_address_has_one_account_however_it_is_written(api: Any) -> None:
    first = api.post(REGISTER, json=form("  Ada@University.EDU "))
    assert first.json()["data"]["user"]["email"] == "ada@university.edu"
    assert code(api.post(REGISTER, json=form("ADA@university.edu"))) == (409, "EMAIL_TAKEN")
    login = {"email": "aDa@university.edu", "password": PASSWORD}
    assert api.post(LOGIN, json=login).status_code == 200


def test_of_many_at_once_for_one_address_one_gets_the_account(api: Any, owner: Engine) -> None:
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: api.post(REGISTER, json=form()), range(8)))

    assert sorted(answered.status_code for answered in answers) == [201] + [409] * 7
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 1


def test_each_field_is_checked(api: Any) -> None:
    for field, value in (
        ("email", "ada"),
        ("email", "ada@localhost"),
        ("email", "a@b@university.edu"),
        ("email", "ada\0@university.edu"),
        ("email", f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.edu"),
        ("email", None),
        ("email", ["ada@university.edu"]),
        ("first_name", "   "),
        ("first_name", "A" * 101),
        ("first_name", "Ada\nBcc: everybody"),
        ("last_name", ...),
        ("last_name", 7),
        ("phone_number", ""),
        ("phone_number", "call me"),
        ("phone_number", "+1" + "2" * 40),
        ("role", "EMPEROR"),
        ("password", ...),
        ("password", 12345678),
    ):
        changed = {**form(), field: value}
        sent = {name: given for name, given in changed.items() if given is not ...}
        assert list(complaints(api.post(REGISTER, json=sent))) == [field], value


def test_half_a_character_is_not_text(api: Any) -> None:
    for field in ("first_name", "email", "password"):
        body = b'{"email":"a@u.edu","password":"Aa1!aaaa","first_name":"A","last_name":"B"}'
        broken = body.replace(b'"' + field.encode() + b'":"', b'"' + field.encode() + b'":"\\ud800')
        sent = api.post(REGISTER, content=broken, headers={"Content-Type": "application/json"})
        assert field in complaints(sent)


def test_names_are_kept_in_every_script(api: Any) -> None:
    data = api.post(REGISTER, json=form(first_name=" Şükrü Ağa ", last_name="王小明")).json()[
        "data"
    ]
    assert (data["user"]["first_name"], data["user"]["last_name"]) == ("Şükrü Ağa", "王小明")


def test_the_same_key_gives_the_same_account_and_tokens(api: Any) -> None:
    key = {"Idempotency-Key": "first-day"}
    with ThreadPoolExecutor(4) as many:
        answers = list(many.map(lambda _: api.post(REGISTER, json=form(), headers=key), range(4)))

    assert {answered.status_code for answered in answers} == {201}
    assert len({answered.text for answered in answers}) == 1
    other = api.post(REGISTER, json=form(first_name="Eve"), headers=key)
    assert code(other) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_what_is_kept_for_a_repeat_tells_no_secret(api: Any, owner: Engine) -> None:
    answered = api.post(REGISTER, json=form(), headers={"Idempotency-Key": "first-day"})
    with owner.connect() as connection:
        kept = connection.execute(text("SELECT answer FROM idempotency_keys")).scalar_one()
    assert answered.json()["data"]["refresh_token"].encode() not in bytes(kept)
    assert b"access_token" not in bytes(kept)


def test_registering_is_told_and_audited(
    ada: Newcomer, audit_trail: Callable[[], list[Any]], published: Callable[[], list[str]]
) -> None:
    created, started = audit_trail()
    assert (created.action, str(created.user_id), created.resource_id) == (
        "user.created",
        ada.id,
        ada.id,
    )
    assert created.changes == {"role": {"before": None, "after": "STUDENT"}}
    assert (started.action, str(started.user_id)) == ("session.started", ada.id)
    assert published() == ["account.registered"]
