"""Hold a robot on its way, and let it go on.

pause → the bridge receives it as a command and with its next heartbeat → the robot keeps its task →
resume → it drives on and arrives.

FastAPI answers the bridge's long poll, SQLAlchemy writes the command in the transaction of the
pause, pydantic checks what the robot reports.
"""

from tests.scenario import Scenario


def test_paused_robot_keeps_its_task_and_goes_on(scenario: Scenario) -> None:
    scenario.until_departed()
    drive = scenario.robot.next_command()
    path = f"/robot/robots/{scenario.robot.id}"

    scenario.call(scenario.librarian, "PUT", f"{path}/pause")
    assert scenario.robot.next_command()["type"] == "PAUSE"
    assert scenario.robot.heartbeat().json()["data"]["desired"] == "PAUSE"
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"

    scenario.call(scenario.librarian, "PUT", f"{path}/resume-task")
    assert scenario.robot.next_command()["type"] == "RESUME"
    assert scenario.robot.heartbeat().json()["data"]["desired"] == "RUN"
    scenario.robot.drive(drive)
    scenario.robot.heartbeat()
    scenario.run_events()
    assert scenario.state == "IN_PROGRESS/HANDOVER"
