"""Registration: 201 with the student account and the tokens of its first session."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import Engine, text

from tests.api.auth.registered_user import (
    LOGIN,
    ME,
    PASSWORD,
    REGISTER,
    RegisteredUser,
    code,
    field_errors,
    form,
)


def test_register_creates_student_and_signs_in(api: Any) -> None:
    response = api.post(REGISTER, json=form(phone_number="+90 555 010 0101"))

    assert response.status_code == 201
    assert response.headers["location"] == "/api/v1/auth/me"
    data = response.json()["data"]
    assert set(data) == {"user", "access_token", "refresh_token", "expires_in", "device_token"}
    assert data["expires_in"] == 3600
    assert data["user"]["role"] == "STUDENT"
    assert data["user"]["phone_number"] == "+90 555 010 0101"
    assert "password" not in response.text
    headers = {"Authorization": f"Bearer {data['access_token']}"}
    assert api.get(ME, headers=headers).json()["data"] == data["user"]


def test_register_refuses_other_roles_before_validation(api: Any) -> None:
    for role in ("LIBRARIAN", "ADMIN", "ROBOT"):
        response = api.post(REGISTER, json=form(role=role, password="short"))
        assert code(response) == (403, "ROLE_NOT_ALLOWED")
    assert api.post(REGISTER, json=form(role="STUDENT")).status_code == 201


def test_register_refuses_unknown_field(api: Any) -> None:
    for field, value in (("is_active", True), ("id", "1"), ("token_epoch", 7), ("roles", [])):
        assert list(field_errors(api.post(REGISTER, json={**form(), field: value}))) == [field]


def test_email_is_unique_in_any_case(api: Any) -> None:
    first = api.post(REGISTER, json=form("  Ada@University.EDU "))
    assert first.json()["data"]["user"]["email"] == "ada@university.edu"
    assert code(api.post(REGISTER, json=form("ADA@university.edu"))) == (409, "EMAIL_TAKEN")
    login = {"email": "aDa@university.edu", "password": PASSWORD}
    assert api.post(LOGIN, json=login).status_code == 200


def test_concurrent_registrations_create_one_account(api: Any, owner: Engine) -> None:
    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(lambda _: api.post(REGISTER, json=form()), range(8)))

    assert sorted(response.status_code for response in answers) == [201] + [409] * 7
    with owner.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM users")).scalar_one() == 1


def test_register_validates_each_field(api: Any) -> None:
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
        assert list(field_errors(api.post(REGISTER, json=sent))) == [field], value


def test_register_refuses_unpaired_surrogates(api: Any) -> None:
    for field in ("first_name", "email", "password"):
        body = b'{"email":"a@u.edu","password":"Aa1!aaaa","first_name":"A","last_name":"B"}'
        broken = body.replace(b'"' + field.encode() + b'":"', b'"' + field.encode() + b'":"\\ud800')
        sent = api.post(REGISTER, content=broken, headers={"Content-Type": "application/json"})
        assert field in field_errors(sent)


def test_register_keeps_names_in_every_script(api: Any) -> None:
    data = api.post(REGISTER, json=form(first_name=" Şükrü Ağa ", last_name="王小明")).json()[
        "data"
    ]
    assert (data["user"]["first_name"], data["user"]["last_name"]) == ("Şükrü Ağa", "王小明")


def test_register_with_same_idempotency_key_returns_same_response(api: Any) -> None:
    key = {"Idempotency-Key": "first-day"}
    with ThreadPoolExecutor(4) as many:
        answers = list(many.map(lambda _: api.post(REGISTER, json=form(), headers=key), range(4)))

    assert {response.status_code for response in answers} == {201}
    assert len({response.text for response in answers}) == 1
    other = api.post(REGISTER, json=form(first_name="Eve"), headers=key)
    assert code(other) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_stored_idempotent_response_is_encrypted(api: Any, owner: Engine) -> None:
    response = api.post(REGISTER, json=form(), headers={"Idempotency-Key": "first-day"})
    with owner.connect() as connection:
        kept = connection.execute(text("SELECT answer FROM idempotency_keys")).scalar_one()
    assert response.json()["data"]["refresh_token"].encode() not in bytes(kept)
    assert b"access_token" not in bytes(kept)


def test_register_is_audited_and_published(
    ada: RegisteredUser,
    audit_trail: Callable[[], list[Any]],
    published_events: Callable[[], list[str]],
) -> None:
    created, started = audit_trail()
    assert (created.action, str(created.user_id), created.resource_id) == (
        "user.created",
        ada.id,
        ada.id,
    )
    assert created.changes == {"role": {"before": None, "after": "STUDENT"}}
    assert (started.action, str(started.user_id)) == ("session.started", ada.id)
    assert published_events() == ["account.registered"]
