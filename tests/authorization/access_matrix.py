"""Who may call what: the table of api.md §4 for every route there is.

A route that is missing here fails the run, and so does a line here without its route.
"""

from enum import StrEnum


class Caller(StrEnum):
    """The kinds of callers that a route can tell apart."""

    ANONYMOUS = "anonymous"
    STUDENT = "student"
    LIBRARIAN = "librarian"
    ADMIN = "admin"
    ROBOT = "robot"


ANYBODY = frozenset(Caller)
PEOPLE = frozenset({Caller.STUDENT, Caller.LIBRARIAN, Caller.ADMIN})
STAFF = frozenset({Caller.LIBRARIAN, Caller.ADMIN})
ADMINS = frozenset({Caller.ADMIN})
ROBOTS = frozenset({Caller.ROBOT})

_AUTH = "/api/v1/auth"
_BOOKS = "/api/v1/books"
_DELIVERIES = "/api/v1/deliveries"
_ROBOT = "/api/v1/robot"
_NOTES = "/api/v1/notifications"

WHO_MAY: dict[str, frozenset[Caller]] = {
    # the address as a whole
    "GET /health": ANYBODY,
    "GET /api/v1/openapi.json": ANYBODY,
    "GET /api/v1/docs": ANYBODY,
    # accounts and sessions
    f"POST {_AUTH}/register": ANYBODY,
    f"POST {_AUTH}/login": ANYBODY,
    f"POST {_AUTH}/refresh": ANYBODY,
    f"GET {_AUTH}/.well-known/jwks.json": ANYBODY,
    f"POST {_AUTH}/logout": PEOPLE,
    f"GET {_AUTH}/me": PEOPLE,
    f"PUT {_AUTH}/me": PEOPLE,
    # the catalogue
    f"GET {_BOOKS}": PEOPLE,
    f"GET {_BOOKS}/{{book_id}}": PEOPLE,
    f"GET {_BOOKS}/{{book_id}}/availability": PEOPLE,
    f"POST {_BOOKS}": STAFF,
    f"PUT {_BOOKS}/{{book_id}}": STAFF,
    f"DELETE {_BOOKS}/{{book_id}}": STAFF,
    f"GET {_BOOKS}/{{book_id}}/copies": STAFF,
    f"POST {_BOOKS}/{{book_id}}/copies": STAFF,
    f"PUT {_BOOKS}/{{book_id}}/copies/{{copy_id}}": STAFF,
    f"DELETE {_BOOKS}/{{book_id}}/copies/{{copy_id}}": STAFF,
    f"POST {_BOOKS}/bulk-import": STAFF,
    f"GET {_BOOKS}/bulk-import/{{job_id}}": STAFF,
    f"GET {_BOOKS}/bulk-import/{{job_id}}/rows": STAFF,
    # loans: one's own, all of them for staff
    "GET /api/v1/loans": PEOPLE,
    "GET /api/v1/loans/{loan_id}": PEOPLE,
    # requests and returns: one's own, all of them for staff
    "POST /api/v1/requests": PEOPLE,
    "GET /api/v1/requests": PEOPLE,
    "GET /api/v1/requests/{request_id}": PEOPLE,
    "PUT /api/v1/requests/{request_id}/cancel": PEOPLE,
    "PUT /api/v1/requests/{request_id}/complete": PEOPLE,
    "POST /api/v1/returns": PEOPLE,
    "GET /api/v1/returns": PEOPLE,
    "GET /api/v1/returns/{return_id}": PEOPLE,
    "PUT /api/v1/returns/{return_id}/picked-up": PEOPLE,
    "PUT /api/v1/returns/{return_id}/cancel": PEOPLE,
    # deliveries
    f"GET {_DELIVERIES}": STAFF,
    f"POST {_DELIVERIES}/inter-staff": STAFF,
    f"POST {_DELIVERIES}/workstation": STAFF,
    f"POST {_DELIVERIES}/transfer": STAFF,
    f"GET {_DELIVERIES}/pick-list": STAFF,
    f"GET {_DELIVERIES}/locations": PEOPLE,
    f"GET {_DELIVERIES}/{{task_id}}": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/book-placed": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/complete": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/cancel": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/fail": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/retry": STAFF,
    f"PUT {_DELIVERIES}/{{task_id}}/priority": STAFF,
    # robots, as staff see them
    f"GET {_ROBOT}/status": STAFF,
    f"GET {_ROBOT}/status/{{robot_id}}": STAFF,
    f"GET {_ROBOT}/tasks": STAFF,
    f"GET {_ROBOT}/robots/{{robot_id}}/errors": STAFF,
    f"POST {_ROBOT}/emergency-stop": STAFF,
    f"POST {_ROBOT}/emergency-stop/{{robot_id}}": STAFF,
    f"POST {_ROBOT}/resume": STAFF,
    f"POST {_ROBOT}/resume/{{robot_id}}": STAFF,
    f"GET {_ROBOT}/waypoints": STAFF,
    f"POST {_ROBOT}/waypoints": STAFF,
    f"PUT {_ROBOT}/waypoints/{{waypoint_id}}": STAFF,
    f"DELETE {_ROBOT}/waypoints/{{waypoint_id}}": STAFF,
    f"GET {_ROBOT}/map": STAFF,
    f"PUT {_ROBOT}/map": STAFF,
    # robots, as they are registered
    f"GET {_ROBOT}/robots": ADMINS,
    f"POST {_ROBOT}/robots": ADMINS,
    f"PUT {_ROBOT}/robots/{{robot_id}}": ADMINS,
    f"DELETE {_ROBOT}/robots/{{robot_id}}": ADMINS,
    f"POST {_ROBOT}/robots/{{robot_id}}/key": ADMINS,
    f"POST {_ROBOT}/robots/{{robot_id}}/enrolment-code": ADMINS,
    # the robot's own side; enrolling proves itself by its code
    f"POST {_ROBOT}/bridge/enroll": ANYBODY,
    f"POST {_ROBOT}/bridge/session": ROBOTS,
    f"POST {_ROBOT}/bridge/heartbeat": ROBOTS,
    f"GET {_ROBOT}/bridge/commands/next": ROBOTS,
    f"POST {_ROBOT}/bridge/commands/{{command_id}}/events": ROBOTS,
    f"GET {_ROBOT}/bridge/stop": ROBOTS,
    f"POST {_ROBOT}/bridge/stop/events": ROBOTS,
    # notifications: one's own, whoever one is
    f"GET {_NOTES}": PEOPLE,
    f"GET {_NOTES}/unread-count": PEOPLE,
    f"GET {_NOTES}/{{notification_id}}": PEOPLE,
    f"PUT {_NOTES}/{{notification_id}}/read": PEOPLE,
    f"PUT {_NOTES}/read-all": PEOPLE,
    f"DELETE {_NOTES}/{{notification_id}}": PEOPLE,
    f"POST {_NOTES}/ws-ticket": PEOPLE,
}

# Doors that anybody may knock at and that open to a secret: what they say to a wrong one.
KNOCKING = {
    f"POST {_AUTH}/login": (401, "INVALID_CREDENTIALS"),
    f"POST {_AUTH}/refresh": (401, "TOKEN_REVOKED"),
    f"POST {_ROBOT}/bridge/enroll": (401, "UNAUTHENTICATED"),
}

# Not in the OpenAPI document: inside only, or not HTTP. Each says for itself who may.
OUTSIDE_THE_DOCUMENT = {"/health/live", "/health/ready", "/metrics", f"{_NOTES}/ws"}


def refusal(caller: Caller) -> tuple[int, str]:
    """How a caller is told that a route is not for them."""
    if caller is Caller.ANONYMOUS:
        return 401, "UNAUTHENTICATED"
    return 403, "ROLE_NOT_ALLOWED"
