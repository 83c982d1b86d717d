"""Replace a robot that falls silent, or that nobody loads.

silence for 15 s before the loading → OFFLINE → the task is queued again for another robot. Nobody
loads for ten minutes → the same. A confirmation that names the first robot is refused.

The scheduler, a thread beside the Celery worker, runs both sweeps; SQLAlchemy voids the first
robot's commands in the transaction that queues the task again.
"""

from typing import Any

from sqlalchemy import Engine

from tests import event_runner
from tests.scenario import (
    Scenario,
    check_invariants,
    code_of,
    seconds_until_offline,
    start_scenario,
)


def test_task_of_a_silent_robot_is_queued_again(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    event_runner.run_periodic("robot.connectivity")
    scenario.advance_seconds(seconds_until_offline())
    event_runner.run_periodic("robot.connectivity")
    assert (scenario.state, scenario.task["attempt"]) == ("QUEUED", 2)
    scenario.robot.heartbeat()  # online again
    command = scenario.robot.next_command()
    assert command is None or command["type"] == "CANCEL"


def test_loading_of_the_replaced_robot_is_refused(api: Any, owner: Engine) -> None:
    scenario = start_scenario(api, robots=2).until_loading()
    scenario.advance_minutes(10)
    assigned = scenario.task["assigned_robot_id"]
    second = next(robot for robot in scenario.robots if str(robot.id) == assigned)
    first = next(robot for robot in scenario.robots if robot is not second)
    scenario.drive_robot(second)
    refused = scenario.as_librarian("book-placed", 409, robot_id=str(first.id))
    assert code_of(refused) == "WRONG_ROBOT"
    scenario.as_librarian("book-placed", robot_id=str(second.id))
    assert second.next_command()["payload"]["waypoint"]["name"] == "Study Room 201"
    assert first.next_command() is None
    check_invariants(owner)
