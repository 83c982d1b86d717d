"""Stop all robots and let them continue.

stop → every command to move is void and the stop is answered by the bridge → the task keeps its
stage → resume with a reason → the robot receives a new command.

SQLAlchemy raises the stop version on a connection reserved for stops, Redis notifies the bridges'
long polls, FastAPI answers them.
"""

from tests.scenario import Scenario, code_of


def test_stopped_robot_receives_no_move_command_until_resume(scenario: Scenario) -> None:
    scenario.until_departed()
    drive = scenario.robot.next_command()
    scenario.robot.report(drive, "STARTED")

    stop = scenario.call(scenario.librarian, "POST", "/robot/emergency-stop").json()["data"]
    polled = scenario.robot.call("GET", "/stop?after=0&wait=0").json()["data"]
    assert (polled["stop_version"], polled["stopped"]) == (stop["stop_version"], True)
    assert code_of(scenario.robot.report(drive, "PROGRESS")) == "LEASE_LOST"
    assert scenario.robot.next_command() is None
    report = {"stop_version": stop["stop_version"], "type": "MOTION_STOPPED"}
    scenario.robot.call("POST", "/stop/events", json=report)
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"

    scenario.call(scenario.librarian, "POST", "/robot/resume", json={"reason": "All clear"})
    scenario.drive_robot()
    assert scenario.state == "IN_PROGRESS/HANDOVER"
