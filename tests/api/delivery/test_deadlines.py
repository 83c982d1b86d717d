"""When nobody comes, and when a robot falls silent (workflow.md §4)."""

from sqlalchemy import Engine, text

from tests import event_runner, scenario
from tests.factories import catalogue
from tests.scenario import Story


def _reminders(owner: Engine) -> list[str]:
    question = (
        "SELECT payload ->> 'reason' FROM outbox "
        "WHERE event_type IN ('delivery.task.reminder', 'delivery.task.needs_attention') "
        "ORDER BY id"
    )
    with owner.connect() as connection:
        return list(connection.execute(text(question)).scalars())


def test_a_robot_that_nobody_loads_is_freed_and_the_second_time_the_task_fails(
    tale: Story, owner: Engine
) -> None:
    tale.at_desk()
    tale.minutes(4.9)
    assert _reminders(owner) == []
    tale.minutes(0.2)
    tale.minutes(0.1)
    assert _reminders(owner) == ["NOT_LOADED"]
    tale.robot.beat()
    tale.minutes(4.9)
    task = tale.task
    assert (task["stage"], task["attempt"]) == ("TO_SOURCE", 2)  # freed, and sent again
    assert [step["to_status"] for step in task["history"]][-2:] == ["QUEUED", "ASSIGNED"]
    tale.drive()
    tale.minutes(10.1)
    task = tale.task
    assert (task["status"], task["failure_reason"]) == ("FAILED", "NOT_LOADED")
    assert (tale.cause["status"], tale.custody()) == ("APPROVED", "RESERVED")


def test_a_receiver_who_does_not_come_is_reminded_twice_then_the_book_goes_back(
    tale: Story, owner: Engine
) -> None:
    tale.at_the_room()
    for minutes in (3.4, 0.1, 3.3, 0.1):
        tale.minutes(minutes)
    assert _reminders(owner) == ["NO_SHOW", "NO_SHOW"]
    assert tale.state == "IN_PROGRESS/HANDOVER"
    tale.minutes(3.4)
    assert tale.state == "IN_PROGRESS/BRINGING_BACK"
    assert (tale.cause["status"], tale.cause["cancel_reason"]) == ("CANCELLED", "NO_SHOW")
    assert tale.drive()["payload"]["waypoint"]["name"] == "Circulation Desk"
    tale.minutes(10.1)
    tale.minutes(1)
    assert _reminders(owner)[2:] == ["NOT_RECEIVED"]
    tale.staff("complete")
    assert tale.custody() == "ON_SHELF"


def test_a_fetched_book_stays_on_the_robot_and_staff_are_told(tale: Story, owner: Engine) -> None:
    tale.lent()
    tale.ask_back()
    tale.run()
    tale.drive()
    tale.mine("picked-up")
    tale.drive()
    tale.minutes(10.1)
    assert tale.state == "IN_PROGRESS/HANDOVER"
    assert _reminders(owner)[-1] == "NOT_RECEIVED"
    tale.staff("complete")


def test_people_are_told_once_when_no_robot_is_free_for_a_while(api: object, owner: Engine) -> None:
    tale = scenario.begin(api, robots=0)
    tale.ask()
    tale.run()
    assert tale.state == "QUEUED"
    for minutes in (4, 1.1, 5, 5):
        tale.minutes(minutes)
    assert _reminders(owner) == ["NO_ROBOT"]
    tale.robots.append(catalogue.add_robot(api))
    tale.run()  # a robot that comes online wakes the dispatcher
    assert tale.state == "ASSIGNED/TO_SOURCE"


def _falls_silent(tale: Story) -> None:
    event_runner.run_periodic("robot.connectivity")
    tale.let_pass(scenario.offline_after())
    event_runner.run_periodic("robot.connectivity")


def test_a_task_whose_robot_is_lost_before_loading_is_given_to_another(api: object) -> None:
    tale = scenario.begin(api)
    tale.at_desk()
    first = tale.robot
    _falls_silent(tale)
    task = tale.task
    assert (task["status"], task["attempt"]) == ("QUEUED", 2)
    second = catalogue.add_robot(api, "luna-bot-2")
    tale.run()
    assert tale.task["assigned_robot_id"] == str(second.id)
    refused = tale.staff("book-placed", 409, robot_id=str(first.id))
    assert scenario.code_of(refused) == "WRONG_ROBOT"
    first.beat()
    assert first.next() is None


def test_a_lost_robots_command_is_void_and_it_is_told_to_halt_when_it_comes_back(
    tale: Story,
) -> None:
    tale.ask()
    tale.run()
    drive = tale.robot.next()
    tale.robot.report(drive, "ACCEPTED")
    tale.robot.report(drive, "STARTED")
    _falls_silent(tale)
    assert tale.state == "QUEUED"
    assert scenario.code_of(tale.robot.report(drive, "PROGRESS")) == "LEASE_LOST"


def test_a_robot_lost_with_the_book_on_board_keeps_its_task_and_staff_are_told(
    tale: Story, owner: Engine
) -> None:
    tale.on_the_way()
    _falls_silent(tale)
    assert tale.state == "IN_PROGRESS/TO_DESTINATION"
    assert _reminders(owner) == ["ROBOT_OFFLINE"]
    tale.robot.beat()
    tale.drive()
    assert tale.state == "IN_PROGRESS/HANDOVER"


def test_a_drive_that_fails_is_tried_again_then_another_robot_does_it(tale: Story) -> None:
    tale.ask()
    tale.run()
    for _ in range(3):
        tale.robot.report(tale.robot.next(), "FAILED", message="blocked")
        assert tale.task["attempt"] == 1
        tale.run()
    task = tale.task
    assert task["attempt"] == 2
    assert task["history"][-2]["reason"] == "ROBOT_ERROR: blocked"


def test_a_loaded_robot_that_can_not_go_on_waits_for_staff(tale: Story, owner: Engine) -> None:
    tale.on_the_way()
    for _ in range(3):
        tale.robot.report(tale.robot.next(), "FAILED", message="blocked")
        tale.run()
    assert tale.state == "IN_PROGRESS/TO_DESTINATION"
    assert _reminders(owner) == ["ROBOT_ERROR: blocked"]
    event_runner.run_periodic("robot.owed_commands")
    assert tale.robot.next() is None
