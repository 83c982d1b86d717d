"""POST /requests: who may have what brought where."""

import pytest
from sqlalchemy import Engine, text

from backend.shared.infra import config
from tests.factories import catalogue, users
from tests.scenario import Story, code_of, details_of


@pytest.mark.parametrize("place", ["Study Room 201", "STUDY room 201", "sr-201", " SR-201 "])
def test_a_place_may_be_named_in_any_case_or_by_its_code(tale: Story, place: str) -> None:
    made = tale.ask(place)
    assert made.json()["data"]["request_location"] == "Study Room 201"
    assert made.headers["location"] == f"/api/v1/requests/{tale.request['id']}"


def test_an_unknown_place_is_refused_with_the_nearest_names(tale: Story) -> None:
    refused = tale.ask("Study Rom 202", 422)
    assert code_of(refused) == "UNKNOWN_LOCATION"
    assert details_of(refused)["location"] == "Study Rom 202"
    assert details_of(refused)["nearest"][0] == "Study Room 202"


def test_no_book_is_brought_to_a_dock(tale: Story) -> None:
    assert code_of(tale.ask("Dock 1", 422)) == "UNKNOWN_LOCATION"
    listed = tale.get(tale.student, "/deliveries/locations")
    assert "Dock 1" not in [place["name"] for place in listed]


def test_a_request_reserves_the_copy_and_makes_the_journey(tale: Story) -> None:
    made = tale.ask(notes="Please ring").json()["data"]
    assert (made["status"], made["notes"], made["handover_code"]) == (
        "PENDING",
        "Please ring",
        None,
    )
    assert made["task"]["status"] == "PENDING"
    assert made["task"]["stage"] is None
    task = tale.task
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
    assert tale.custody() == "RESERVED"
    assert tale.get(tale.student, f"/books/{tale.book}/availability")["available"] is False


def test_the_same_student_can_not_ask_twice_for_a_title(tale: Story, owner: Engine) -> None:
    tale.ask()
    assert code_of(tale.ask(expect=409)) == "ALREADY_REQUESTED"
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM book_requests")) == 1


def test_the_last_copy_is_gone_for_the_next_student(tale: Story) -> None:
    tale.ask()
    tale.student = users.student()
    assert code_of(tale.ask(expect=409)) == "BOOK_NOT_AVAILABLE"


def test_an_unknown_book_is_not_found(tale: Story) -> None:
    tale.book = users.student().id
    assert code_of(tale.ask(expect=404)) == "NOT_FOUND"


def test_requests_under_way_count_towards_the_limit_of_loans(
    tale: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config.LoanSettings(loans_per_member=2)
    monkeypatch.setattr(config, "loans", lambda: settings)
    tale.lent()
    tale.book = catalogue.add_book("A Wizard of Earthsea")
    tale.ask()
    tale.book = catalogue.add_book("The Dispossessed")
    refused = tale.ask(expect=409)
    assert code_of(refused) == "LOAN_LIMIT_REACHED"
    assert details_of(refused) == {"limit": 2}


def test_a_librarian_asks_for_a_member_and_a_student_only_for_themselves(tale: Story) -> None:
    member = users.student()
    body = {"book_id": str(tale.book), "request_location": "SR-201", "user_id": str(member.id)}
    assert code_of(tale.call(tale.student, "POST", "/requests", 403, json=body)) == "FORBIDDEN"
    made = tale.call(tale.librarian, "POST", "/requests", 201, json=body).json()["data"]
    assert made["user_id"] == str(member.id)
    assert tale.get(member, "/requests")[0]["id"] == made["id"]


def test_anothers_request_is_not_there(tale: Story) -> None:
    tale.at_the_room()
    other = users.student()
    path = f"/requests/{tale.request['id']}"
    assert code_of(tale.call(other, "GET", path, 404)) == "NOT_FOUND"
    for action in ("cancel", "complete"):
        assert code_of(tale.step(other, action, 404)) == "NOT_FOUND"
    assert tale.get(other, "/requests") == []
    assert tale.state == "IN_PROGRESS/HANDOVER"


def test_staff_see_all_requests_and_filter_them(tale: Story) -> None:
    tale.ask()
    listed = tale.get(tale.librarian, f"/requests?user_id={tale.student.id}&status=PENDING")
    assert [each["id"] for each in listed] == [tale.request["id"]]
    assert tale.get(tale.librarian, "/requests?status=COMPLETED") == []


def test_a_body_with_an_unknown_field_is_refused_by_its_name(tale: Story) -> None:
    refused = tale.ask(expect=422, colour="red")
    assert code_of(refused) == "VALIDATION_ERROR"
    assert list(details_of(refused)["fields"]) == ["colour"]


def test_the_pick_list_names_books_in_shelf_order_until_they_are_loaded(tale: Story) -> None:
    tale.at_desk()
    listed = tale.get(tale.librarian, "/deliveries/pick-list")
    assert [row["task_id"] for row in listed] == [tale.task_id]
    assert listed[0]["robot_name"] == "luna-bot-1"
    tale.staff("book-placed")
    assert tale.get(tale.librarian, "/deliveries/pick-list") == []
