"""POST /requests: locations, limits and ownership; the pick list."""

import pytest
from sqlalchemy import Engine, text

from backend.shared.infra import config
from tests.factories import catalogue, users
from tests.scenario import Scenario, code_of, details_of


@pytest.mark.parametrize("place", ["Study Room 201", "STUDY room 201", "sr-201", " SR-201 "])
def test_location_is_accepted_in_any_case_or_by_code(scenario: Scenario, place: str) -> None:
    made = scenario.request_delivery(place)
    assert made.json()["data"]["request_location"] == "Study Room 201"
    assert made.headers["location"] == f"/api/v1/requests/{scenario.request['id']}"


def test_unknown_location_is_refused_with_nearest_names(scenario: Scenario) -> None:
    refused = scenario.request_delivery("Study Rom 202", 422)
    assert code_of(refused) == "UNKNOWN_LOCATION"
    assert details_of(refused)["location"] == "Study Rom 202"
    assert details_of(refused)["nearest"][0] == "Study Room 202"


def test_dock_is_no_delivery_location(scenario: Scenario) -> None:
    assert code_of(scenario.request_delivery("Dock 1", 422)) == "UNKNOWN_LOCATION"
    listed = scenario.get(scenario.student, "/deliveries/locations?limit=100")
    names = {place["name"] for place in listed}
    assert "Study Room 201" in names
    assert "Dock 1" not in names


def test_request_reserves_copy_and_creates_task(scenario: Scenario) -> None:
    made = scenario.request_delivery(notes="Please ring").json()["data"]
    assert (made["status"], made["notes"], made["handover_code"]) == (
        "PENDING",
        "Please ring",
        None,
    )
    assert made["task"]["status"] == "PENDING"
    assert made["task"]["stage"] is None
    task = scenario.task
    assert (task["task_type"], task["priority"], task["attempt"]) == (
        "STUDENT_DELIVERY",
        "NORMAL",
        1,
    )
    assert (task["source_location"], task["destination_location"]) == (
        "Circulation Desk",
        "Study Room 201",
    )
    assert [step["to_status"] for step in task["history"]] == ["PENDING"]
    assert scenario.custody() == "RESERVED"
    assert (
        scenario.get(scenario.student, f"/books/{scenario.book}/availability")["available"] is False
    )


def test_answer_of_a_new_request_is_what_is_read_afterwards(scenario: Scenario) -> None:
    """It is built from what was inserted, and not read again."""
    made = scenario.request_delivery(notes="Please ring").json()["data"]
    read = scenario.get(scenario.student, f"/requests/{made['id']}")
    assert made == read | {"task": read["task"] | {"queue_ahead": 0}}
    other = {
        "book_id": str(catalogue.add_book("A Wizard of Earthsea")),
        "request_location": "SR-201",
    }
    later = scenario.call(users.student(), "POST", "/requests", 201, json=other).json()["data"]
    assert later["task"]["queue_ahead"] == 1


def test_second_request_for_same_title_is_refused(scenario: Scenario, owner: Engine) -> None:
    scenario.request_delivery()
    assert code_of(scenario.request_delivery(expect=409)) == "ALREADY_REQUESTED"
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM book_requests")) == 1


def test_request_without_available_copy_is_refused(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.student = users.student()
    assert code_of(scenario.request_delivery(expect=409)) == "BOOK_NOT_AVAILABLE"


def test_unknown_book_is_not_found(scenario: Scenario) -> None:
    scenario.book = users.student().id
    assert code_of(scenario.request_delivery(expect=404)) == "NOT_FOUND"


def test_open_requests_count_towards_loan_limit(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.LoanSettings(loans_per_member=2)
    monkeypatch.setattr(config, "loans", lambda: settings)
    scenario.until_on_loan()
    scenario.book = catalogue.add_book("A Wizard of Earthsea")
    scenario.request_delivery()
    scenario.book = catalogue.add_book("The Dispossessed")
    refused = scenario.request_delivery(expect=409)
    assert code_of(refused) == "LOAN_LIMIT_REACHED"
    assert details_of(refused) == {"limit": 2}


def test_only_librarian_creates_request_for_another_member(
    scenario: Scenario,
) -> None:
    member = users.student()
    body = {"book_id": str(scenario.book), "request_location": "SR-201", "user_id": str(member.id)}
    assert (
        code_of(scenario.call(scenario.student, "POST", "/requests", 403, json=body)) == "FORBIDDEN"
    )
    made = scenario.call(scenario.librarian, "POST", "/requests", 201, json=body).json()["data"]
    assert made["user_id"] == str(member.id)
    assert scenario.get(member, "/requests")[0]["id"] == made["id"]


def test_request_of_another_student_is_not_found(scenario: Scenario) -> None:
    scenario.until_handover()
    other = users.student()
    path = f"/requests/{scenario.request['id']}"
    assert code_of(scenario.call(other, "GET", path, 404)) == "NOT_FOUND"
    for action in ("cancel", "complete"):
        assert code_of(scenario.act_as(other, action, 404)) == "NOT_FOUND"
    assert scenario.get(other, "/requests") == []
    assert scenario.state == "IN_PROGRESS/HANDOVER"


def test_staff_list_all_requests_with_filters(scenario: Scenario) -> None:
    scenario.request_delivery()
    listed = scenario.get(
        scenario.librarian, f"/requests?user_id={scenario.student.id}&status=PENDING"
    )
    assert [each["id"] for each in listed] == [scenario.request["id"]]
    assert scenario.get(scenario.librarian, "/requests?status=COMPLETED") == []


def test_new_request_is_seen_in_what_was_cached_of_its_title(scenario: Scenario) -> None:
    def statuses() -> list[str]:
        book = scenario.get(scenario.student, f"/books/{scenario.book}")
        found = scenario.get(scenario.student, "/books")
        return [each["status"] for each in (book, *found) if each["id"] == str(scenario.book)]

    assert statuses() == ["AVAILABLE", "AVAILABLE"]
    scenario.request_delivery()
    assert statuses() == ["RESERVED", "RESERVED"]


def test_unknown_field_is_refused_by_name(scenario: Scenario) -> None:
    refused = scenario.request_delivery(expect=422, colour="red")
    assert code_of(refused) == "VALIDATION_ERROR"
    assert list(details_of(refused)["fields"]) == ["colour"]


def test_pick_list_is_in_shelf_order_until_book_is_loaded(
    scenario: Scenario, owner: Engine
) -> None:
    def listed() -> list[tuple[str, str | None]]:
        rows = scenario.get(scenario.librarian, "/deliveries/pick-list")
        return [(row["task_id"], row["robot_name"]) for row in rows]

    loading = scenario.until_loading().task_id
    scenario.book, scenario.student = catalogue.add_book("A Wizard of Earthsea"), users.student()
    scenario.request_delivery()
    waiting = scenario.task_id
    with owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE copies SET shelf_location = CASE book_id WHEN :book THEN 'A' ELSE 'B' END"
            ),
            {"book": scenario.book},
        )
    assert listed() == [(waiting, None), (loading, "luna-bot-1")]
    scenario.task_id = loading
    scenario.as_librarian("book-placed")
    assert listed() == [(waiting, None)]
