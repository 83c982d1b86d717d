"""WebSocket frames that the application writes itself, serialized once for many sockets."""

from collections.abc import Callable, MutableMapping
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_EXTENSION = "luna.frames"
_TEXT = 0x81  # a whole message
_SHORT = 125
_MAX_16_BITS = 0xFFFF


def text_frame(text: str) -> bytes:
    """Return the frame of a text message from the server (RFC 6455 §5.2)."""
    payload = text.encode()
    size = len(payload)
    if size <= _SHORT:
        return bytes([_TEXT, size]) + payload
    if size <= _MAX_16_BITS:
        return bytes([_TEXT, 126]) + size.to_bytes(2, "big") + payload
    return bytes([_TEXT, 127]) + size.to_bytes(8, "big") + payload


def writer_of(scope: MutableMapping[str, Any]) -> Callable[[bytes], bool] | None:
    """Return the function that writes a frame on a socket; None on another server (tests)."""
    found: Callable[[bytes], bool] | None = (
        scope.get("extensions", {}).get(_EXTENSION, {}).get("write")
    )
    return found


class FrameWriter(WebSocketsSansIOProtocol):
    """A WebSocket whose application may write whole frames."""

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if hasattr(self, "scope"):  # the handshake was not refused
            (self.scope["extensions"] or {})[_EXTENSION] = {"write": self.write_frame}

    def write_frame(self, frame: bytes) -> bool:
        """Write a frame at once; False when the client must first read, or has gone."""
        is_open = self.handshake_complete and not (self.close_sent or self.disconnected)
        if not is_open or not self.writable.is_set() or self.transport.is_closing():
            return False
        self.transport.write(frame)
        return True
