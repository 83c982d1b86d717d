"""The callers that each route admits.

A route without an entry fails the tests, and so does an entry without its route.
"""

from enum import StrEnum


class Caller(StrEnum):
    """The kinds of callers that a route distinguishes."""

    ANONYMOUS = "anonymous"
    STUDENT = "student"
    LIBRARIAN = "librarian"
    ADMIN = "admin"
    ADMIN_TO_SET_UP = "admin who must still set up a second factor"
    ROBOT = "robot"


ANYONE = frozenset(Caller)
USERS = frozenset({Caller.STUDENT, Caller.LIBRARIAN, Caller.ADMIN})
STAFF = frozenset({Caller.LIBRARIAN, Caller.ADMIN})
ADMINS = frozenset({Caller.ADMIN})
ROBOTS = frozenset({Caller.ROBOT})

_AUTH = "/api/v1/auth"
_BOOKS = "/api/v1/books"
_DELIVERIES = "/api/v1/deliveries"
_ROBOT = "/api/v1/robot"
_NOTES = "/api/v1/notifications"

ALLOWED_CALLERS: dict[str, frozenset[Caller]] = {
    # the system
    "GET /health": ANYONE,
    "GET /api/v1/openapi.json": ANYONE,
    "GET /api/v1/docs": ANYONE,
    # accounts and sessions
    f"POST {_AUTH}/register": ANYONE,
    f"POST {_AUTH}/login": ANYONE,
    f"POST {_AUTH}/refresh": ANYONE,
    f"GET {_AUTH}/.well-known/jwks.json": ANYONE,
    f"POST {_AUTH}/logout": USERS,
    f"POST {_AUTH}/login/second-factor": ANYONE,
    f"GET {_AUTH}/oidc/start": ANYONE,
    f"GET {_AUTH}/oidc/callback": ANYONE,
    f"GET {_AUTH}/me/totp": USERS,
    f"POST {_AUTH}/me/totp": USERS,
    f"POST {_AUTH}/me/totp/confirm": USERS,
    f"DELETE {_AUTH}/me/totp": USERS,
    f"POST {_AUTH}/me/recovery-codes": USERS,
    f"GET {_AUTH}/me/export": USERS,
    f"POST {_AUTH}/me/erase": USERS,
    f"GET {_AUTH}/client-settings": ANYONE,
    f"GET {_AUTH}/sessions": USERS,
    f"DELETE {_AUTH}/sessions": USERS,
    f"DELETE {_AUTH}/sessions/{{session_id}}": USERS,
    f"GET {_AUTH}/users": ADMINS,
    f"POST {_AUTH}/users": ADMINS,
    f"GET {_AUTH}/users/{{user_id}}": ADMINS,
    f"PUT {_AUTH}/users/{{user_id}}": ADMINS,
    f"DELETE {_AUTH}/users/{{user_id}}": ADMINS,
    f"GET {_AUTH}/users/{{user_id}}/export": ADMINS,
    f"POST {_AUTH}/users/{{user_id}}/erase": ADMINS,
    f"DELETE {_AUTH}/users/{{user_id}}/totp": ADMINS,
    f"GET {_AUTH}/members": STAFF,
    f"GET {_AUTH}/audit-logs": ADMINS,
    f"GET {_AUTH}/service-keys": ADMINS,
    f"POST {_AUTH}/service-keys": ADMINS,
    f"POST {_AUTH}/service-keys/{{key_id}}/rotate": ADMINS,
    f"DELETE {_AUTH}/service-keys/{{key_id}}": ADMINS,
    f"POST {_AUTH}/forgot-password": ANYONE,
    f"POST {_AUTH}/reset-password": ANYONE,
    f"POST {_AUTH}/verify-email": ANYONE,
    f"POST {_AUTH}/resend-verification": USERS,
    f"PUT {_AUTH}/change-password": USERS,
    f"GET {_AUTH}/me": USERS,
    f"PUT {_AUTH}/me": USERS,
    # the catalogue
    f"GET {_BOOKS}": USERS,
    f"GET {_BOOKS}/suggest": USERS,
    f"GET {_BOOKS}/export": STAFF,
    f"GET {_BOOKS}/{{book_id}}": USERS,
    f"GET {_BOOKS}/{{book_id}}/availability": USERS,
    f"POST {_BOOKS}": STAFF,
    f"PUT {_BOOKS}/{{book_id}}": STAFF,
    f"DELETE {_BOOKS}/{{book_id}}": STAFF,
    f"GET {_BOOKS}/{{book_id}}/copies": STAFF,
    f"POST {_BOOKS}/{{book_id}}/copies": STAFF,
    f"GET {_BOOKS}/{{book_id}}/copies/{{copy_id}}": STAFF,
    f"PUT {_BOOKS}/{{book_id}}/copies/{{copy_id}}": STAFF,
    f"PUT {_BOOKS}/{{book_id}}/copies/{{copy_id}}/shelve": STAFF,
    f"DELETE {_BOOKS}/{{book_id}}/copies/{{copy_id}}": STAFF,
    f"POST {_BOOKS}/{{book_id}}/merge": STAFF,
    f"DELETE {_BOOKS}/merges/{{merge_id}}": STAFF,
    f"POST {_BOOKS}/bulk-import": STAFF,
    f"GET {_BOOKS}/bulk-import": STAFF,
    f"GET {_BOOKS}/bulk-import/{{job_id}}": STAFF,
    f"GET {_BOOKS}/bulk-import/{{job_id}}/report": STAFF,
    f"POST {_BOOKS}/bulk-import/{{job_id}}/undo": STAFF,
    f"GET {_BOOKS}/bulk-import/{{job_id}}/rows": STAFF,
    f"PUT {_BOOKS}/bulk-import/{{job_id}}/cancel": STAFF,
    # loans: the caller's own; all for staff
    "GET /api/v1/loans": USERS,
    "GET /api/v1/loans/{loan_id}": USERS,
    "GET /api/v1/loans/summary": USERS,
    "PUT /api/v1/loans/renew-all": USERS,
    "PUT /api/v1/loans/{loan_id}/renew": USERS,
    "GET /api/v1/copies/{barcode}": STAFF,
    "POST /api/v1/copies/stock-take": STAFF,
    "GET /api/v1/loans/lists/{name}": STAFF,
    "GET /api/v1/loans/policies": STAFF,
    "PUT /api/v1/loans/policies": ADMINS,
    "GET /api/v1/loans/calendar": STAFF,
    "PUT /api/v1/loans/calendar": ADMINS,
    "GET /api/v1/holds": USERS,
    "POST /api/v1/holds": USERS,
    "GET /api/v1/holds/{hold_id}": USERS,
    "PUT /api/v1/holds/{hold_id}/suspend": USERS,
    "DELETE /api/v1/holds/{hold_id}": USERS,
    "POST /api/v1/loans": STAFF,
    "POST /api/v1/loans/check-in": STAFF,
    "PUT /api/v1/loans/{loan_id}/return": STAFF,
    "PUT /api/v1/loans/{loan_id}/lost": STAFF,
    "PUT /api/v1/loans/{loan_id}/claimed-returned": STAFF,
    "PUT /api/v1/loans/{loan_id}/found": STAFF,
    # requests and returns: the caller's own; all for staff
    "POST /api/v1/requests": USERS,
    "GET /api/v1/requests": USERS,
    "GET /api/v1/requests/{request_id}": USERS,
    "PUT /api/v1/requests/{request_id}/cancel": USERS,
    "PUT /api/v1/requests/{request_id}/complete": USERS,
    "GET /api/v1/requests/quote": USERS,
    "PUT /api/v1/requests/{request_id}/extend": USERS,
    "PUT /api/v1/requests/{request_id}/place": USERS,
    "POST /api/v1/requests/{request_id}/problems": USERS,
    "POST /api/v1/returns": USERS,
    "GET /api/v1/returns": USERS,
    "GET /api/v1/returns/{return_id}": USERS,
    "PUT /api/v1/returns/{return_id}/picked-up": USERS,
    "PUT /api/v1/returns/{return_id}/cancel": USERS,
    # deliveries
    f"GET {_DELIVERIES}": STAFF,
    f"POST {_DELIVERIES}/inter-staff": STAFF,
    f"POST {_DELIVERIES}/workstation": STAFF,
    f"POST {_DELIVERIES}/transfer": STAFF,
    f"GET {_DELIVERIES}/pick-list": STAFF,
    f"PUT {_DELIVERIES}/pick-list/{{task_id}}/not-found": STAFF,
    f"GET {_DELIVERIES}/analytics": STAFF,
    f"GET {_DELIVERIES}/floors": USERS,
    f"GET {_DELIVERIES}/alerts": STAFF,
    f"GET {_DELIVERIES}/alerts/{{alert_id}}": STAFF,
    f"PUT {_DELIVERIES}/alerts/{{alert_id}}/claim": STAFF,
    f"PUT {_DELIVERIES}/alerts/{{alert_id}}/release": STAFF,
    f"PUT {_DELIVERIES}/alerts/{{alert_id}}/resolve": STAFF,
    f"GET {_DELIVERIES}/locations": USERS,
    f"GET {_DELIVERIES}/{{task_id}}": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/book-placed": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/complete": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/cancel": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/fail": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/retry": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/priority": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/claim": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/release": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/reassign": STAFF,
    # robots, for staff
    f"GET {_ROBOT}/status": STAFF,
    f"GET {_ROBOT}/status/{{robot_id}}": STAFF,
    f"GET {_ROBOT}/tasks": STAFF,
    f"GET {_ROBOT}/robots/{{robot_id}}/errors": STAFF,
    f"GET {_ROBOT}/robots/{{robot_id}}/logs": STAFF,
    f"PUT {_ROBOT}/robots/{{robot_id}}/dock": STAFF,
    f"PUT {_ROBOT}/robots/{{robot_id}}/pause": STAFF,
    f"PUT {_ROBOT}/robots/{{robot_id}}/resume-task": STAFF,
    f"PUT {_ROBOT}/robots/{{robot_id}}/announce": STAFF,
    f"GET {_ROBOT}/emergency-stop": STAFF,
    f"GET {_ROBOT}/map/export": STAFF,
    f"POST {_ROBOT}/map/import": STAFF,
    f"PUT {_ROBOT}/map/edges/{{edge_id}}/close": STAFF,
    f"PUT {_ROBOT}/map/edges/{{edge_id}}/open": STAFF,
    f"POST {_ROBOT}/emergency-stop": STAFF,
    f"POST {_ROBOT}/emergency-stop/{{robot_id}}": STAFF,
    f"POST {_ROBOT}/resume": STAFF,
    f"POST {_ROBOT}/resume/{{robot_id}}": STAFF,
    f"GET {_ROBOT}/waypoints": STAFF,
    f"POST {_ROBOT}/waypoints": STAFF,
    f"GET {_ROBOT}/waypoints/{{waypoint_id}}": STAFF,
    f"PUT {_ROBOT}/waypoints/{{waypoint_id}}": STAFF,
    f"DELETE {_ROBOT}/waypoints/{{waypoint_id}}": STAFF,
    f"GET {_ROBOT}/map": STAFF,
    f"PUT {_ROBOT}/map": STAFF,
    # the registry of robots
    f"GET {_ROBOT}/robots": ADMINS,
    f"POST {_ROBOT}/robots": ADMINS,
    f"PUT {_ROBOT}/robots/{{robot_id}}": ADMINS,
    f"DELETE {_ROBOT}/robots/{{robot_id}}": ADMINS,
    f"POST {_ROBOT}/robots/{{robot_id}}/key": ADMINS,
    f"POST {_ROBOT}/robots/{{robot_id}}/enrolment-code": ADMINS,
    # the bridge protocol; enrollment authenticates by its code
    f"POST {_ROBOT}/bridge/enroll": ANYONE,
    f"POST {_ROBOT}/bridge/session": ROBOTS,
    f"POST {_ROBOT}/bridge/heartbeat": ROBOTS,
    f"GET {_ROBOT}/bridge/commands/next": ROBOTS,
    f"POST {_ROBOT}/bridge/commands/{{command_id}}/events": ROBOTS,
    f"GET {_ROBOT}/bridge/stop": ROBOTS,
    f"POST {_ROBOT}/bridge/stop/events": ROBOTS,
    # notifications: the caller's own
    f"GET {_NOTES}": USERS,
    f"GET {_NOTES}/unread-count": USERS,
    f"GET {_NOTES}/preferences": USERS,
    f"PUT {_NOTES}/preferences": USERS,
    f"POST {_NOTES}/push-subscriptions": USERS,
    f"DELETE {_NOTES}/push-subscriptions/{{subscription_id}}": USERS,
    f"GET {_NOTES}/{{notification_id}}": USERS,
    f"PUT {_NOTES}/{{notification_id}}/read": USERS,
    f"PUT {_NOTES}/read-all": USERS,
    f"DELETE {_NOTES}/{{notification_id}}": USERS,
    f"POST {_NOTES}/ws-ticket": USERS,
}

# Public routes that check a secret in the body: the error for a wrong one.
SECRET_CHECKED = {
    f"POST {_AUTH}/login": (401, "INVALID_CREDENTIALS"),
    f"POST {_AUTH}/login/second-factor": (401, "INVALID_CREDENTIALS"),
    f"POST {_AUTH}/me/totp/confirm": (401, "INVALID_CREDENTIALS"),
    f"DELETE {_AUTH}/me/totp": (401, "INVALID_CREDENTIALS"),
    f"POST {_AUTH}/me/recovery-codes": (401, "INVALID_CREDENTIALS"),
    f"POST {_AUTH}/refresh": (401, "TOKEN_REVOKED"),
    f"POST {_AUTH}/reset-password": (422, "INVALID_TOKEN"),
    f"POST {_AUTH}/verify-email": (422, "INVALID_TOKEN"),
    f"PUT {_AUTH}/change-password": (401, "INVALID_CREDENTIALS"),
    f"POST {_ROBOT}/bridge/enroll": (401, "UNAUTHENTICATED"),
}

# Not in the OpenAPI document: internal, or not HTTP. Their own tests check access.
OUTSIDE_THE_DOCUMENT = {
    "/health/live",
    "/health/ready",
    "/metrics",
    "/openapi.json",
    f"{_NOTES}/ws",
}


def admits(route: str, caller: Caller) -> bool:
    """Return whether a route admits a caller."""
    if caller is not Caller.ADMIN_TO_SET_UP or ALLOWED_CALLERS[route] == ANYONE:
        return caller in ALLOWED_CALLERS[route]
    path = route.partition(" ")[2]
    return path in {f"{_AUTH}/me", f"{_AUTH}/logout"} or path.startswith(f"{_AUTH}/me/")


def refusal(caller: Caller, route: str) -> tuple[int, str]:
    """Return the status and code that refuse a caller."""
    if caller is Caller.ANONYMOUS:
        return 401, "UNAUTHENTICATED"
    if caller is Caller.ADMIN_TO_SET_UP and ALLOWED_CALLERS[route] != ROBOTS:
        return 403, "SECOND_FACTOR_REQUIRED"
    return 403, "ROLE_NOT_ALLOWED"
