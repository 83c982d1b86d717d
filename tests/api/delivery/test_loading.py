"""book-placed: nobody loads one robot and sends off another."""

import pytest
from sqlalchemy import Engine, text

from tests import event_runner, scenario
from tests.scenario import Story, code_of, details_of


@pytest.fixture
def two(api: object) -> Story:
    """A story with two robots; the delivery has changed from the first to the second."""
    tale = scenario.begin(api, robots=2)
    tale.robots[1].at = "Study Room 203"  # further away
    tale.robots[1].beat()
    tale.at_desk()
    tale.minutes(10)  # nobody loads it: the robot is freed, the task is given anew
    return tale


def _driven(owner: Engine) -> int:
    question = "SELECT count(*) FROM robot_commands WHERE leg = 'TO_DESTINATION'"
    with owner.connect() as connection:
        return int(connection.scalar(text(question)) or 0)


def test_what_is_named_must_be_right(tale: Story) -> None:
    tale.at_desk()
    barcode = tale.task["copy_barcode"]
    placed = tale.staff(
        "book-placed", robot_id=str(tale.robot.id), copy_barcode=barcode, attempt=1
    ).json()["data"]
    assert (placed["status"], placed["stage"]) == ("IN_PROGRESS", "TO_DESTINATION")
    assert tale.cause["status"] == "IN_PROGRESS"
    assert tale.custody() == "ON_ROBOT"


def test_another_copys_barcode_is_refused_naming_both(tale: Story, owner: Engine) -> None:
    tale.at_desk()
    refused = tale.staff("book-placed", 409, copy_barcode="999")
    assert code_of(refused) == "WRONG_COPY"
    assert details_of(refused) == {"expected": tale.task["copy_barcode"], "given": "999"}
    assert tale.state == "ASSIGNED/LOADING"
    assert _driven(owner) == 0


def test_the_wrong_robot_is_refused_after_a_reassignment_and_no_robot_moves(
    two: Story, owner: Engine
) -> None:
    first = two.task["history"][2]
    assert first["to_stage"] == "TO_SOURCE"
    assigned = two.task["assigned_robot_id"]
    at_desk = next(bot for bot in two.robots if str(bot.id) == assigned)
    other = next(bot for bot in two.robots if bot is not at_desk)
    two.drive(at_desk)
    assert two.state == "ASSIGNED/LOADING"
    refused = two.staff("book-placed", 409, robot_id=str(other.id))
    assert code_of(refused) == "WRONG_ROBOT"
    assert details_of(refused)["expected_robot_id"] == assigned
    assert _driven(owner) == 0
    assert at_desk.next() is None
    assert other.next() is None


def test_the_robot_must_be_named_once_the_delivery_has_changed_robots(
    two: Story, owner: Engine
) -> None:
    assigned = two.task["assigned_robot_id"]
    at_desk = next(bot for bot in two.robots if str(bot.id) == assigned)
    two.drive(at_desk)
    refused = two.staff("book-placed", 422)
    assert list(details_of(refused)["fields"]) == ["robot_id"]
    assert code_of(two.staff("book-placed", 409, attempt=1, robot_id=assigned)) == "WRONG_ROBOT"
    assert _driven(owner) == 0
    two.staff("book-placed", robot_id=assigned, attempt=2)
    assert at_desk.next()["payload"]["waypoint"]["name"] == "Study Room 201"


def test_a_confirmation_that_names_a_lost_robot_is_refused(tale: Story, owner: Engine) -> None:
    tale.at_desk()
    lost = str(tale.robot.id)
    tale.minutes(10)
    tale.run()
    tale.staff("book-placed", 409, robot_id=lost, attempt=1)
    assert _driven(owner) == 0


def test_placing_again_writes_one_proof_and_one_command(tale: Story, owner: Engine) -> None:
    tale.on_the_way()
    again = tale.staff("book-placed", robot_id=str(tale.robot.id))
    assert again.json()["data"]["stage"] == "TO_DESTINATION"
    assert _driven(owner) == 1
    with owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM loading_proofs")) == 1


@pytest.mark.parametrize("moment", ["asked", "driving"])
def test_nothing_is_loaded_before_the_robot_is_there(
    tale: Story, owner: Engine, moment: str
) -> None:
    tale.ask()
    if moment == "driving":
        tale.run()
    assert code_of(tale.staff("book-placed", 409)) == "INVALID_STATE_TRANSITION"
    assert _driven(owner) == 0


def test_a_return_is_not_loaded_by_staff(tale: Story) -> None:
    tale.lent()
    tale.ask_back()
    tale.run()
    tale.drive()
    assert code_of(tale.staff("book-placed", 409)) == "INVALID_STATE_TRANSITION"
    tale.mine("picked-up")
    assert code_of(tale.staff("book-placed", 409)) == "INVALID_STATE_TRANSITION"


def test_a_book_placed_while_the_robot_is_stopped_goes_after_the_resume(
    tale: Story, owner: Engine
) -> None:
    tale.at_desk()
    robot = f"/robot/emergency-stop/{tale.robot.id}"
    tale.call(tale.librarian, "POST", robot, json={"reason": "A child"})
    assert tale.staff("book-placed").json()["data"]["stage"] == "TO_DESTINATION"
    tale.run()
    assert _driven(owner) == 0
    assert tale.robot.next() is None
    resumed = f"/robot/resume/{tale.robot.id}"
    tale.call(tale.librarian, "POST", resumed, json={"reason": "All clear"})
    assert tale.robot.next()["payload"]["waypoint"]["name"] == "Study Room 201"


def test_a_book_placed_while_the_robot_is_in_error_goes_once_it_is_well(
    tale: Story, owner: Engine
) -> None:
    tale.at_desk()
    tale.robot.beat(errors=[{"type": "WHEEL", "level": "CRITICAL", "message": "stuck"}])
    tale.staff("book-placed")
    assert _driven(owner) == 0
    tale.robot.beat()
    event_runner.run_periodic("robot.owed_commands")
    assert tale.robot.next()["payload"]["waypoint"]["name"] == "Study Room 201"
