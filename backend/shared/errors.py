"""Every error that a caller can meet, declared once with its HTTP and gRPC status (api.md §3).

Services raise these; one handler answers them (`backend.shared.web.app`). The message is a sentence
a person can act on. Data given to an error becomes `details`.
"""

from typing import Any, ClassVar


class LunaError(Exception):
    """Base of all expected failures. `message` is a format string over the data."""

    status: ClassVar[int] = 500
    grpc: ClassVar[str] = "INTERNAL"
    code: ClassVar[str] = "INTERNAL_ERROR"
    message: ClassVar[str] = "Something went wrong on our side."
    retry_after: int | None = None

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.text = message or self.message.format(**details)
        self.details = details
        super().__init__(self.text)


# --- kinds -----------------------------------------------------------------------------------


class NotSignedIn(LunaError):
    status, grpc, code = 401, "UNAUTHENTICATED", "UNAUTHENTICATED"
    message = "Sign in first: send a valid access token."


class Forbidden(LunaError):
    status, grpc, code = 403, "PERMISSION_DENIED", "FORBIDDEN"
    message = "You are not allowed to do this."


class NotFound(LunaError):
    status, grpc, code = 404, "NOT_FOUND", "NOT_FOUND"
    message = "There is no such thing here."


class Conflict(LunaError):
    status, grpc, code = 409, "FAILED_PRECONDITION", "CONFLICT"
    message = "This contradicts what is already there."


class Duplicate(Conflict):
    grpc = "ALREADY_EXISTS"


class Invalid(LunaError):
    """A value that no rule accepts; `fields` maps a field's path to its complaints."""

    status, grpc, code = 422, "INVALID_ARGUMENT", "VALIDATION_ERROR"
    message = "Some values are not acceptable; see the fields."


def invalid(field: str, complaint: str) -> Invalid:
    return Invalid(fields={field: [complaint]})


# --- request as such -------------------------------------------------------------------------


class MalformedJson(LunaError):
    status, grpc, code = 400, "INVALID_ARGUMENT", "MALFORMED_JSON"
    message = "The body is not valid JSON."


class MethodNotAllowed(LunaError):
    status, grpc, code = 405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED"
    message = "This path does not know that method."


class PayloadTooLarge(LunaError):
    status, grpc, code = 413, "INVALID_ARGUMENT", "PAYLOAD_TOO_LARGE"
    message = "The body is larger than this path accepts."


class UnsupportedMediaType(LunaError):
    status, grpc, code = 415, "INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE"
    message = "This path does not accept that kind of content."


class RateLimited(LunaError):
    status, grpc, code = 429, "RESOURCE_EXHAUSTED", "RATE_LIMITED"
    message = "Too many requests. Wait a moment and try again."
    retry_after = 1


class ServiceUnavailable(LunaError):
    status, grpc, code = 503, "UNAVAILABLE", "SERVICE_UNAVAILABLE"
    message = "A part of the system does not answer at the moment. Try again shortly."
    retry_after = 2


class BadGateway(LunaError):
    """Answered by the gateway itself while a service restarts."""

    status, grpc, code = 502, "UNAVAILABLE", "BAD_GATEWAY"
    message = "The service does not answer at the moment. Try again shortly."
    retry_after = 1


class StaleVersion(LunaError):
    status, grpc, code = 412, "ABORTED", "STALE_VERSION"
    message = "This was changed since you read it. Read it again, then repeat your change."


class PageTooDeep(Invalid):
    code = "PAGE_TOO_DEEP"
    message = "Pages past the 10000th row are not served. Narrow the filters."


class IdempotencyKeyReused(Conflict):
    code = "IDEMPOTENCY_KEY_REUSED"
    message = "This Idempotency-Key was used with another body."


# --- who is calling --------------------------------------------------------------------------


class TokenExpired(NotSignedIn):
    code = "TOKEN_EXPIRED"
    message = "The access token has expired. Refresh it."


class TokenRevoked(NotSignedIn):
    code = "TOKEN_REVOKED"
    message = "This session has ended. Sign in again."


class InvalidCredentials(NotSignedIn):
    code = "INVALID_CREDENTIALS"
    message = "E-mail or password is wrong."


class AccountInactive(Forbidden):
    code = "ACCOUNT_INACTIVE"
    message = "This account is not active. Ask the library."


class RoleNotAllowed(Forbidden):
    code = "ROLE_NOT_ALLOWED"
    message = "Your role does not allow this."


class EmailTaken(Duplicate):
    code = "EMAIL_TAKEN"
    message = "An account with this e-mail exists already."


# --- the library -----------------------------------------------------------------------------


class IsbnTaken(Duplicate):
    code = "ISBN_TAKEN"
    message = "A book with ISBN {isbn} exists already."


class BookNotAvailable(Conflict):
    code = "BOOK_NOT_AVAILABLE"
    message = "No copy of this book is free at the moment."


class BookInUse(Conflict):
    code = "BOOK_IN_USE"
    message = "A copy of this book is out, reserved or travelling."


class UnknownLocation(Invalid):
    code = "UNKNOWN_LOCATION"
    message = "No robot can come to “{location}”."


class AlreadyRequested(Duplicate):
    code = "ALREADY_REQUESTED"
    message = "You have already asked for this book."


class AlreadyReturning(Duplicate):
    code = "ALREADY_RETURNING"
    message = "This book is already being fetched."


class NotBorrowed(Conflict):
    code = "NOT_BORROWED"
    message = "You have not borrowed this book."


class LoanLimitReached(Conflict):
    code = "LOAN_LIMIT_REACHED"
    message = "You have reached the limit of {limit} books."


class InvalidStateTransition(Conflict):
    code = "INVALID_STATE_TRANSITION"
    message = "This is not possible now: it is {current}, you asked for {requested}."


# --- robots ----------------------------------------------------------------------------------


class RobotUnavailable(Conflict):
    code = "ROBOT_UNAVAILABLE"
    message = "The robot cannot be used at the moment."


class RobotStopped(Conflict):
    code = "ROBOT_STOPPED"
    message = "The robot is under an emergency stop. Resume it first."


class WrongRobot(Conflict):
    code = "WRONG_ROBOT"
    message = "This delivery travels on {expected}, not on {given}."


class WrongCopy(Conflict):
    code = "WRONG_COPY"
    message = "This delivery is for copy {expected}; you have {given}."


class StaleEpoch(Conflict):
    grpc = "ABORTED"
    code = "STALE_EPOCH"
    message = "A newer session drives this robot. Stop."


class LeaseLost(Conflict):
    grpc = "ABORTED"
    code = "LEASE_LOST"
    message = "This command is no longer yours. Halt it."
