"""Timeouts, offline robots and failed drives (workflow.md §4)."""

from sqlalchemy import Engine, text

from tests import event_runner
from tests.factories import catalogue
from tests.scenario import Scenario, code_of, seconds_until_offline, start_scenario


def _reminders(owner: Engine) -> list[str]:
    statement = (
        "SELECT payload ->> 'reason' FROM outbox "
        "WHERE event_type IN ('delivery.task.reminder', 'delivery.task.needs_attention') "
        "ORDER BY id"
    )
    with owner.connect() as connection:
        return list(connection.execute(text(statement)).scalars())


def test_loading_timeout_releases_robot_then_fails_task(scenario: Scenario, owner: Engine) -> None:
    scenario.until_loading()
    scenario.advance_minutes(4.2)
    assert _reminders(owner) == []
    scenario.advance_minutes(0.9)
    scenario.advance_minutes(0.1)
    assert _reminders(owner) == ["NOT_LOADED"]
    scenario.robot.heartbeat()
    scenario.advance_minutes(4.9)
    task = scenario.task
    assert (task["stage"], task["attempt"]) == ("TO_SOURCE", 2)  # released, then assigned again
    assert [step["to_status"] for step in task["history"]][-2:] == ["QUEUED", "ASSIGNED"]
    scenario.drive_robot()
    scenario.advance_minutes(10.1)
    task = scenario.task
    assert (task["status"], task["failure_reason"]) == ("FAILED", "NOT_LOADED")
    assert (scenario.current_request["status"], scenario.custody()) == ("APPROVED", "RESERVED")


def test_absent_receiver_is_reminded_twice_then_book_goes_back(
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


def test_unreceived_return_stays_on_robot_and_alerts_staff(
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


def test_task_without_robot_sends_one_reminder(api: object, owner: Engine) -> None:
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


def _go_offline(scenario: Scenario) -> None:
    event_runner.run_periodic("robot.connectivity")
    scenario.advance_seconds(seconds_until_offline())
    event_runner.run_periodic("robot.connectivity")


def test_task_of_robot_offline_before_loading_is_reassigned(api: object) -> None:
    scenario = start_scenario(api)
    scenario.until_loading()
    first = scenario.robot
    _go_offline(scenario)
    task = scenario.task
    assert (task["status"], task["attempt"]) == ("QUEUED", 2)
    second = catalogue.add_robot(api, "luna-bot-2")
    scenario.run_events()
    assert scenario.task["assigned_robot_id"] == str(second.id)
    refused = scenario.as_librarian("book-placed", 409, robot_id=str(first.id))
    assert code_of(refused) == "WRONG_ROBOT"
    first.heartbeat()
    assert first.next_command() is None


def test_command_of_offline_robot_is_void(
    scenario: Scenario,
) -> None:
    scenario.request_delivery()
    scenario.run_events()
    drive = scenario.robot.next_command()
    scenario.robot.report(drive, "ACCEPTED")
    scenario.robot.report(drive, "STARTED")
    _go_offline(scenario)
    assert scenario.state == "QUEUED"
    assert code_of(scenario.robot.report(drive, "PROGRESS")) == "LEASE_LOST"


def test_offline_robot_with_book_on_board_keeps_task_and_alerts_staff(
    scenario: Scenario, owner: Engine
) -> None:
    scenario.until_departed()
    _go_offline(scenario)
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    assert _reminders(owner) == ["ROBOT_OFFLINE"]
    scenario.robot.heartbeat()
    scenario.drive_robot()
    assert scenario.state == "IN_PROGRESS/HANDOVER"


def test_failed_drive_is_retried_then_task_is_released(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    for _ in range(3):
        scenario.robot.report(scenario.robot.next_command(), "FAILED", message="blocked")
        assert scenario.task["attempt"] == 1
        scenario.run_events()
    task = scenario.task
    assert task["attempt"] == 2
    assert task["history"][-2]["reason"] == "ROBOT_ERROR: blocked"


def test_failed_drive_with_book_on_board_alerts_staff(scenario: Scenario, owner: Engine) -> None:
    scenario.until_departed()
    for _ in range(3):
        scenario.robot.report(scenario.robot.next_command(), "FAILED", message="blocked")
        scenario.run_events()
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    assert _reminders(owner) == ["ROBOT_ERROR: blocked"]
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.robot.next_command() is None


def test_drive_that_failed_in_an_error_is_issued_again_when_the_error_is_gone(
    scenario: Scenario,
) -> None:
    scenario.until_departed()
    drive = scenario.robot.next_command()
    empty = {"type": "BATTERY_EMPTY", "level": "CRITICAL", "message": "The battery is empty."}
    scenario.robot.heartbeat(errors=[empty])
    scenario.robot.report(drive, "FAILED", message="The battery is empty.")
    scenario.run_events()
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.robot.next_command() is None
    scenario.robot.heartbeat()
    event_runner.run_periodic("robot.pending_commands")
    scenario.drive_robot()
    assert scenario.state == "IN_PROGRESS/HANDOVER"
