"""book-placed: nobody loads one robot and sends off another."""

import pytest
from sqlalchemy import Engine, text

from tests import event_runner
from tests.scenario import Scenario, code_of, details_of, start_scenario


@pytest.fixture
def two(api: object) -> Scenario:
    """A story with two robots; the delivery has changed from the first to the second."""
    scenario = start_scenario(api, robots=2)
    scenario.robots[1].at = "Study Room 203"  # further away
    scenario.robots[1].heartbeat()
    scenario.until_loading()
    scenario.advance_minutes(10)  # nobody loads it: the robot is freed, the task is given anew
    return scenario


def _driven(owner: Engine) -> int:
    question = "SELECT count(*) FROM robot_commands WHERE leg = 'TO_DESTINATION'"
    with owner.connect() as connection:
        return int(connection.scalar(text(question)) or 0)


def test_what_is_named_must_be_right(scenario: Scenario) -> None:
    scenario.until_loading()
    barcode = scenario.task["copy_barcode"]
    placed = scenario.as_librarian(
        "book-placed", robot_id=str(scenario.robot.id), copy_barcode=barcode, attempt=1
    ).json()["data"]
    assert (placed["status"], placed["stage"]) == ("IN_PROGRESS", "TO_DESTINATION")
    assert scenario.current_request["status"] == "IN_PROGRESS"
    assert scenario.custody() == "ON_ROBOT"


def test_another_copys_barcode_is_refused_naming_both(scenario: Scenario, owner: Engine) -> None:
    scenario.until_loading()
    refused = scenario.as_librarian("book-placed", 409, copy_barcode="999")
    assert code_of(refused) == "WRONG_COPY"
    assert details_of(refused) == {"expected": scenario.task["copy_barcode"], "given": "999"}
    assert scenario.state == "ASSIGNED/LOADING"
    assert _driven(owner) == 0


def test_the_wrong_robot_is_refused_after_a_reassignment_and_no_robot_moves(
    two: Scenario, owner: Engine
) -> None:
    first = two.task["history"][2]
    assert first["to_stage"] == "TO_SOURCE"
    assigned = two.task["assigned_robot_id"]
    at_desk = next(bot for bot in two.robots if str(bot.id) == assigned)
    other = next(bot for bot in two.robots if bot is not at_desk)
    two.drive_robot(at_desk)
    assert two.state == "ASSIGNED/LOADING"
    refused = two.as_librarian("book-placed", 409, robot_id=str(other.id))
    assert code_of(refused) == "WRONG_ROBOT"
    assert details_of(refused)["expected_robot_id"] == assigned
    assert _driven(owner) == 0
    assert at_desk.next_command() is None
    assert other.next_command() is None


def test_the_robot_must_be_named_once_the_delivery_has_changed_robots(
    two: Scenario, owner: Engine
) -> None:
    assigned = two.task["assigned_robot_id"]
    at_desk = next(bot for bot in two.robots if str(bot.id) == assigned)
    two.drive_robot(at_desk)
    refused = two.as_librarian("book-placed", 422)
    assert list(details_of(refused)["fields"]) == ["robot_id"]
    assert (
        code_of(two.as_librarian("book-placed", 409, attempt=1, robot_id=assigned)) == "WRONG_ROBOT"
    )
    assert _driven(owner) == 0
    two.as_librarian("book-placed", robot_id=assigned, attempt=2)
    assert at_desk.next_command()["payload"]["waypoint"]["name"] == "Study Room 201"


def test_a_confirmation_that_names_a_lost_robot_is_refused(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    lost = str(scenario.robot.id)
    scenario.advance_minutes(10)
    scenario.run_events()
    scenario.as_librarian("book-placed", 409, robot_id=lost, attempt=1)
    assert _driven(owner) == 0


def test_placing_again_writes_one_proof_and_one_command(scenario: Scenario, owner: Engine) -> None:
    scenario.until_departed()
    again = scenario.as_librarian("book-placed", robot_id=str(scenario.robot.id))
    assert again.json()["data"]["stage"] == "TO_DESTINATION"
    assert _driven(owner) == 1
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM loading_proofs")) == 1


@pytest.mark.parametrize("moment", ["asked", "driving"])
def test_nothing_is_loaded_before_the_robot_is_there(
    scenario: Scenario, owner: Engine, moment: str
) -> None:
    scenario.request_delivery()
    if moment == "driving":
        scenario.run_events()
    assert code_of(scenario.as_librarian("book-placed", 409)) == "INVALID_STATE_TRANSITION"
    assert _driven(owner) == 0


def test_a_return_is_not_loaded_by_staff(scenario: Scenario) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    assert code_of(scenario.as_librarian("book-placed", 409)) == "INVALID_STATE_TRANSITION"
    scenario.as_student("picked-up")
    assert code_of(scenario.as_librarian("book-placed", 409)) == "INVALID_STATE_TRANSITION"


def test_a_book_placed_while_the_robot_is_stopped_goes_after_the_resume(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    robot = f"/robot/emergency-stop/{scenario.robot.id}"
    scenario.call(scenario.librarian, "POST", robot, json={"reason": "A child"})
    assert scenario.as_librarian("book-placed").json()["data"]["stage"] == "TO_DESTINATION"
    scenario.run_events()
    assert _driven(owner) == 0
    assert scenario.robot.next_command() is None
    resumed = f"/robot/resume/{scenario.robot.id}"
    scenario.call(scenario.librarian, "POST", resumed, json={"reason": "All clear"})
    assert scenario.robot.next_command()["payload"]["waypoint"]["name"] == "Study Room 201"


def test_a_book_placed_while_the_robot_is_in_error_goes_once_it_is_well(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    scenario.robot.heartbeat(errors=[{"type": "WHEEL", "level": "CRITICAL", "message": "stuck"}])
    scenario.as_librarian("book-placed")
    assert _driven(owner) == 0
    scenario.robot.heartbeat()
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.robot.next_command()["payload"]["waypoint"]["name"] == "Study Room 201"
