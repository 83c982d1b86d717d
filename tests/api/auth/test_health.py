"""`GET /health`: the state of every component."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from backend.auth.endpoints import system
from backend.auth.service import system_health
from backend.shared import events
from backend.shared.infra import async_database, clock, database, ids
from backend.shared.messaging import outbox, process_heartbeats
from backend.shared.messaging.subscriptions import WATCHDOG
from backend.shared.models import ProcessedEvent
from tests.event_runner import advance_clock


def _get_health(api: Any) -> Any:
    response = api.get("/health")
    assert response.status_code == 200
    return response.json()["data"]


def _record_all_heartbeats() -> None:
    with database.transaction() as session:
        for part in system_health.COMPONENTS:
            process_heartbeats.record(session, part)


def _states(data: Any) -> dict[str, str]:
    return {part["name"]: part["state"] for part in data["parts"]}


def _publish_watchdog(*, processed_after: timedelta | None) -> None:
    with database.transaction() as session:
        sent = events.WatchdogSent(watchdog_id=ids.uuid7(), sent_at=clock.now())
        event_id = outbox.publish(session, sent)
        if processed_after is not None:
            session.add(
                ProcessedEvent(
                    event_id=event_id,
                    consumer=WATCHDOG,
                    aggregate_id=sent.watchdog_id,
                    seq=1,
                    processed_at=clock.now() + processed_after,
                )
            )


def test_health_is_whole_when_every_component_has_a_heartbeat(api: Any) -> None:
    _record_all_heartbeats()
    data = _get_health(api)
    assert data["whole"] is True
    assert _states(data) == dict.fromkeys(["postgres", "redis", *system_health.COMPONENTS], "UP")
    assert {part["instances"] for part in data["parts"][2:]} == {1}


def test_health_names_component_without_heartbeat(api: Any) -> None:
    _record_all_heartbeats()
    advance_clock(timedelta(seconds=60))
    with database.transaction() as session:
        for part in system_health.COMPONENTS:
            if part != "celery-worker":
                process_heartbeats.record(session, part)
    data = _get_health(api)
    assert data["whole"] is False
    down = [part for part in data["parts"] if part["state"] == "DOWN"]
    assert [part["name"] for part in down] == ["celery-worker"]
    assert 60 <= down[0]["age_seconds"] < 65
    assert down[0]["instances"] == 0


@pytest.mark.usefixtures("still_clock")
def test_health_reports_watchdog_round_trip_and_delay(api: Any) -> None:
    _record_all_heartbeats()
    assert _get_health(api)["watchdog"]["state"] == "NONE"
    _publish_watchdog(processed_after=timedelta(seconds=0.25))
    data = _get_health(api)
    assert data["watchdog"]["state"] == "OK"
    assert data["watchdog"]["round_trip_seconds"] == 0.25
    _publish_watchdog(processed_after=None)
    assert _get_health(api)["watchdog"]["state"] == "OK"  # pending
    advance_clock(timedelta(seconds=31))
    _record_all_heartbeats()
    data = _get_health(api)
    assert (data["watchdog"]["state"], data["whole"]) == ("LATE", False)


def test_health_responds_without_database(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*_: Any) -> Any:
        raise OperationalError("SELECT 1", {}, ConnectionRefusedError())

    monkeypatch.setattr(async_database, "run", unreachable)
    data = _get_health(api)
    assert data["whole"] is False
    assert _states(data)["postgres"] == "DOWN"
    assert _states(data)["book-service"] == "UNKNOWN"


def test_openapi_document_is_served_once_generated(
    api: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(system, "OPENAPI", tmp_path / "openapi.json")
    assert api.get("/api/v1/openapi.json").status_code == 404
    (tmp_path / "openapi.json").write_text('{"openapi": "3.1.0"}')
    response = api.get("/api/v1/openapi.json")
    assert (response.headers["content-type"], response.json()) == (
        "application/json",
        {"openapi": "3.1.0"},
    )
    page = api.get("/api/v1/docs")
    assert "/api/v1/openapi.json" in page.text
    assert page.headers["content-type"].startswith("text/html")
