"""Codecs of Connect: malformed messages get no text of a parser; JSON is as strict as in REST.

Unknown fields of JSON are refused: ignored, a value of an enumeration that is not known would count
as unspecified. JSON answers hold default values too.
"""

from typing import Any, TypeVar

from connectrpc.code import Code
from connectrpc.codec import Codec, proto_binary_codec, proto_json_codec
from connectrpc.errors import ConnectError
from protobuf import Message

V = TypeVar("V", bound=Message[Any])


class _Quiet:
    """A codec whose decoding errors name the message only."""

    def __init__(self, inner: Codec[Any, Any]) -> None:
        self._inner = inner

    def name(self) -> str:
        return self._inner.name()

    def encode(self, message: Any) -> bytes:
        return self._inner.encode(message)

    def decode(self, data: bytes | bytearray, message_class: type[V]) -> V:
        """Return the message; INVALID_ARGUMENT when the bytes are not one."""
        try:
            decoded: V = self._inner.decode(data, message_class)
        except Exception as error:
            raise ConnectError(
                Code.INVALID_ARGUMENT, f"The message is not a valid {message_class.__name__}."
            ) from error
        return decoded


class _Json(_Quiet):
    """JSON with false, 0 and empty lists, which curl and scripts would miss."""

    def encode(self, message: Any) -> bytes:
        text: str = message.to_json(always_emit_implicit=True)
        return text.encode()


BINARY = _Quiet(proto_binary_codec())
CODECS: list[Codec[Any, Any]] = [BINARY, _Json(proto_json_codec(ignore_unknown_fields=False))]
