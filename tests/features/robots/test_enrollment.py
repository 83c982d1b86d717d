"""Enroll a robot.

admin registers the robot → one-time code → the bridge exchanges it for its key → session →
heartbeats: the robot is online.

FastAPI takes the calls, hashlib digests key and code before SQLAlchemy stores them, Redis holds
the latest heartbeat.
"""

from tests.factories import users
from tests.factories.catalogue import Bridge
from tests.scenario import Scenario, code_of


def test_new_robot_exchanges_its_code_for_a_key_and_comes_online(scenario: Scenario) -> None:
    admin = users.admin()
    body = {"robot_name": "luna-bot-7"}
    robot = scenario.call(admin, "POST", "/robot/robots", 201, json=body).json()["data"]
    path = f"/robot/robots/{robot['id']}/enrolment-code"
    code = scenario.call(admin, "POST", path, 201).json()["data"]["code"]

    enroll = {"code": code, "software_version": "1.0"}
    enrolled = scenario.call(None, "POST", "/robot/bridge/enroll", json=enroll).json()["data"]
    again = scenario.call(None, "POST", "/robot/bridge/enroll", 401, json=enroll)
    assert code_of(again) == "UNAUTHENTICATED"  # a code is valid once

    Bridge(scenario.api, enrolled["robot_id"], enrolled["key"]).open_session()
    assert scenario.get(scenario.librarian, f"/robot/status/{robot['id']}")["online"] is True
