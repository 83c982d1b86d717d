"""Every error of the API: code, HTTP and gRPC status, message (api.md §3).

Services raise them and `backend.shared.web.error_handlers` answers them. The message names the
problem and the next step; keyword arguments become `details`.
"""

from typing import Any, ClassVar


class LunaError(Exception):
    """Base of all expected errors; `message` is a format string over the details."""

    status: ClassVar[int] = 500
    grpc: ClassVar[str] = "INTERNAL"
    code: ClassVar[str] = "INTERNAL_ERROR"
    message: ClassVar[str] = "An unexpected error occurred. Try again later."
    retry_after: int | None = None

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.text = message or self.message.format(**details)
        self.details = details
        super().__init__(self.text)


# --- general -----------------------------------------------------------------------------------


class NotSignedIn(LunaError):
    status, grpc, code = 401, "UNAUTHENTICATED", "UNAUTHENTICATED"
    message = "Not signed in. Send a valid access token."


class Forbidden(LunaError):
    status, grpc, code = 403, "PERMISSION_DENIED", "FORBIDDEN"
    message = "You are not allowed to do this."


class NotFound(LunaError):
    status, grpc, code = 404, "NOT_FOUND", "NOT_FOUND"
    message = "Resource not found."


class Conflict(LunaError):
    status, grpc, code = 409, "FAILED_PRECONDITION", "CONFLICT"
    message = "The request conflicts with the current state of the resource."


class Duplicate(Conflict):
    grpc = "ALREADY_EXISTS"


class Invalid(LunaError):
    """A value that is not accepted; `fields` maps the path of a field to its violations."""

    status, grpc, code = 422, "INVALID_ARGUMENT", "VALIDATION_ERROR"
    message = "Some values are not valid. See details.fields."


def invalid(field: str, violation: str) -> Invalid:
    return Invalid(fields={field: [violation]})


# --- requests -------------------------------------------------------------------------


class MalformedJson(LunaError):
    status, grpc, code = 400, "INVALID_ARGUMENT", "MALFORMED_JSON"
    message = "The body is not valid JSON."


class MethodNotAllowed(LunaError):
    status, grpc, code = 405, "UNIMPLEMENTED", "METHOD_NOT_ALLOWED"
    message = "The method is not allowed on this path."


class PayloadTooLarge(LunaError):
    status, grpc, code = 413, "RESOURCE_EXHAUSTED", "PAYLOAD_TOO_LARGE"
    message = "The body is larger than this path allows."


class UnsupportedMediaType(LunaError):
    status, grpc, code = 415, "INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE"
    message = "This path does not accept this media type."


class RequestTimeout(LunaError):
    """Sent by the gateway when a request arrives too slowly."""

    status, grpc, code = 408, "DEADLINE_EXCEEDED", "REQUEST_TIMEOUT"
    message = "The request took too long to arrive. Try again."


class UriTooLong(LunaError):  # this and the next two are sent by the gateway
    status, grpc, code = 414, "INVALID_ARGUMENT", "URI_TOO_LONG"
    message = "The address is too long: at most 8 KiB."


class MisdirectedRequest(LunaError):
    status, grpc, code = 421, "INVALID_ARGUMENT", "MISDIRECTED_REQUEST"
    message = "This host is not served here."


class HeadersTooLarge(LunaError):
    status, grpc, code = 431, "INVALID_ARGUMENT", "HEADERS_TOO_LARGE"
    message = "The headers are too large: at most 8 KiB each, 32 KiB together."


class RateLimited(LunaError):
    status, grpc, code = 429, "RESOURCE_EXHAUSTED", "RATE_LIMITED"
    message = "Too many requests. Wait a moment and try again."
    retry_after = 1


class ServiceUnavailable(LunaError):
    status, grpc, code = 503, "UNAVAILABLE", "SERVICE_UNAVAILABLE"
    message = "A part of the system is unavailable at the moment. Try again shortly."
    retry_after = 2


class BadGateway(LunaError):
    """Sent by the gateway while a service restarts."""

    status, grpc, code = 502, "UNAVAILABLE", "BAD_GATEWAY"
    message = "The service is unavailable at the moment. Try again shortly."
    retry_after = 1


class StaleVersion(LunaError):
    status, grpc, code = 412, "ABORTED", "STALE_VERSION"
    message = "The resource has changed since you read it. Read it again, then retry."


class PageTooDeep(Invalid):
    code = "PAGE_TOO_DEEP"
    message = "Pages beyond row 10000 are not available. Continue with a cursor or filters."


class IdempotencyKeyReused(Conflict):
    code = "IDEMPOTENCY_KEY_REUSED"
    message = "This Idempotency-Key was used with another request."


# --- authentication --------------------------------------------------------------------------


class TokenExpired(NotSignedIn):
    code = "TOKEN_EXPIRED"
    message = "The access token has expired. Refresh it."


class TokenRevoked(NotSignedIn):
    code = "TOKEN_REVOKED"
    message = "This session has ended. Sign in again."


class InvalidCredentials(NotSignedIn):
    code = "INVALID_CREDENTIALS"
    message = "E-mail or password is wrong."


class SecondFactorRequired(NotSignedIn):
    code = "SECOND_FACTOR_REQUIRED"
    message = "Enter the code of your second factor: POST /api/v1/auth/login/second-factor."


class SecondFactorMissing(SecondFactorRequired):
    """The same code for an administrator who must set one up."""

    status, grpc = 403, "PERMISSION_DENIED"
    message = "Set up a second factor first: POST /api/v1/auth/me/totp."


class AccountInactive(Forbidden):
    code = "ACCOUNT_INACTIVE"
    message = "This account is not active. Contact the library."


class RoleNotAllowed(Forbidden):
    code = "ROLE_NOT_ALLOWED"
    message = "Your role does not allow this."


class InvalidToken(Invalid):
    code = "INVALID_TOKEN"
    message = "This link is no longer valid. Ask for a new one."


class CsrfRejected(Forbidden):
    code = "CSRF_REJECTED"
    message = "This site may not use the session of this browser."


class EmailTaken(Duplicate):
    code = "EMAIL_TAKEN"
    message = "An account with this e-mail already exists."


# --- library -----------------------------------------------------------------------------


class IsbnTaken(Duplicate):
    code = "ISBN_TAKEN"
    message = "A book with ISBN {isbn} already exists."


class BookNotAvailable(Conflict):
    code = "BOOK_NOT_AVAILABLE"
    message = "No copy of this book is available at the moment."


class BookInUse(Conflict):
    code = "BOOK_IN_USE"
    message = "A copy of this book is on loan, reserved or in transit."


class UnknownLocation(Invalid):
    code = "UNKNOWN_LOCATION"
    message = "Robots do not deliver to “{location}”."


class AlreadyRequested(Duplicate):
    code = "ALREADY_REQUESTED"
    message = "You have already requested this book."


class AlreadyReturning(Duplicate):
    code = "ALREADY_RETURNING"
    message = "A return of this book is already in progress."


class NotBorrowed(Conflict):
    code = "NOT_BORROWED"
    message = "This book is not on loan to you."


class LoanLimitReached(Conflict):
    code = "LOAN_LIMIT_REACHED"
    message = "You have reached the limit of {limit} loans."


class RenewalLimitReached(Conflict):
    code = "RENEWAL_LIMIT_REACHED"
    message = "This loan cannot be renewed again."


class HoldExists(Duplicate):
    code = "HOLD_EXISTS"
    message = "The member already has a hold on this book."


class AlreadyClaimed(Conflict):
    code = "ALREADY_CLAIMED"
    message = "{name} has already taken this."


class WrongCode(Invalid):
    code = "WRONG_CODE"
    message = "This code is wrong."


class InvalidStateTransition(Conflict):
    code = "INVALID_STATE_TRANSITION"
    message = "This is not possible in the current state: {current}. Requested: {requested}."


# --- robots ----------------------------------------------------------------------------------


class RobotUnavailable(Conflict):
    code = "ROBOT_UNAVAILABLE"
    message = "The robot is not available at the moment."


class RobotStopped(Conflict):
    code = "ROBOT_STOPPED"
    message = "The robot is under an emergency stop. Resume it first."


class WrongRobot(Conflict):
    code = "WRONG_ROBOT"
    message = "This delivery is assigned to {expected}, not {given}."


class WrongCopy(Conflict):
    code = "WRONG_COPY"
    message = "This delivery is for copy {expected}, not {given}."


class StaleEpoch(Conflict):
    grpc = "ABORTED"
    code = "STALE_EPOCH"
    message = "A newer session controls this robot. Stop."


class LeaseLost(Conflict):
    grpc = "ABORTED"
    code = "LEASE_LOST"
    message = "The lease of this command has been lost. Stop executing it."
