"""When nobody comes, and when a robot falls silent (workflow.md §4)."""

from sqlalchemy import Engine, text

from tests import event_runner
from tests.factories import catalogue
from tests.scenario import Scenario, code_of, seconds_until_offline, start_scenario


def _reminders(owner: Engine) -> list[str]:
    question = (
        "SELECT payload ->> 'reason' FROM outbox "
        "WHERE event_type IN ('delivery.task.reminder', 'delivery.task.needs_attention') "
        "ORDER BY id"
    )
    with owner.connect() as connection:
        return list(connection.execute(text(question)).scalars())


def test_a_robot_that_nobody_loads_is_freed_and_the_second_time_the_task_fails(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_loading()
    scenario.advance_minutes(4.9)
    assert _reminders(owner) == []
    scenario.advance_minutes(0.2)
    scenario.advance_minutes(0.1)
    assert _reminders(owner) == ["NOT_LOADED"]
    scenario.robot.heartbeat()
    scenario.advance_minutes(4.9)
    task = scenario.task
    assert (task["stage"], task["attempt"]) == ("TO_SOURCE", 2)  # freed, and sent again
    assert [step["to_status"] for step in task["history"]][-2:] == ["QUEUED", "ASSIGNED"]
    scenario.drive_robot()
    scenario.advance_minutes(10.1)
    task = scenario.task
    assert (task["status"], task["failure_reason"]) == ("FAILED", "NOT_LOADED")
    assert (scenario.current_request["status"], scenario.custody()) == ("APPROVED", "RESERVED")


def test_a_receiver_who_does_not_come_is_reminded_twice_then_the_book_goes_back(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_handover()
    for minutes in (3.4, 0.1, 3.3, 0.1):
        scenario.advance_minutes(minutes)
    assert _reminders(owner) == ["NO_SHOW", "NO_SHOW"]
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    scenario.advance_minutes(3.4)
    assert scenario.state == "IN_PROGRESS/BRINGING_BACK"
    assert (scenario.current_request["status"], scenario.current_request["cancel_reason"]) == (
        "CANCELLED",
        "NO_SHOW",
    )
    assert scenario.drive_robot()["payload"]["waypoint"]["name"] == "Circulation Desk"
    scenario.advance_minutes(10.1)
    scenario.advance_minutes(1)
    assert _reminders(owner)[2:] == ["NOT_RECEIVED"]
    scenario.as_librarian("complete")
    assert scenario.custody() == "ON_SHELF"


def test_a_fetched_book_stays_on_the_robot_and_staff_are_told(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_on_loan()
    scenario.request_return()
    scenario.run_events()
    scenario.drive_robot()
    scenario.as_student("picked-up")
    scenario.drive_robot()
    scenario.advance_minutes(10.1)
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    assert _reminders(owner)[-1] == "NOT_RECEIVED"
    scenario.as_librarian("complete")


def test_people_are_told_once_when_no_robot_is_free_for_a_while(api: object, owner: Engine) -> None:
    scenario = start_scenario(api, robots=0)
    scenario.request_delivery()
    scenario.run_events()
    assert scenario.state == "QUEUED"
    for minutes in (4, 1.1, 5, 5):
        scenario.advance_minutes(minutes)
    assert _reminders(owner) == ["NO_ROBOT"]
    scenario.robots.append(catalogue.add_robot(api))
    scenario.run_events()  # a robot that comes online wakes the dispatcher
    assert scenario.state == "ASSIGNED/TO_SOURCE"


def _falls_silent(scenario: Scenario) -> None:
    event_runner.run_periodic("robot.connectivity")
    scenario.advance_seconds(seconds_until_offline())
    event_runner.run_periodic("robot.connectivity")


def test_a_task_whose_robot_is_lost_before_loading_is_given_to_another(api: object) -> None:
    scenario = start_scenario(api)
    scenario.until_loading()
    first = scenario.robot
    _falls_silent(scenario)
    task = scenario.task
    assert (task["status"], task["attempt"]) == ("QUEUED", 2)
    second = catalogue.add_robot(api, "luna-bot-2")
    scenario.run_events()
    assert scenario.task["assigned_robot_id"] == str(second.id)
    refused = scenario.as_librarian("book-placed", 409, robot_id=str(first.id))
    assert code_of(refused) == "WRONG_ROBOT"
    first.heartbeat()
    assert first.next_command() is None


def test_a_lost_robots_command_is_void_and_it_is_told_to_halt_when_it_comes_back(
    scenario: Scenario,
) -> None:
    scenario.request_delivery()
    scenario.run_events()
    drive = scenario.robot.next_command()
    scenario.robot.report(drive, "ACCEPTED")
    scenario.robot.report(drive, "STARTED")
    _falls_silent(scenario)
    assert scenario.state == "QUEUED"
    assert code_of(scenario.robot.report(drive, "PROGRESS")) == "LEASE_LOST"


def test_a_robot_lost_with_the_book_on_board_keeps_its_task_and_staff_are_told(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_departed()
    _falls_silent(scenario)
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    assert _reminders(owner) == ["ROBOT_OFFLINE"]
    scenario.robot.heartbeat()
    scenario.drive_robot()
    assert scenario.state == "IN_PROGRESS/HANDOVER"


def test_a_drive_that_fails_is_tried_again_then_another_robot_does_it(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    for _ in range(3):
        scenario.robot.report(scenario.robot.next_command(), "FAILED", message="blocked")
        assert scenario.task["attempt"] == 1
        scenario.run_events()
    task = scenario.task
    assert task["attempt"] == 2
    assert task["history"][-2]["reason"] == "ROBOT_ERROR: blocked"


def test_a_loaded_robot_that_can_not_go_on_waits_for_staff(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_departed()
    for _ in range(3):
        scenario.robot.report(scenario.robot.next_command(), "FAILED", message="blocked")
        scenario.run_events()
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    assert _reminders(owner) == ["ROBOT_ERROR: blocked"]
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.robot.next_command() is None
