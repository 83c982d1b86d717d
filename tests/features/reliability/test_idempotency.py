"""Repeat a request safely.

POST with an Idempotency-Key → the response is stored with the change → the same key and body
return the stored response; the same key with another body is refused.

FastAPI's dependency reads the key, SQLAlchemy stores the response in the transaction of the
change.
"""

from tests.scenario import Scenario, code_of


def test_repeated_request_returns_the_first_response(scenario: Scenario) -> None:
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    key = {"Idempotency-Key": "from-my-phone-1"}
    first = scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=key)
    again = scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=key)
    assert again.content == first.content
    assert len(scenario.get(scenario.student, "/requests")) == 1

    body["request_location"] = "SR-202"
    refused = scenario.call(scenario.student, "POST", "/requests", 409, json=body, headers=key)
    assert code_of(refused) == "IDEMPOTENCY_KEY_REUSED"
