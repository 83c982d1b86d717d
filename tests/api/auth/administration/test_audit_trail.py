"""The audit trail: append-only, chained by hash, personal values encrypted."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from backend.shared.domain import audit
from backend.shared.infra import database, ids
from ops.commands.security import verify_audit
from tests.api.auth.registered_user import ME, RegisteredUser
from tests.factories import users

_WRITES = 30


def _problems(owner: Engine) -> list[tuple[Any, str]]:
    with owner.connect() as connection:
        found = connection.execute(text("SELECT audit_id, problem FROM verify_audit()"))
        return [(row.audit_id, row.problem) for row in found]


def _tamper(owner: Engine, statement: str, **values: Any) -> None:
    with owner.begin() as connection:
        connection.execute(text(statement), values)


def _record(number: int) -> None:
    with database.transaction() as session:
        audit.record(session, actor_id=None, action=f"test.{number}", resource=("test", number))


@pytest.fixture
def entries(api: Any, owner: Engine) -> list[Any]:
    """Entries of concurrent transactions, in the order of the chain."""
    with ThreadPoolExecutor(10) as many:
        list(many.map(_record, range(_WRITES)))
    with owner.connect() as connection:
        return list(
            connection.execute(text("SELECT audit_id FROM audit_chain ORDER BY seq")).scalars()
        )


def test_concurrent_entries_make_one_chain(entries: list[Any], owner: Engine) -> None:
    assert len(entries) == _WRITES
    assert _problems(owner) == []
    with owner.connect() as connection:
        places = connection.execute(text("SELECT seq FROM audit_chain ORDER BY seq")).scalars()
        assert list(places) == list(range(1, _WRITES + 1))


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit_logs SET action = 'other' WHERE id = :id", "changed"),
        ("UPDATE audit_logs SET changes = '{\"a\": 1}' WHERE id = :id", "changed"),
        (
            "UPDATE audit_logs SET created_at = created_at + interval '1 us' WHERE id = :id",
            "changed",
        ),
        ("DELETE FROM audit_logs WHERE id = :id", "deleted"),
    ],
)
def test_verification_names_the_tampered_entry(
    entries: list[Any], owner: Engine, statement: str, problem: str
) -> None:
    _tamper(owner, statement, id=entries[12])
    assert _problems(owner) == [(entries[12], problem)]


def test_verification_names_an_entry_cut_out_of_the_chain(
    entries: list[Any], owner: Engine
) -> None:
    for statement in (
        "DELETE FROM audit_chain WHERE audit_id = :id",
        "DELETE FROM audit_logs WHERE id = :id",
    ):
        _tamper(owner, statement, id=entries[12])
    assert _problems(owner)[0] == (entries[13], "broken link")


def test_verification_names_an_entry_added_behind_the_chain(
    entries: list[Any], owner: Engine
) -> None:
    added = ids.uuid7()
    _tamper(
        owner,
        "ALTER TABLE audit_logs DISABLE TRIGGER chain_audit_entry; "
        "INSERT INTO audit_logs (id, action, resource_type, changes, created_at) "
        "VALUES (:id, 'x', 'x', '{}', now()); "
        "ALTER TABLE audit_logs ENABLE TRIGGER chain_audit_entry",
        id=added,
    )
    assert _problems(owner) == [(added, "not in the chain")]


def test_command_names_the_tampered_entry(
    entries: list[Any], owner: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_audit.run() == 0
    assert f"{_WRITES} entries" in capsys.readouterr().out
    _tamper(
        owner, "UPDATE audit_logs SET user_id = NULL, action = 'no' WHERE id = :id", id=entries[3]
    )
    assert verify_audit.run() == 1
    assert f"Entry {entries[3]}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_logs SET action = 'x'",
        "DELETE FROM audit_logs",
        "TRUNCATE audit_logs",
        "UPDATE audit_chain SET seq = 1",
        "DELETE FROM audit_chain",
        "INSERT INTO audit_chain VALUES (now(), 1, gen_random_uuid(), '', '')",
        "DELETE FROM person_keys",
        "UPDATE person_keys SET secret = ''",
        "ALTER TABLE audit_logs DISABLE TRIGGER chain_audit_entry",
        "SELECT chain_audit_entry()",
    ],
)
def test_role_of_the_application_changes_nothing(
    servers: dict[str, str], entries: list[Any], statement: str
) -> None:
    refused = pytest.raises(ProgrammingError, match=r"permission denied|must be owner")
    with refused, database.transaction() as session:
        session.execute(text(statement))


def test_key_of_a_person_is_destroyed_only_after_erasure(api: Any, ada: RegisteredUser) -> None:
    refused = pytest.raises(ProgrammingError, match="the account is in use")
    with refused, database.transaction() as session:
        session.execute(text("SELECT erase_person(:id, now())"), {"id": ada.id})


def test_administrators_read_personal_values_that_are_stored_encrypted(
    api: Any, ada: RegisteredUser, audit_trail: Callable[[], list[Any]]
) -> None:
    headers = {**ada.headers, "X-Real-IP": "203.0.113.77"}
    assert api.put(ME, json={"first_name": "Augusta"}, headers=headers).status_code == 200
    stored = " ".join(str(row) for row in audit_trail())
    assert "Augusta" not in stored
    assert "203.0.113.77" not in stored
    query = {"action": "user.profile_changed"}
    listed = api.get("/api/v1/auth/audit-logs", params=query, headers=users.admin().headers)
    (entry,) = listed.json()["data"]
    assert entry["changes"] == {"first_name": {"before": "Ada", "after": "Augusta"}}
    assert entry["ip_address"] == "203.0.113.77"
