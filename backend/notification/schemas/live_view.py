"""Response model of the live view's tickets."""

from pydantic import Field

from backend.shared.web.schemas import ResponseModel


class WsTicket(ResponseModel):
    """Opens one WebSocket: offer the subprotocols `luna.v1` and `ticket.<ticket>`."""

    ticket: str = Field(examples=["pYkz0Jm8c1nq0H2y7GdYQx3o5b8sVw4t6u9zA1B2C3D"])
    expires_in: int = Field(description="Seconds", examples=[30])
