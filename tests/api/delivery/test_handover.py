"""The hand-over: its code, completion by the member and by staff."""

import pytest
from sqlalchemy import Engine, text

from tests.scenario import Scenario, code_of, details_of


def test_handover_code_is_shown_to_requester_only_during_handover(
    scenario: Scenario,
) -> None:
    scenario.until_loading()
    assert scenario.current_request["handover_code"] is None
    scenario.as_librarian("book-placed")
    assert scenario.current_request["handover_code"] is None
    scenario.drive_robot()
    shown = scenario.current_request
    assert len(shown["handover_code"]) == 4
    seen = scenario.get(scenario.librarian, f"/requests/{scenario.request['id']}")
    assert seen["handover_code"] is None
    for reader, code in ((scenario.librarian, None), (scenario.student, shown["handover_code"])):
        for _ in range(2):  # what is remembered of a request is remembered by its reader
            assert scenario.get(reader, "/requests")[0]["handover_code"] == code


def test_completed_delivery_opens_loan_due_on_open_day(scenario: Scenario, owner: Engine) -> None:
    scenario.until_handover()
    done = scenario.as_student("complete").json()["data"]
    assert (done["status"], done["task"]["status"]) == ("COMPLETED", "COMPLETED")
    assert scenario.custody() == "ON_LOAN"
    with owner.connect() as connection:
        days, weekday = connection.execute(
            text("SELECT due_at::date - now()::date, extract(isodow FROM due_at) FROM loans")
        ).one()
    assert days in {28, 29}
    assert weekday != 7
    assert (
        scenario.get(scenario.librarian, f"/robot/status/{scenario.robot.id}")["status"] == "IDLE"
    )


def test_repeated_complete_answers_same_and_writes_nothing(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_handover()
    first = scenario.as_student("complete").json()["data"]
    counting = text("SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM loans)")
    with owner.connect() as connection:
        before = connection.execute(counting).one()
        assert scenario.as_student("complete").json()["data"] == first
        assert connection.execute(counting).one() == before


@pytest.mark.parametrize("leg", ["until_loading", "until_departed"])
def test_complete_before_arrival_is_refused(scenario: Scenario, leg: str) -> None:
    getattr(scenario, leg)()
    state = scenario.state
    refused = scenario.as_student("complete", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert details_of(refused)["current"] == state
    assert details_of(refused)["requested"] == "COMPLETE"
    assert "COMPLETE" not in details_of(refused)["allowed"]
    assert scenario.state == state


def test_staff_complete_with_handover_code(scenario: Scenario, owner: Engine) -> None:
    scenario.until_handover()
    code = scenario.current_request["handover_code"]
    wrong = f"{(int(code) + 1) % 10000:04}"
    assert code_of(scenario.act_as(scenario.librarian, "complete", 422)) == "VALIDATION_ERROR"
    scenario.act_as(scenario.librarian, "complete", 422, handover_code=wrong)
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    scenario.act_as(scenario.librarian, "complete", handover_code=code)
    assert scenario.current_request["status"] == "COMPLETED"
    assert _audit_entries(owner) == [(scenario.librarian.id, {"with_code": True, "reason": None})]


def test_code_is_refused_after_five_wrong_tries(scenario: Scenario) -> None:
    scenario.until_handover()
    code = scenario.current_request["handover_code"]
    wrong = f"{(int(code) + 1) % 10000:04}"
    left = []
    for _ in range(5):
        refused = scenario.act_as(scenario.librarian, "complete", 422, handover_code=wrong)
        assert code_of(refused) == "WRONG_CODE"
        left.append(details_of(refused)["tries_left"])
    assert left == [4, 3, 2, 1, 0]
    scenario.act_as(scenario.librarian, "complete", 422, handover_code=code)
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    scenario.act_as(scenario.librarian, "complete", reason="Showed the library card")
    assert scenario.current_request["status"] == "COMPLETED"


def test_right_code_resets_the_count_of_tries(scenario: Scenario) -> None:
    scenario.until_departed()
    scenario.drive_robot()
    code = scenario.current_request["handover_code"]
    wrong = f"{(int(code) + 1) % 10000:04}"
    for _ in range(4):
        scenario.act_as(scenario.librarian, "complete", 422, handover_code=wrong)
    scenario.act_as(scenario.librarian, "complete", handover_code=code)


def test_wait_at_the_door_is_extended_twice(scenario: Scenario) -> None:
    scenario.until_handover()
    first = scenario.current_request["task"]["wait_until"]
    for _ in range(2):
        extended = scenario.as_student("extend").json()["data"]
        assert extended["task"]["wait_until"] > first
    assert code_of(scenario.as_student("extend", 409)) == "CONFLICT"
    for minutes in (5, 5, 5, 4.9):
        scenario.advance_minutes(minutes)
        assert scenario.state == "IN_PROGRESS/HANDOVER"
    scenario.advance_minutes(0.2)
    assert scenario.state == "IN_PROGRESS/BRINGING_BACK"


def test_wait_is_extended_only_at_the_door_and_by_the_member(scenario: Scenario) -> None:
    scenario.until_departed()
    assert code_of(scenario.as_student("extend", 409)) == "INVALID_STATE_TRANSITION"
    assert scenario.act_as(scenario.librarian, "extend", 403)


@pytest.mark.parametrize("leg", ["request_delivery", "until_loading"])
def test_place_is_changed_until_the_robot_leaves(scenario: Scenario, leg: str) -> None:
    getattr(scenario, leg)()
    changed = scenario.as_student("place", request_location="sr-203").json()["data"]
    assert changed["request_location"] == "Study Room 203"
    assert scenario.task["destination_location"] == "Study Room 203"
    if leg == "until_loading":
        scenario.as_librarian("book-placed")
        assert scenario.drive_robot()["payload"]["waypoint"]["name"] == "Study Room 203"
        refused = scenario.as_student("place", 409, request_location="SR-201")
        assert code_of(refused) == "INVALID_STATE_TRANSITION"
        assert scenario.as_student("place", request_location="SR-203")  # where it goes already


def test_unknown_place_is_refused(scenario: Scenario) -> None:
    scenario.request_delivery()
    refused = scenario.as_student("place", 422, request_location="The moon")
    assert code_of(refused) == "UNKNOWN_LOCATION"


def test_staff_complete_with_reason_is_audited(scenario: Scenario, owner: Engine) -> None:
    scenario.until_handover()
    scenario.act_as(scenario.librarian, "complete", reason="The screen is broken")
    reason = {"with_code": False, "reason": "The screen is broken"}
    assert _audit_entries(owner) == [(scenario.librarian.id, reason)]


def _audit_entries(owner: Engine) -> list[tuple[object, ...]]:
    statement = (
        "SELECT user_id, changes FROM audit_logs WHERE action = 'request.complete_for_member'"
    )
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_staff_cannot_complete_student_delivery_by_its_task(scenario: Scenario) -> None:
    scenario.until_handover()
    assert code_of(scenario.as_librarian("complete", 409)) == "INVALID_STATE_TRANSITION"
    assert scenario.state == "IN_PROGRESS/HANDOVER"


def test_history_holds_every_transition(scenario: Scenario) -> None:
    scenario.until_on_loan()
    stages = [(step["to_status"], step["to_stage"]) for step in scenario.task["history"]]
    assert stages == [
        ("PENDING", None),
        ("QUEUED", None),
        ("ASSIGNED", "TO_SOURCE"),
        ("ASSIGNED", "LOADING"),
        ("IN_PROGRESS", "TO_DESTINATION"),
        ("IN_PROGRESS", "HANDOVER"),
        ("COMPLETED", None),
    ]
    assert scenario.task["history"][4]["changed_by"] == str(scenario.librarian.id)
    assert scenario.task["history"][6]["changed_by"] == str(scenario.student.id)
