"""A member watches: one WebSocket, a snapshot first, then every change as it happens.

connect with the token → subscribe to `me` → snapshot → a request is made → its event arrives.
"""

from typing import Any

from backend.shared.messaging import relay
from tests.scenario import start_scenario


class _Nowhere:
    """The live view needs no Celery."""

    def send_task(self, *_: Any, **__: Any) -> None:
        pass


def test_a_member_sees_their_request_live(api: Any) -> None:
    scenario = start_scenario(api)
    path = "/api/v1/notifications/ws"
    with api.websocket_connect(path, headers=scenario.student.headers) as socket:
        socket.send_json({"action": "subscribe", "topics": ["me"]})
        first = socket.receive_json()
        assert (first["type"], first["topic"]) == ("snapshot", "me")
        scenario.request_delivery()
        relay.Relay(_Nowhere()).relay_batch()  # type: ignore[arg-type]  # a stand-in at the port
        event = socket.receive_json()
        assert (event["type"], event["topic"]) == ("event", "me")
        assert event["event"] == "delivery.request.created"
        assert event["data"]["request_id"] == scenario.request["id"]
        assert event["pos"] > 0
