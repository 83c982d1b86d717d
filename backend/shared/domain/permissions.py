"""What each role may do: the one table, read by every guard and rule (api.md §4)."""

from enum import IntEnum, StrEnum

from backend.shared.models import Role


class Scope(IntEnum):
    """How far a permission reaches."""

    NONE = 0
    OWN = 1  # what belongs to the caller; another's does not exist for them
    ALL = 2


class Action(StrEnum):
    """A row of the table."""

    REQUEST = "create a request or a return"
    VIEW_CIRCULATION = "view requests, returns, loans"
    VIEW_NOTIFICATIONS = "view and change notifications and the account"
    CANCEL_REQUEST = "cancel a request or a return"
    MANAGE_BOOKS = "create, update, delete, import books"
    MANAGE_DELIVERIES = "view, create, place, complete, cancel, prioritise deliveries"
    OPERATE_ROBOTS = "robot status, tasks, waypoints, map, emergency stop, resume"
    LOOK_UP_MEMBERS = "look up members"
    ADMINISTER = "users, robots and their keys, service keys, audit log, policies"
    DRIVE = "bridge endpoints"


_NONE, _OWN, _ALL = Scope
_ROLES = (Role.STUDENT, Role.LIBRARIAN, Role.ADMIN, Role.ROBOT)
# fmt: off  (a table)
_TABLE: dict[Action, tuple[Scope, Scope, Scope, Scope]] = {
    #                           student  librarian  admin  robot
    Action.REQUEST: (_OWN, _ALL, _ALL, _NONE),
    Action.VIEW_CIRCULATION: (_OWN, _ALL, _ALL, _NONE),
    Action.VIEW_NOTIFICATIONS: (_OWN, _OWN, _OWN, _NONE),
    Action.CANCEL_REQUEST: (_OWN, _OWN, _ALL, _NONE),
    Action.MANAGE_BOOKS: (_NONE, _ALL, _ALL, _NONE),
    Action.MANAGE_DELIVERIES: (_NONE, _ALL, _ALL, _NONE),
    Action.OPERATE_ROBOTS: (_NONE, _ALL, _ALL, _NONE),
    Action.LOOK_UP_MEMBERS: (_NONE, _ALL, _ALL, _NONE),
    Action.ADMINISTER: (_NONE, _NONE, _ALL, _NONE),
    Action.DRIVE: (_NONE, _NONE, _NONE, _OWN),
}
# fmt: on


def scope(role: Role, action: Action) -> Scope:
    """Return how far `role` may do `action`."""
    return _TABLE[action][_ROLES.index(role)]


def roles(action: Action) -> tuple[Role, ...]:
    """Return the roles that may do `action`, at least on what is theirs."""
    return tuple(role for role in _ROLES if scope(role, action))
