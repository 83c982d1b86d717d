"""Record the loading of a stopped robot, and let it go after the resume.

emergency stop while the robot waits at the desk → librarian places the book: 200, recorded → no
command to go → resume → the command is made, with the proof of the loading.

The stop is a latch row that nothing else locks; a trigger makes any command of a stopped robot
void.
"""

from tests import event_runner
from tests.scenario import Scenario


def test_loading_is_recorded_and_the_robot_leaves_after_the_resume(scenario: Scenario) -> None:
    scenario.until_loading()
    scenario.call(scenario.librarian, "POST", f"/robot/emergency-stop/{scenario.robot.id}")
    scenario.as_librarian("book-placed")
    assert (scenario.state, scenario.custody()) == ("IN_PROGRESS/TO_DESTINATION", "ON_ROBOT")
    assert scenario.robot.next_command() is None
    path = f"/robot/resume/{scenario.robot.id}"
    scenario.call(scenario.librarian, "POST", path, json={"reason": "The aisle is free"})
    event_runner.run_periodic("robot.pending_commands")
    assert scenario.drive_robot()["payload"]["loading_proof_id"]
    assert scenario.state == "IN_PROGRESS/HANDOVER"
