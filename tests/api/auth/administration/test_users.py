"""Accounts as administrators manage them; members; the audit log; export and erasure."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

from backend.shared.infra import database, redis
from backend.shared.models import Base, Role
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
from tests.factories import catalogue, users
from tests.factories.users import SignedInUser
from tests.scenario import start_scenario

USERS = "/api/v1/auth/users"
AUDIT = "/api/v1/auth/audit-logs"
MEMBERS = "/api/v1/auth/members"


@pytest.fixture
def admin(api: Any) -> SignedInUser:
    return users.admin()


def test_created_user_sets_the_password_by_mail(
    api: Any, admin: SignedInUser, published_events: Callable[[], list[str]]
) -> None:
    body = {"email": "ruth@university.edu", "first_name": "Ruth", "last_name": "Okafor"}
    made = api.post(USERS, json={**body, "role": "LIBRARIAN"}, headers=admin.headers)
    assert made.status_code == 201
    data = made.json()["data"]
    assert (data["role"], data["email_verified_at"]) == ("LIBRARIAN", None)
    assert api.get(made.headers["location"], headers=admin.headers).json()["data"] == data
    login = {"email": "ruth@university.edu", "password": "!"}
    assert api.post(LOGIN, json=login).status_code == 401
    assert published_events() == ["account.registered"]
    again = api.post(USERS, json={**body, "role": "ADMIN"}, headers=admin.headers)
    assert code(again) == (409, "EMAIL_TAKEN")
    robot = api.post(USERS, json={**body, "role": "ROBOT"}, headers=admin.headers)
    assert "role" in field_errors(robot)


def test_changed_role_ends_sessions_and_is_audited(
    api: Any, admin: SignedInUser, ada: RegisteredUser
) -> None:
    path = f"{USERS}/{ada.id}"
    etag = api.get(path, headers=admin.headers).headers["etag"]
    changed = api.put(path, json={"role": "LIBRARIAN"}, headers={**admin.headers, "If-Match": etag})
    assert changed.json()["data"]["role"] == "LIBRARIAN"
    assert code(api.get(ME, headers=ada.headers)) == (401, "TOKEN_REVOKED")
    stale = api.put(path, json={"role": "ADMIN"}, headers={**admin.headers, "If-Match": etag})
    assert code(stale) == (412, "STALE_VERSION")
    query = f"?action=user.changed&resource_id={ada.id}"
    (entry,) = api.get(AUDIT + query, headers=admin.headers).json()["data"]
    assert entry["changes"] == {"role": {"before": "STUDENT", "after": "LIBRARIAN"}}
    assert entry["user_id"] == str(admin.id)


def test_deactivated_user_cannot_sign_in_until_activated(
    api: Any, admin: SignedInUser, ada: RegisteredUser
) -> None:
    path = f"{USERS}/{ada.id}"
    assert api.delete(path, headers=admin.headers).status_code == 200
    assert api.delete(path, headers=admin.headers).status_code == 200  # repeated
    login = {"email": ada.email, "password": PASSWORD}
    assert code(api.post(LOGIN, json=login)) == (403, "ACCOUNT_INACTIVE")
    api.put(path, json={"is_active": True}, headers=admin.headers)
    assert api.post(LOGIN, json=login).status_code == 200


def test_last_administrator_stays_also_under_concurrency(api: Any, admin: SignedInUser) -> None:
    refused = api.delete(f"{USERS}/{admin.id}", headers=admin.headers)
    assert code(refused) == (409, "CONFLICT")
    own = api.put(f"{USERS}/{admin.id}", json={"role": "STUDENT"}, headers=admin.headers)
    assert own.status_code in {403, 409}
    other = users.admin()
    pairs = [(admin, other), (other, admin)]
    with ThreadPoolExecutor(2) as many:
        answers = many.map(
            lambda pair: api.put(
                f"{USERS}/{pair[1].id}", json={"role": "STUDENT"}, headers=pair[0].headers
            ),
            pairs,
        )
        assert min(answer.status_code for answer in answers) == 200
    with database.transaction() as session:
        left = session.execute(
            text("SELECT count(*) FROM users WHERE role = 'ADMIN' AND is_active")
        ).scalar_one()
    assert left == 1


def test_list_filters_and_searches(api: Any, admin: SignedInUser, ada: RegisteredUser) -> None:
    librarian = users.librarian()
    query = f"?role=LIBRARIAN&q={librarian.email.upper()}"
    (found,) = api.get(USERS + query, headers=admin.headers).json()["data"]
    assert found["id"] == str(librarian.id)
    assert api.get(f"{USERS}?q=%25", headers=admin.headers).json()["data"] == []
    assert code(api.get(f"{USERS}?sort=password_hash", headers=admin.headers))[0] == 422
    listed = api.get(f"{MEMBERS}?q=lovelace ada", headers=librarian.headers).json()["data"]
    assert [(row["id"], row["open_loans"]) for row in listed] == [(ada.id, 0)]
    assert "phone_number" not in listed[0]


def test_export_contains_everything_about_a_person_and_no_secret(
    api: Any, ada: RegisteredUser
) -> None:
    exported = api.get("/api/v1/auth/me/export", headers=ada.headers)
    data = exported.json()["data"]
    assert data["users"][0]["email"] == ada.email
    assert {"sessions", "known_devices", "audit_logs"} <= data.keys()
    assert "argon2" not in exported.text
    assert "refresh_hash" not in exported.text


# Rows that hold an id for two weeks at most and nothing else about the person.
_OF_EVENTS = {"outbox", "aggregate_sequences", "processed_events"}


def test_export_contains_every_row_that_names_the_person(
    api: Any, owner: Engine, admin: SignedInUser, ada: RegisteredUser
) -> None:
    """Search all tables for the id of a librarian who has worked, and of whom somebody wrote."""
    person = users.librarian()
    scenario = start_scenario(api)
    scenario.request_delivery()
    scenario.run_events()
    for path in ("/api/v1/robot/emergency-stop", "/api/v1/robot/resume"):
        api.post(path, json={"reason": "a test"}, headers=person.headers)
    body = {"user_id": ada.id, "book_id": str(catalogue.add_book())}
    assert api.post("/api/v1/loans", json=body, headers=person.headers).status_code == 201
    away = {"X-Real-IP": "198.51.100.77"}
    changed = api.put(
        f"{USERS}/{person.id}", json={"last_name": "Quetzal"}, headers={**admin.headers, **away}
    )
    assert changed.status_code == 200
    exported = api.get(f"{USERS}/{person.id}/export", headers=admin.headers)
    with owner.connect() as connection:
        naming = {
            name
            for name in Base.metadata.tables
            for row in connection.execute(text(f"SELECT t::text FROM {name} AS t")).scalars()  # noqa: S608 (names of our tables)
            if str(person.id) in row
        }
    assert {"audit_logs", "copy_history", "stop_latches"} <= naming
    assert naming - _OF_EVENTS <= exported.json()["data"].keys()
    assert "198.51.100.77" not in exported.text  # the administrator's
    assert "Quetzal" in exported.text


def test_erasure_is_refused_with_reasons_while_something_is_open(
    api: Any, admin: SignedInUser, ada: RegisteredUser
) -> None:
    catalogue.make_map()
    body = {"book_id": str(catalogue.add_book()), "request_location": "SR-201"}
    request = api.post("/api/v1/requests", json=body, headers=ada.headers).json()["data"]
    refused = api.post("/api/v1/auth/me/erase", headers=ada.headers)
    assert code(refused) == (409, "CONFLICT")
    reasons = refused.json()["error"]["details"]["reasons"]
    assert [reason["code"] for reason in reasons] == ["OPEN_REQUESTS"]
    api.put(f"/api/v1/requests/{request['id']}/cancel", headers=ada.headers)
    assert api.post(f"{USERS}/{ada.id}/erase", headers=admin.headers).status_code == 200


def _all_of_redis() -> str:
    client = redis.client()
    keys: list[bytes] = list(client.scan_iter())
    dumped = [client.dump(key) or b"" for key in keys]
    return " ".join(part.decode(errors="replace").lower() for part in [*keys, *dumped])


def test_erasure_leaves_no_personal_value_anywhere(
    api: Any, owner: Engine, logged: Callable[[], str]
) -> None:
    """Search every table (the outbox among them), all of Redis, and the lines that were logged."""
    headers = {"X-Real-IP": "198.51.100.77", "User-Agent": "Zuse Browser"}
    person = {"first_name": "Zuzanna", "last_name": "Quetzal", "phone_number": "+48 555 010 7788"}
    body = form("zuzanna.quetzal@university.edu", **person)
    made = api.post(REGISTER, json=body, headers={**headers, "Idempotency-Key": "z"})
    token = made.json()["data"]["access_token"]
    headers["Authorization"] = f"Bearer {token}"
    api.put(ME, json={"first_name": "Zuzka"}, headers=headers)
    api.post(LOGIN, json={"email": body["email"], "password": "Loud-lamps-1"}, headers=headers)
    api.get("/api/v1/books?q=zuse", headers=headers)
    assert api.post("/api/v1/auth/me/erase", headers=headers).status_code == 200

    assert code(api.get(ME, headers=headers))[0] == 401
    personal = ("zuzanna", "zuzka", "quetzal", "555 010 7788", "198.51.100.77", "zuse")
    found = []
    with owner.connect() as connection:
        names = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        for name in list(names):
            whole = text(f'SELECT t::text FROM "{name}" AS t')  # noqa: S608 (names of our tables)
            for row in connection.execute(whole).scalars():
                found += [(name, word) for word in personal if word in row.lower()]
    found += [("redis", word) for word in personal if word in _all_of_redis()]
    lines = logged()
    assert '"event":"request"' in lines
    found += [("logs", word) for word in personal if word in lines]
    assert found == []
    login = {"email": "zuzanna.quetzal@university.edu", "password": PASSWORD}
    assert api.post(LOGIN, json=login).status_code == 401
    assert api.post(REGISTER, json=form(login["email"])).status_code == 201  # may come back


def test_registration_ignores_no_field_that_gives_power(api: Any) -> None:
    extras: tuple[dict[str, Any], ...] = (
        {"is_admin": True},
        {"roles": ["ADMIN"]},
        {"status": "ADMIN"},
        {"id": "019bc0de-7a31-7c52-9d1e-0f5c3b1a2e44"},
        {"user": {"role": "ADMIN"}},
        {"role": ["STUDENT", "ADMIN"]},
        {"role": {"value": "ADMIN"}},
    )
    for extra in extras:
        assert api.post(REGISTER, json={**form(), **extra}).status_code == 422
    body = json.dumps(form())
    for twice in (
        f'{{"role": "ADMIN", {body[1:]}',
        f'{body[:-1]}, "role": "STUDENT", "role": "ADMIN"}}',
    ):
        answered = api.post(REGISTER, content=twice, headers={"Content-Type": "application/json"})
        assert code(answered) == (403, "ROLE_NOT_ALLOWED")
    made = api.post(f"{REGISTER}?role=ADMIN&is_admin=true", json=form())
    assert made.json()["data"]["user"]["role"] == Role.STUDENT
