"""Call the catalogue by RPC.

one .proto file → generated Connect and gRPC code → the same service functions as REST → the same
rules, refusals and rows.

connectrpc serves the calls (JSON or binary), protovalidate checks the messages, SQLAlchemy as for
REST. `luna rpc` is a client for the shell; docs/rpc.md has one for each language.
"""

from typing import Any

from tests.scenario import API, Scenario


def _call(scenario: Scenario, method: str, body: Any, expect: int = 200) -> Any:
    path = f"/luna.v1.LibraryService/{method}"
    answer = scenario.api.post(path, json=body, headers=scenario.librarian.headers)
    assert answer.status_code == expect, answer.text
    return answer.json()


def test_book_borrowed_by_rpc_is_on_loan_for_everybody(scenario: Scenario) -> None:
    loan = {"memberId": str(scenario.student.id), "bookId": str(scenario.book)}
    _call(scenario, "BorrowBook", loan)
    seen = scenario.api.get(f"{API}/loans", headers=scenario.student.headers).json()["data"]
    assert [each["book_id"] for each in seen] == [str(scenario.book)]
    refused = _call(scenario, "BorrowBook", loan, expect=400)
    assert refused["code"] == "failed_precondition"
