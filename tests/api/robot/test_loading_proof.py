"""A robot leaves only after staff confirmed the loading: attempts to get around that rule."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from backend.shared.domain import commands
from backend.shared.errors import RobotUnavailable
from backend.shared.infra import database, ids
from backend.shared.infra.services import SERVICES
from backend.shared.models import DeliveryTask, Stage, TaskStatus
from tests import event_runner, service_roles
from tests.factories import catalogue
from tests.scenario import Scenario


@pytest.fixture
def waiting(scenario: Scenario) -> Any:
    """The finished command that brought the empty robot to the desk."""
    scenario.request_delivery()
    scenario.run_events()
    command = scenario.drive_robot()
    assert scenario.state == "ASSIGNED/LOADING"
    return command


def _assert_no_command(scenario: Scenario) -> None:
    event_runner.run_periodic("robot.pending_commands")
    event_runner.run_periodic("robot.dispatch_sweep")
    scenario.run_events()
    assert scenario.robot.next_command() is None
    assert scenario.robot.heartbeat().json()["data"]["commands_waiting"] == 0
    assert scenario.state == "ASSIGNED/LOADING"


def test_repeated_polls_give_no_command(scenario: Scenario, waiting: Any) -> None:
    for _ in range(3):
        _assert_no_command(scenario)


def test_new_session_gives_no_command(scenario: Scenario, waiting: Any) -> None:
    scenario.robot.open_session()
    _assert_no_command(scenario)


def test_repeated_arrival_reports_give_no_command(scenario: Scenario, waiting: Any) -> None:
    for kind in ("ARRIVED", "SUCCEEDED", "ARRIVED", "STARTED", "FAILED"):
        scenario.robot.report(waiting, kind)
        _assert_no_command(scenario)


def test_report_of_unknown_command_or_other_robot_gives_no_command(
    scenario: Scenario, waiting: Any
) -> None:
    other = catalogue.add_robot(scenario.api, "luna-bot-2")
    assert other.report(waiting, "SUCCEEDED").status_code == 404
    unknown = {**waiting, "id": str(ids.uuid7())}
    assert scenario.robot.report(unknown, "SUCCEEDED").status_code == 404
    assert other.next_command() is None
    _assert_no_command(scenario)


def test_heartbeat_from_elsewhere_gives_no_command(scenario: Scenario, waiting: Any) -> None:
    for place in ("Study Room 201", None, "Circulation Desk"):
        scenario.robot.at = place
        scenario.robot.heartbeat(active_command=waiting["id"])
    _assert_no_command(scenario)


@pytest.mark.usefixtures("still_clock")
def test_expired_lease_and_restart_give_no_command(scenario: Scenario, waiting: Any) -> None:
    scenario.advance_seconds(14)
    scenario.robot.heartbeat()
    scenario.advance_seconds(2)
    event_runner.run_periodic("robot.leases")
    scenario.robot.open_session()
    _assert_no_command(scenario)


def test_stop_and_resume_give_no_command(scenario: Scenario, waiting: Any) -> None:
    scenario.call(scenario.librarian, "POST", "/robot/emergency-stop")
    scenario.call(scenario.librarian, "POST", "/robot/resume", json={"reason": "All clear"})
    _assert_no_command(scenario)


def test_redelivered_event_gives_no_command(scenario: Scenario) -> None:
    scenario.request_delivery()
    scenario.run_events()
    scenario.robot.drive(scenario.robot.next_command())
    arrived = event_runner.pending_events()
    scenario.run_events()
    for envelope in [*arrived, *reversed(arrived)]:
        event_runner.redeliver(envelope)
    _assert_no_command(scenario)


def test_event_without_inbox_row_gives_no_command(scenario: Scenario, owner: Engine) -> None:
    """Even without the inbox the event no longer fits the task's stage."""
    scenario.request_delivery()
    scenario.run_events()
    scenario.robot.drive(scenario.robot.next_command())
    arrived = event_runner.pending_events()
    scenario.run_events()
    with owner.begin() as connection:
        connection.execute(text("DELETE FROM processed_events"))
    for envelope in arrived:
        event_runner.redeliver(envelope)
    _assert_no_command(scenario)


def test_bridge_cannot_confirm_loading(scenario: Scenario, waiting: Any) -> None:
    path = f"/api/v1/deliveries/{scenario.task_id}/book-placed"
    assert scenario.api.put(path, headers=scenario.robot.headers).status_code == 403
    _assert_no_command(scenario)


def test_issue_navigation_refuses_without_proof(scenario: Scenario, waiting: Any) -> None:
    def drive_away() -> None:
        with database.transaction() as session:
            task = database.row_lock(session, DeliveryTask, UUID(scenario.task_id))
            task.status, task.stage = TaskStatus.IN_PROGRESS, Stage.TO_DESTINATION
            commands.issue_navigation(session, task)

    with pytest.raises(RobotUnavailable):
        drive_away()
    _assert_no_command(scenario)


_INSERT = """
    INSERT INTO robot_commands (id, robot_id, task_id, type, leg, loading_proof_id, payload,
                                status, attempt, created_at)
    VALUES (:id, :robot, :task, 'NAVIGATE', 'TO_DESTINATION', :proof, '{}', 'QUEUED', 0, now())
"""


def test_database_refuses_departure_command_without_proof(
    scenario: Scenario, waiting: Any, owner: Engine
) -> None:
    values = {
        "id": ids.uuid7(),
        "robot": scenario.robot.id,
        "task": scenario.task_id,
        "proof": None,
    }
    with pytest.raises(IntegrityError, match="loaded_before_it_leaves"), owner.begin() as direct:
        direct.execute(text(_INSERT), values)


def test_database_refuses_forged_or_foreign_proof(scenario: Scenario, owner: Engine) -> None:
    scenario.until_departed()
    with owner.connect() as connection:
        real = connection.scalar(text("SELECT id FROM loading_proofs"))
    first = scenario.task_id
    scenario.drive_robot()
    scenario.as_student("complete")
    scenario.run_events()
    scenario.book = catalogue.add_book("Another")
    scenario.request_delivery()
    scenario.run_events()
    for proof in (ids.uuid7(), real):
        values = {
            "id": ids.uuid7(),
            "robot": scenario.robot.id,
            "task": scenario.task_id,
            "proof": proof,
        }
        with pytest.raises(IntegrityError, match="loading_proof"), owner.begin() as direct:
            direct.execute(text(_INSERT), values)
    assert first != scenario.task_id


@pytest.mark.parametrize("program", SERVICES)
def test_service_cannot_alter_proof(scenario: Scenario, program: str) -> None:
    scenario.until_departed()
    for statement in ("UPDATE loading_proofs SET attempt = 9", "DELETE FROM loading_proofs"):
        with (
            service_roles.running_as(program),
            pytest.raises(DBAPIError, match="permission denied"),
            database.transaction() as session,
        ):
            session.execute(text(statement))
