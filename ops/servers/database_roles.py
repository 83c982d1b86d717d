"""The names of the database and of its roles, for programs that have no package installed."""

from backend.shared.infra.services import OPERATOR_ROLE, SERVICES, WORKER, database_role

DATABASE = "luna"
OWNER = "luna_owner"
OF_PROGRAMS = tuple(map(database_role, (*SERVICES, WORKER)))
ROLES = (OWNER, *OF_PROGRAMS, OPERATOR_ROLE)
FIRST_ROLE = "luna_app"  # named by migrations; nobody signs in with it
