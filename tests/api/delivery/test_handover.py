"""The end of a delivery: the code, the member, and staff in their place."""

import pytest
from sqlalchemy import Engine, text

from tests.scenario import Story, code_of, details_of


def test_the_code_is_shown_to_the_requester_alone_and_only_at_the_hand_over(tale: Story) -> None:
    tale.at_desk()
    assert tale.cause["handover_code"] is None
    tale.staff("book-placed")
    assert tale.cause["handover_code"] is None
    tale.drive()
    shown = tale.cause
    assert len(shown["handover_code"]) == 4
    seen = tale.get(tale.librarian, f"/requests/{tale.request['id']}")
    assert seen["handover_code"] is None
    listed = tale.get(tale.librarian, "/requests")
    assert listed[0]["handover_code"] is None


def test_a_completed_delivery_is_a_loan_that_ends_on_an_open_day(
    tale: Story, owner: Engine
) -> None:
    tale.at_the_room()
    done = tale.mine("complete").json()["data"]
    assert (done["status"], done["task"]["status"]) == ("COMPLETED", "COMPLETED")
    assert tale.custody() == "ON_LOAN"
    with owner.connect() as connection:
        days, weekday = connection.execute(
            text("SELECT due_at::date - now()::date, extract(isodow FROM due_at) FROM loans")
        ).one()
    assert days in {28, 29}
    assert weekday != 7
    assert tale.get(tale.librarian, f"/robot/status/{tale.robot.id}")["status"] == "IDLE"


def test_completing_again_answers_the_same_and_writes_nothing(tale: Story, owner: Engine) -> None:
    tale.at_the_room()
    first = tale.mine("complete").json()["data"]
    counting = text("SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM loans)")
    with owner.connect() as connection:
        before = connection.execute(counting).one()
        assert tale.mine("complete").json()["data"] == first
        assert connection.execute(counting).one() == before


@pytest.mark.parametrize("leg", ["at_desk", "on_the_way"])
def test_nothing_is_complete_before_the_robot_is_there(tale: Story, leg: str) -> None:
    getattr(tale, leg)()
    state = tale.state
    refused = tale.mine("complete", 409)
    assert code_of(refused) == "INVALID_STATE_TRANSITION"
    assert details_of(refused)["current"] == state
    assert details_of(refused)["requested"] == "COMPLETE"
    assert "COMPLETE" not in details_of(refused)["allowed"]
    assert tale.state == state


def test_staff_complete_for_a_member_with_the_members_code(tale: Story, owner: Engine) -> None:
    tale.at_the_room()
    code = tale.cause["handover_code"]
    wrong = f"{(int(code) + 1) % 10000:04}"
    assert code_of(tale.step(tale.librarian, "complete", 422)) == "VALIDATION_ERROR"
    tale.step(tale.librarian, "complete", 422, handover_code=wrong)
    assert tale.state == "IN_PROGRESS/HANDOVER"
    tale.step(tale.librarian, "complete", handover_code=code)
    assert tale.cause["status"] == "COMPLETED"
    assert _audited(owner) == [(tale.librarian.id, {"with_code": True, "reason": None})]


def test_staff_complete_for_a_member_with_a_reason_which_is_audited(
    tale: Story, owner: Engine
) -> None:
    tale.at_the_room()
    tale.step(tale.librarian, "complete", reason="The screen is broken")
    reason = {"with_code": False, "reason": "The screen is broken"}
    assert _audited(owner) == [(tale.librarian.id, reason)]


def _audited(owner: Engine) -> list[tuple[object, ...]]:
    question = (
        "SELECT user_id, changes FROM audit_logs WHERE action = 'request.complete_for_member'"
    )
    with owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


def test_staff_can_not_complete_a_student_delivery_by_its_journey(tale: Story) -> None:
    tale.at_the_room()
    assert code_of(tale.staff("complete", 409)) == "INVALID_STATE_TRANSITION"
    assert tale.state == "IN_PROGRESS/HANDOVER"


def test_the_history_tells_the_whole_way(tale: Story) -> None:
    tale.lent()
    stages = [(step["to_status"], step["to_stage"]) for step in tale.task["history"]]
    assert stages == [
        ("PENDING", None),
        ("QUEUED", None),
        ("ASSIGNED", "TO_SOURCE"),
        ("ASSIGNED", "LOADING"),
        ("IN_PROGRESS", "TO_DESTINATION"),
        ("IN_PROGRESS", "HANDOVER"),
        ("COMPLETED", None),
    ]
    assert tale.task["history"][4]["changed_by"] == str(tale.librarian.id)
    assert tale.task["history"][6]["changed_by"] == str(tale.student.id)
