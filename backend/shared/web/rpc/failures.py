"""Errors of a call: each exception as a code, a message and details, by the table of errors.py.

Details are those that every gRPC client knows: ErrorInfo with LUNA's code as its reason, BadRequest
with the fields of an invalid message, PreconditionFailure with several reasons of a refusal.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from protobuf import Message

from backend.shared.errors import LunaError
from backend.shared.infra import logs
from backend.shared.proto.gen.google.rpc.error_details_pb import (
    BadRequest,
    ErrorInfo,
    PreconditionFailure,
)
from backend.shared.web import error_handlers

_log = logs.get(__name__)
_DOMAIN = "luna"
# As Connect answers each code; the codes that only a client or a proxy makes are left out.
HTTP_STATUS = {
    Code.INVALID_ARGUMENT: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
    Code.INTERNAL: 500,
}


def of(error: Exception) -> ConnectError:
    """Return the error that the caller gets; what is unexpected is logged and has no inner text."""
    if isinstance(error, ConnectError):
        return error
    known = error_handlers.as_luna_error(error)
    if known is None:
        _log.error("unexpected error", exc_info=error)
        known = LunaError()
    return ConnectError(Code[known.grpc], known.text, list(_details(known)))


def _details(error: LunaError) -> Iterator[Message[Any]]:
    details = error.details.items()
    plain = {name: str(value) for name, value in details if not isinstance(value, dict | list)}
    yield ErrorInfo(reason=error.code, domain=_DOMAIN, metadata=plain)
    if fields := error.details.get("fields"):
        yield BadRequest(field_violations=list(_field_violations(fields)))
    if reasons := error.details.get("reasons"):
        yield PreconditionFailure(
            violations=[
                PreconditionFailure.Violation(
                    type=str(each["code"]), description=str(each["message"])
                )
                for each in reasons
            ]
        )


def _field_violations(fields: Mapping[str, list[str]]) -> Iterator[BadRequest.FieldViolation]:
    for field, violations in fields.items():
        for violation in violations:
            yield BadRequest.FieldViolation(field=field, description=violation)
