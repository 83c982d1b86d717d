"""book-placed: what it checks, and when the robot departs."""

import pytest
from sqlalchemy import Engine, text

from tests import event_runner
from tests.scenario import Scenario, code_of, details_of, start_scenario


@pytest.fixture
def reassigned(api: object) -> Scenario:
    """Two robots; the task was released by the first and assigned again."""
    scenario = start_scenario(api, robots=2)
    scenario.robots[1].at = "Study Room 203"  # further away
    scenario.robots[1].heartbeat()
    scenario.until_loading()
    scenario.advance_minutes(10)  # not loaded: the robot is released, the task is assigned again
    return scenario


def _drives_to_destination(owner: Engine) -> int:
    statement = "SELECT count(*) FROM robot_commands WHERE leg = 'TO_DESTINATION'"
    with owner.connect() as connection:
        return int(connection.scalar(text(statement)) or 0)


def test_book_placed_with_matching_robot_copy_and_attempt_departs(scenario: Scenario) -> None:
    scenario.until_loading()
    barcode = scenario.task["copy_barcode"]
    placed = scenario.as_librarian(
        "book-placed", robot_id=str(scenario.robot.id), copy_barcode=barcode, attempt=1
    ).json()["data"]
    assert (placed["status"], placed["stage"]) == ("IN_PROGRESS", "TO_DESTINATION")
    assert scenario.current_request["status"] == "IN_PROGRESS"
    assert scenario.custody() == "ON_ROBOT"


def test_barcode_of_another_copy_is_refused_with_both_barcodes(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    refused = scenario.as_librarian("book-placed", 409, copy_barcode="999")
    assert code_of(refused) == "WRONG_COPY"
    assert details_of(refused) == {"expected": scenario.task["copy_barcode"], "given": "999"}
    assert scenario.state == "ASSIGNED/LOADING"
    assert _drives_to_destination(owner) == 0


def test_wrong_robot_after_reassignment_is_refused_and_no_robot_moves(
    reassigned: Scenario, owner: Engine
) -> None:
    first = reassigned.task["history"][2]
    assert first["to_stage"] == "TO_SOURCE"
    assigned = reassigned.task["assigned_robot_id"]
    at_desk = next(bot for bot in reassigned.robots if str(bot.id) == assigned)
    other = next(bot for bot in reassigned.robots if bot is not at_desk)
    reassigned.drive_robot(at_desk)
    assert reassigned.state == "ASSIGNED/LOADING"
    refused = reassigned.as_librarian("book-placed", 409, robot_id=str(other.id))
    assert code_of(refused) == "WRONG_ROBOT"
    assert details_of(refused)["expected_robot_id"] == assigned
    assert _drives_to_destination(owner) == 0
    assert at_desk.next_command() is None
    assert other.next_command() is None


def test_robot_id_is_required_after_reassignment(reassigned: Scenario, owner: Engine) -> None:
    assigned = reassigned.task["assigned_robot_id"]
    at_desk = next(bot for bot in reassigned.robots if str(bot.id) == assigned)
    reassigned.drive_robot(at_desk)
    refused = reassigned.as_librarian("book-placed", 422)
    assert list(details_of(refused)["fields"]) == ["robot_id"]
    assert (
        code_of(reassigned.as_librarian("book-placed", 409, attempt=1, robot_id=assigned))
        == "WRONG_ROBOT"
    )
    assert _drives_to_destination(owner) == 0
    reassigned.as_librarian("book-placed", robot_id=assigned, attempt=2)
    assert at_desk.next_command()["payload"]["waypoint"]["name"] == "Study Room 201"


def test_book_placed_for_earlier_attempt_is_refused(scenario: Scenario, owner: Engine) -> None:
    scenario.until_loading()
    lost = str(scenario.robot.id)
    scenario.advance_minutes(10)
    scenario.run_events()
    refused = scenario.as_librarian("book-placed", 409, robot_id=lost, attempt=1)
    assert code_of(refused) == "WRONG_ROBOT"
    assert _drives_to_destination(owner) == 0


def test_repeated_book_placed_writes_one_proof_and_one_command(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_departed()
    again = scenario.as_librarian("book-placed", robot_id=str(scenario.robot.id))
    assert again.json()["data"]["stage"] == "TO_DESTINATION"
    assert _drives_to_destination(owner) == 1
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM loading_proofs")) == 1


@pytest.mark.parametrize("moment", ["asked", "driving"])
def test_book_placed_before_arrival_is_refused(
    scenario: Scenario, owner: Engine, moment: str
) -> None:
    scenario.request_delivery()
    if moment == "driving":
        scenario.run_events()
    assert code_of(scenario.as_librarian("book-placed", 409)) == "INVALID_STATE_TRANSITION"
    assert _drives_to_destination(owner) == 0


def test_staff_cannot_confirm_loading_of_return(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    assert code_of(scenario.as_librarian("book-placed", 409)) == "INVALID_STATE_TRANSITION"
    scenario.as_student("picked-up")
    assert code_of(scenario.as_librarian("book-placed", 409)) == "INVALID_STATE_TRANSITION"


def test_book_placed_on_stopped_robot_departs_after_resume(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    robot = f"/robot/emergency-stop/{scenario.robot.id}"
    scenario.call(scenario.librarian, "POST", robot, json={"reason": "A child"})
    assert scenario.as_librarian("book-placed").json()["data"]["stage"] == "TO_DESTINATION"
    scenario.run_events()
    assert _drives_to_destination(owner) == 0
    assert scenario.robot.next_command() is None
    resumed = f"/robot/resume/{scenario.robot.id}"
    scenario.call(scenario.librarian, "POST", resumed, json={"reason": "All clear"})
    assert scenario.wait_for_command()["payload"]["waypoint"]["name"] == "Study Room 201"


def test_book_placed_on_robot_in_error_departs_after_recovery(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    scenario.robot.heartbeat(errors=[{"type": "WHEEL", "level": "CRITICAL", "message": "stuck"}])
    scenario.as_librarian("book-placed")
    assert _drives_to_destination(owner) == 0
    scenario.robot.heartbeat()
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.robot.next_command()["payload"]["waypoint"]["name"] == "Study Room 201"
