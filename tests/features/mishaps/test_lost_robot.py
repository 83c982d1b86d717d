"""Give the task of a robot that falls silent before the loading to another one.

robot waits at the desk → 15 s without a heartbeat: OFFLINE → the task is queued again (attempt 2)
and a second robot comes → a confirmation that names the first one is refused → the second one is
loaded and leaves; the first one, back online, gets nothing to do.

The scheduler sweeps the connectivity; the first robot's commands are void in the transaction that
queues the task again.
"""

from tests import event_runner
from tests.factories import catalogue
from tests.scenario import Scenario, code_of, seconds_until_offline


def test_nobody_loads_one_robot_and_sends_off_another(scenario: Scenario) -> None:
    scenario.until_loading()
    first = scenario.robot
    event_runner.run_periodic("robot.connectivity")
    scenario.advance_seconds(seconds_until_offline())
    event_runner.run_periodic("robot.connectivity")
    assert (scenario.state, scenario.task["attempt"]) == ("QUEUED", 2)
    second = catalogue.add_robot(scenario.api, "luna-bot-2")
    scenario.run_events()
    scenario.drive_robot(second)
    refused = scenario.as_librarian("book-placed", 409, robot_id=str(first.id))
    assert code_of(refused) == "WRONG_ROBOT"
    scenario.as_librarian("book-placed", robot_id=str(second.id))
    first.heartbeat()
    assert first.next_command() is None
    assert scenario.drive_robot(second)["payload"]["waypoint"]["name"] == "Study Room 201"
