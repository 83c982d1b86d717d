"""Response model of the live view's tickets, and the messages on its WebSocket."""

from typing import Any, Literal

from pydantic import Field

from backend.shared.web.schemas import ResponseModel, Timestamp


class WsTicket(ResponseModel):
    """Opens one WebSocket: offer the subprotocols `luna.v1` and `ticket.<ticket>`."""

    ticket: str = Field(examples=["pYkz0Jm8c1nq0H2y7GdYQx3o5b8sVw4t6u9zA1B2C3D"])
    expires_in: int = Field(description="Seconds", examples=[30])


class LiveMessage(ResponseModel):
    """What the server sends. `pos` counts the events of all topics; positions have none.

    `data` of a snapshot is the topic's present state: `truncated` says whether one of its lists was
    cut. `resync`: changes may be missing until the snapshot that follows.
    """

    v: Literal[1]
    type: Literal["snapshot", "event", "error", "pong", "resync"]
    topic: str | None
    pos: int | None
    event: str | None
    at: Timestamp
    data: dict[str, Any] | None
