"""Show a person what is stored about them, and erase it.

export: every row that refers to the person, without secrets → erasure is refused while a request is
open → the account is anonymized and its sessions end.

SQLAlchemy finds the rows by the foreign keys of the models, PostgreSQL erases in a function of its
own, cryptography encrypts the personal values of the audit log with a key that is destroyed.
"""

from tests.scenario import Scenario, code_of


def test_person_reads_what_is_stored_and_is_erased_once_nothing_is_open(
    scenario: Scenario,
) -> None:
    scenario.request_delivery()
    rows = scenario.get(scenario.student, "/auth/me/export")
    assert [row["id"] for row in rows["book_requests"]] == [scenario.request["id"]]
    assert scenario.student.email in str(rows)

    refused = scenario.call(scenario.student, "POST", "/auth/me/erase", 409)
    assert code_of(refused) == "CONFLICT"
    scenario.as_student("cancel")
    scenario.call(scenario.student, "POST", "/auth/me/erase")
    assert code_of(scenario.call(scenario.student, "GET", "/auth/me", 401)) == "TOKEN_REVOKED"
