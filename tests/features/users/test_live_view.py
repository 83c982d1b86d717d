"""Follow changes live over one WebSocket.

connect with the token → subscribe to `me` → snapshot → a request is created → its event arrives.

Starlette holds the socket, the relay publishes committed events to a Redis channel, the
connection manager sends each event to the subscribers of its topics.
"""

from typing import Any

from backend.shared.messaging import relay
from tests.scenario import Scenario


class NoBroker:
    """A broker that discards events: the live view does not need Celery."""

    def send_task(self, *_: Any, **__: Any) -> None:
        pass


def test_student_receives_a_snapshot_and_then_each_change(scenario: Scenario) -> None:
    path = "/api/v1/notifications/ws"
    with scenario.api.websocket_connect(path, headers=scenario.student.headers) as socket:
        socket.send_json({"action": "subscribe", "topics": ["me"]})
        first = socket.receive_json()
        assert (first["type"], first["topic"]) == ("snapshot", "me")
        scenario.request_delivery()
        relay.Relay(NoBroker()).relay_batch()  # type: ignore[arg-type]  # a fake at the port
        event = socket.receive_json()
        assert (event["type"], event["topic"]) == ("event", "me")
        assert event["event"] == "delivery.request.created"
        assert event["data"]["request_id"] == scenario.request["id"]
        assert event["pos"] > first["pos"]
