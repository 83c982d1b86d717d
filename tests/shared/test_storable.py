"""Text, JSON and times that the database can't store are refused with 422, never 500."""

import importlib
import json
from typing import Any
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from backend.shared.infra import database
from backend.shared.infra.storable import MAX_JSON_DEPTH
from backend.shared.web.cors import Cors
from backend.shared.web.envelope import failure
from tests.factories import catalogue, users

UNSTORABLE = ('"\\u0000"', '"\\ud800"', "NaN", "1e999", '{"\\u0000": 1}', '[{"a": ["\\udfff"]}]')


def _nested(levels: int) -> str:
    return "[" * levels + "]" * levels


@pytest.mark.parametrize("value", [*UNSTORABLE, _nested(MAX_JSON_DEPTH)])
def test_unstorable_json_of_a_waypoint_is_refused(api: Any, value: str) -> None:
    waypoint = {"name": "Room", "location_code": "R-1", "kind": "DELIVERY_POINT", "x": 1, "y": 2}
    body = f'{json.dumps(waypoint)[:-1]}, "metadata": {{"note": {value}}}}}'
    headers = users.librarian().headers | {"Content-Type": "application/json"}
    answer = api.post("/api/v1/robot/waypoints", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert list(answer.json()["error"]["details"]["fields"]) == ["metadata"]


@pytest.mark.parametrize("value", UNSTORABLE)
def test_unstorable_sensor_data_is_refused(api: Any, value: str) -> None:
    catalogue.make_map()
    robot = catalogue.add_robot(api)
    beat = {"epoch": robot.epoch, "seq": 9, "pose": {"x": 0, "y": 0}, "battery": 0.5}
    body = f'{json.dumps(beat)[:-1]}, "sensors": {{"lidar": {value}}}}}'
    headers = robot.headers | {"Content-Type": "application/json"}
    answer = api.post("/api/v1/robot/bridge/heartbeat", content=body, headers=headers)
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize(
    "moment",
    ["2026-01-01T00:00:00+16:13", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+10:00"],
)
def test_odd_times_of_a_filter_are_no_server_error(api: Any, moment: str) -> None:
    answer = api.get(
        "/api/v1/deliveries",
        params={"from": moment, "to": moment},
        headers=users.librarian().headers,
    )
    assert answer.status_code == (200 if moment.startswith("2026") else 422), answer.text


def test_password_that_grows_by_normalization_is_wrong_credentials(api: Any) -> None:
    body = {"email": "nobody@luna.example", "password": "\ufdfa" * 1024}
    answer = api.post("/api/v1/auth/login", json=body)
    assert answer.status_code == 401, answer.text


def test_field_name_that_is_no_unicode_is_reported(api: Any) -> None:
    book = uuid4()
    body = f'{{"book_id": "{book}", "request_location": "SR-201", "\\ud800": 1}}'
    headers = users.student().headers | {"Content-Type": "application/json"}
    answer = api.post("/api/v1/requests", content=body, headers=headers)
    assert answer.status_code == 422, answer.text


def test_error_details_are_always_valid_json() -> None:
    body = json.loads(failure("NOT_FOUND", "No \ud800.", {"given": "\ud800", "\udfff": 1}))
    assert body["error"]["details"] == {"given": "?", "?": 1}


def test_parameters_of_statements_are_not_logged(servers: dict[str, str]) -> None:
    assert database.engine().hide_parameters


def _with_cors(api: Any) -> TestClient:
    return TestClient(Cors(api.app, ["https://app.example"]))


def test_preflight_of_an_allowed_origin_is_200_and_names_what_is_allowed(api: Any) -> None:
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "PUT"}
    answer = _with_cors(api).options("/api/v1/books", headers=headers)
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert "If-Match" in answer.headers["access-control-allow-headers"]


def test_other_origins_get_no_permission(api: Any) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}
    answer = _with_cors(api).options("/api/v1/books", headers=headers)
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-methods" not in answer.headers


def test_errors_can_be_read_by_an_allowed_origin(api: Any) -> None:
    answer = _with_cors(api).get("/api/v1/auth/me", headers={"Origin": "https://app.example"})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == "https://app.example"
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("service", ["auth", "book", "delivery", "robot", "notification"])
def test_each_service_has_its_own_openapi_document(servers: dict[str, str], service: str) -> None:
    app = importlib.import_module(f"backend.{service}.main").app
    document = TestClient(app).get("/openapi.json").json()
    assert document["info"]["title"] == f"LUNA {service}-service"
    assert document["paths"]
