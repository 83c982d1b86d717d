"""One example a feature: what happens when things do not go straight."""

from typing import Any

from sqlalchemy import Engine

from tests import event_runner
from tests.factories import users
from tests.scenario import check_invariants, code_of, seconds_until_offline, start_scenario


def test_a_student_changes_their_mind_while_the_book_is_on_its_way(api: Any, owner: Engine) -> None:
    """The request is cancelled at once; the robot turns round; staff take the book back.

    request → loaded → cancel: request CANCELLED, journey BRINGING_BACK → robot at the desk →
    staff complete: journey CANCELLED, book on its shelf.
    """
    scenario = start_scenario(api).until_departed()
    assert scenario.as_student("cancel", reason="Found it").json()["data"]["status"] == "CANCELLED"
    assert scenario.state == "IN_PROGRESS/BRINGING_BACK"
    assert scenario.drive_robot()["payload"]["waypoint"]["name"] == "Circulation Desk"
    assert scenario.as_librarian("complete").json()["data"]["status"] == "CANCELLED"
    assert scenario.custody() == "ON_SHELF"
    check_invariants(owner)


def test_a_librarian_confirms_the_wrong_robot(api: Any, owner: Engine) -> None:
    """A delivery changed robots: naming the first one moves neither.

    robot 1 at the desk, nobody loads → freed, robot 2 is sent → “on robot 1” is refused.
    """
    scenario = start_scenario(api, robots=2).until_loading()
    scenario.advance_minutes(10)
    sent = scenario.task["assigned_robot_id"]
    second = next(robot for robot in scenario.robots if str(robot.id) == sent)
    other = next(robot for robot in scenario.robots if robot is not second)
    scenario.drive_robot(second)
    assert (
        code_of(scenario.as_librarian("book-placed", 409, robot_id=str(other.id))) == "WRONG_ROBOT"
    )
    assert [robot.next_command() for robot in scenario.robots] == [None, None]
    scenario.as_librarian("book-placed", robot_id=str(second.id))
    assert second.next_command()["payload"]["waypoint"]["name"] == "Study Room 201"
    check_invariants(owner)


def test_an_emergency_stop_and_its_end(api: Any, owner: Engine) -> None:
    """Stop: the drive is void and the task keeps its stage. Resume: it is told again.

    driving → stop → the bridge halts and says so → resume with a reason → a new command.
    """
    scenario = start_scenario(api).until_departed()
    drive = scenario.robot.next_command()
    scenario.robot.report(drive, "STARTED")
    stop = scenario.call(scenario.librarian, "POST", "/robot/emergency-stop").json()["data"]
    told = scenario.robot.call("GET", "/stop?after=0&wait=0").json()["data"]
    assert told == {"stop_version": stop["stop_version"], "stopped": True, "reason": None}
    assert code_of(scenario.robot.report(drive, "PROGRESS")) == "LEASE_LOST"
    stands = {"stop_version": stop["stop_version"], "type": "MOTION_STOPPED"}
    scenario.robot.call("POST", "/stop/events", json=stands)
    assert scenario.state == "IN_PROGRESS/TO_DESTINATION"
    scenario.call(scenario.librarian, "POST", "/robot/resume", json={"reason": "All clear"})
    scenario.drive_robot()
    assert scenario.state == "IN_PROGRESS/HANDOVER"
    check_invariants(owner)


def test_nobody_comes_to_the_robot(api: Any, owner: Engine) -> None:
    """Two reminders, then the robot brings the book back and the request ends as NO_SHOW."""
    scenario = start_scenario(api).until_handover()
    for _ in range(3):
        scenario.advance_minutes(3.4)
    assert (scenario.current_request["status"], scenario.current_request["cancel_reason"]) == (
        "CANCELLED",
        "NO_SHOW",
    )
    scenario.drive_robot()
    scenario.as_librarian("complete")
    assert scenario.custody() == "ON_SHELF"
    check_invariants(owner)


def test_a_phone_that_sends_twice_asks_once(api: Any, owner: Engine) -> None:
    """The same Idempotency-Key again gets the first answer again, byte for byte."""
    scenario = start_scenario(api)
    body = {"book_id": str(scenario.book), "request_location": "SR-201"}
    key = {"Idempotency-Key": "from-my-phone-1"}
    first = scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=key)
    again = scenario.call(scenario.student, "POST", "/requests", 201, json=body, headers=key)
    assert again.content == first.content
    assert len(scenario.get(scenario.student, "/requests")) == 1
    check_invariants(owner)


def test_a_robot_is_lost_on_its_way_to_the_desk(api: Any, owner: Engine) -> None:
    """15 s of silence: another robot takes over, and the first is not to be loaded."""
    scenario = start_scenario(api, robots=1)
    scenario.request_delivery()
    scenario.run_events()
    event_runner.run_periodic("robot.connectivity")
    scenario.advance_seconds(seconds_until_offline())
    event_runner.run_periodic("robot.connectivity")
    assert (scenario.state, scenario.task["attempt"]) == ("QUEUED", 2)
    scenario.robot.heartbeat()  # it is back, and free
    cancelled = scenario.robot.next_command()
    assert cancelled is None or cancelled["type"] == "CANCEL"
    check_invariants(owner)


def test_a_member_follows_the_journey(api: Any, owner: Engine) -> None:
    """The request shows stage, robot, arrival time and, at the door, the code for its owner."""
    scenario = start_scenario(api).until_departed()
    seen = scenario.current_request
    assert (seen["task"]["stage"], seen["handover_code"]) == ("TO_DESTINATION", None)
    assert seen["task"]["robot_position"]["floor"] == 1
    assert seen["task"]["eta"] > seen["requested_at"]
    scenario.drive_robot()
    assert len(scenario.current_request["handover_code"]) == 4
    told = [each["title"] for each in scenario.get(scenario.student, "/notifications")]
    assert len(told) >= 3
    scenario.call(users.student(), "GET", f"/requests/{scenario.request['id']}", 404)
    check_invariants(owner)
