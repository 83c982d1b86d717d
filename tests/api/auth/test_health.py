"""`GET /health`: whether the whole system is whole, for anybody who asks."""

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


def _asked(api: Any) -> Any:
    answered = api.get("/health")
    assert answered.status_code == 200
    return answered.json()["data"]


def _all_beat() -> None:
    with database.transaction() as session:
        for part in system_health.BEATING:
            process_heartbeats.beat(session, part)


def _states(data: Any) -> dict[str, str]:
    return {part["name"]: part["state"] for part in data["parts"]}


def _watchdog(*, came_round_after: timedelta | None) -> None:
    with database.transaction() as session:
        sent = events.WatchdogSent(watchdog_id=ids.uuid7(), sent_at=clock.now())
        event_id = outbox.publish(session, sent)
        if came_round_after is not None:
            session.add(
                ProcessedEvent(
                    event_id=event_id,
                    consumer=WATCHDOG,
                    aggregate_id=sent.watchdog_id,
                    seq=1,
                    processed_at=clock.now() + came_round_after,
                )
            )


def test_it_is_whole_when_every_part_has_been_heard(api: Any) -> None:
    _all_beat()
    data = _asked(api)
    assert data["whole"] is True
    assert _states(data) == dict.fromkeys(["postgres", "redis", *system_health.BEATING], "UP")
    assert all(part["instances"] >= 1 for part in data["parts"][2:])


def test_a_silent_part_is_named(api: Any) -> None:
    _all_beat()
    advance_clock(timedelta(seconds=60))
    with database.transaction() as session:
        for part in system_health.BEATING:
            if part != "celery-worker":
                process_heartbeats.beat(session, part)
    data = _asked(api)
    assert data["whole"] is False
    down = [part for part in data["parts"] if part["state"] == "DOWN"]
    assert [part["name"] for part in down] == ["celery-worker"]
    assert down[0]["age_seconds"] >= 60
    assert down[0]["instances"] == 0


def test_the_watchdogs_round_is_told_and_a_late_one_counts(api: Any) -> None:
    _all_beat()
    assert _asked(api)["watchdog"]["state"] == "NONE"
    _watchdog(came_round_after=timedelta(seconds=0.25))
    data = _asked(api)
    assert data["watchdog"]["state"] == "OK"
    assert data["watchdog"]["round_trip_seconds"] == pytest.approx(0.25, abs=0.1)
    _watchdog(came_round_after=None)
    assert _asked(api)["watchdog"]["state"] == "OK"  # on its way
    advance_clock(timedelta(seconds=31))
    _all_beat()
    data = _asked(api)
    assert (data["watchdog"]["state"], data["whole"]) == ("LATE", False)


def test_it_answers_even_without_the_database(api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_answer(*_: Any) -> Any:
        raise OperationalError("SELECT 1", {}, ConnectionRefusedError())

    monkeypatch.setattr(async_database, "run", no_answer)
    data = _asked(api)
    assert data["whole"] is False
    assert _states(data)["postgres"] == "DOWN"
    assert _states(data)["book-service"] == "UNKNOWN"


def test_the_documentation_is_there_once_it_is_generated(
    api: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(system, "OPENAPI", tmp_path / "openapi.json")
    assert api.get("/api/v1/openapi.json").status_code == 404
    (tmp_path / "openapi.json").write_text('{"openapi": "3.1.0"}')
    answered = api.get("/api/v1/openapi.json")
    assert (answered.headers["content-type"], answered.json()) == (
        "application/json",
        {"openapi": "3.1.0"},
    )
    page = api.get("/api/v1/docs")
    assert "/api/v1/openapi.json" in page.text
    assert page.headers["content-type"].startswith("text/html")
